"""Problems: what one worker reported, until that worker confirms that it is solved.

Owns :class:`Problem` (the ticket), :class:`Commitment` (the promised date), :class:`Proposal` (a
user's claim that it is solved), :class:`Confirmation` (the worker's verdict), :class:`Call` and
:class:`Cause` (the shared reason of several problems).

Refuses: closing without the worker's own verified yes (the database refuses it, too), ending without
a manager, a reason, two call attempts and two mails, moving a promise without a reason, and merging
two workers' problems into one. Due times and the ladder belong to ``escalation``.
"""
