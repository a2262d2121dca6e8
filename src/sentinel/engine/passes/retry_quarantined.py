"""Gives duties that were put aside another chance every hour: most reasons are repaired by then."""

from __future__ import annotations

from datetime import datetime, timedelta

from sentinel.escalation.services import release_quarantine

RETRY_AFTER = timedelta(hours=1)


def run(now: datetime) -> int:
    """Release every duty that was put aside an hour ago or longer."""
    return release_quarantine(before=now - RETRY_AFTER)


def handle_one(now: datetime) -> bool:
    """All at once: it is one statement."""
    return run(now) > 0
