"""Escalation: who owes what by when, and who hears of it when it is late.

Owns :class:`Ladder` and :class:`Rung` (the policy people edit), :class:`FrozenPolicy` and
:class:`FrozenRung` (the policy as it was when a problem's loop started) and :class:`Duty` (what is
owed now, with the timer that fires when it is late).

Refuses: an open problem without exactly one duty (a deferred trigger in the database), a last step,
due times outside working hours, and letting an edited ladder touch a running loop.
"""
