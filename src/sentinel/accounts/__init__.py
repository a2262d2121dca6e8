"""The customers: accounts, their sites, the workers there, and the customer's permission.

Owns :class:`Account` (with owner, deputy, manager and focus executive), :class:`Site` (zone and
calendar), :class:`Worker` (with the choices they made: rhythm, pause, language, unsubscribed),
:class:`Permission` (the recorded consent without which nothing is sent) and the roster import.

Refuses: sending anything, knowing check-ins or problems, and half an import. Whether a user may see
an account is decided here once, in ``selectors.accounts_visible_to``.
"""
