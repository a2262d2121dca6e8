"""Takes waiting check-ins back from workers who must not be asked any more; the workflow decides."""

from __future__ import annotations

from datetime import datetime

from sentinel.workflows.withdraw_deliveries import withdraw_deliveries

#: So many in one turn; then the other passes have theirs.
TURN = 500


def run(now: datetime) -> int:
    """One turn; returns how many were taken back."""
    return withdraw_deliveries(now=now, limit=TURN)


def handle_one(now: datetime) -> bool:
    """The first of them. False when all that wait may go."""
    return withdraw_deliveries(now=now, limit=1) > 0
