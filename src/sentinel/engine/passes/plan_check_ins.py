"""Plans the check-ins that are coming up; the workflow of the same name decides."""

from __future__ import annotations

from datetime import datetime

from sentinel.workflows.plan_check_ins import plan_check_ins

#: So many in one turn; then the other passes have theirs.
TURN = 1000


def run(now: datetime) -> int:
    """One turn; returns how many were handled."""
    return plan_check_ins(now=now, limit=TURN)


def handle_one(now: datetime) -> bool:
    """The first that is due. False when nothing is."""
    return plan_check_ins(now=now, limit=1) > 0
