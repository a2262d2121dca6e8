"""Tells whoever must know what became of check-ins that did not arrive; the workflow decides."""

from __future__ import annotations

from datetime import datetime

from sentinel.workflows.report_deliveries import report_deliveries

#: So many in one turn; then the other passes have theirs.
TURN = 500


def run(now: datetime) -> int:
    """One turn; returns how many were handled."""
    return report_deliveries(now=now, limit=TURN)


def handle_one(now: datetime) -> bool:
    """The first of them. False when there is nothing to report."""
    return report_deliveries(now=now, limit=1) > 0
