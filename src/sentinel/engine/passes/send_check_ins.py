"""Puts check-ins whose hour has come on their way; the workflow of the same name decides."""

from __future__ import annotations

from datetime import datetime

from sentinel.workflows.send_check_ins import send_check_ins

#: So many in one turn; then the other passes have theirs.
TURN = 500


def run(now: datetime) -> int:
    """One turn; returns how many were handled."""
    return send_check_ins(now=now, limit=TURN)


def handle_one(now: datetime) -> bool:
    """The first that is due. False when nothing is."""
    return send_check_ins(now=now, limit=1) > 0
