"""Reads the journal of opened links, an hour late, for what scanners do where; the workflow counts."""

from __future__ import annotations

from datetime import datetime

from sentinel.workflows.scanner_habits import learn_scanner_habits

#: So many in one turn; then the other passes have theirs.
TURN = 2_000


def run(now: datetime) -> int:
    """One turn; returns how many were handled."""
    return learn_scanner_habits(now=now, limit=TURN)


def handle_one(now: datetime) -> bool:
    """The first that is due. False when nothing is."""
    return learn_scanner_habits(now=now, limit=1) > 0
