"""Sentinel watches itself: what must always hold is looked at again and again, by somebody else.

Owns the findings (what was wrong, since when, what was done about it) and the canary (a message that
travels the whole way, so that silence is noticed). It measures lateness, not liveness: an engine that
lives and does nothing is as dead as one that does not.

Refuses: to hide. A finding stays open until it is no longer seen; a repair is written into the
timeline; nothing here changes a due time or closes anything.
"""
