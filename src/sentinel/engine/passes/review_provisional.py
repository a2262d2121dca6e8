"""Turns frowns that nobody vouched for or contradicted into a quiet please-check; the workflow decides."""

from __future__ import annotations

from datetime import datetime

from sentinel.workflows.review_provisional import review_provisional

#: So many in one turn; then the other passes have theirs.
TURN = 200


def run(now: datetime) -> int:
    """One turn; returns how many were handled."""
    return review_provisional(now=now, limit=TURN)


def handle_one(now: datetime) -> bool:
    """The first that is due. False when nothing is."""
    return review_provisional(now=now, limit=1) > 0
