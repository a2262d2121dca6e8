"""Moves the duties of people who are away to their stand-ins; the workflow of the same name decides."""

from __future__ import annotations

from datetime import datetime

from sentinel.workflows.stand_in import move_duties_of_absent

#: So many in one turn; then the other passes have theirs.
TURN = 200


def run(now: datetime) -> int:
    """One turn; returns how many were moved."""
    return move_duties_of_absent(now=now, limit=TURN)


def handle_one(now: datetime) -> bool:
    """The most urgent one. False when nobody who is away owes anything that can move."""
    return move_duties_of_absent(now=now, limit=1) > 0
