"""The timeline: what happened, in the words of the domain.

Owns the append-only :class:`~sentinel.timeline.models.Event`: the audit log and the 360-degree
history of problems, workers, sites and accounts at once. Every act is one row with a dotted verb
(``problem.opened``), written in the transaction of the act itself, chained by hash within its
stream so that a removed or altered row is noticed.

Refuses: updating or deleting an event (the database says no), knowing what the ids mean (it stands
below every domain, therefore it keeps plain ids), and free-form verbs (see ``verbs.py``).
"""
