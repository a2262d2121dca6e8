"""Writes down that a mute is over. What waited for it is due by itself at that moment."""

from __future__ import annotations

from datetime import datetime

from sentinel.workflows import mute_notices


def run(now: datetime) -> int:
    """All that are over; returns how many."""
    return mute_notices.end_mutes(now=now)


def handle_one(now: datetime) -> bool:
    """The same; there is at most one."""
    return run(now) > 0
