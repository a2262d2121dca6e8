"""Calls that Sentinel places: the owner's telephone rings, then the worker's, then the two talk.

Owns :class:`PlacedCall` (one wish to talk and how far it came) and :class:`CallStep` (everything the
provider said about it, in the order it arrived).

Refuses: two calls at once for one problem or one user, going backwards, counting the same news twice,
and calls outside the worker's working hours unless the worker asked for that time. A connected call is no
outcome: the owner says what came of it (``problems.Call``), and only the worker closes a problem.
"""
