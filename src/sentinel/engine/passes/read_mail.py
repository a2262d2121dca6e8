"""Reads mail that came in and sets it to work, each in a transaction of its own, the longest waiting first.

Several engines may do it at once: each takes a mail that no other holds. A mail that cannot be handled
is put off by the workflow and holds up nobody.
"""

from __future__ import annotations

from datetime import datetime

from sentinel.engine.turns import up_to
from sentinel.workflows.receive_mail import receive_next_mail

#: So many in one turn; then the other passes have theirs.
TURN = 100


def run(now: datetime) -> int:
    """Handle what waits, at most :data:`TURN`; returns how many were handled."""
    return up_to(TURN, handle_one, now)


def handle_one(now: datetime) -> bool:
    """Handle the mail that has waited longest. False when none waits."""
    return receive_next_mail(now=now) is not None
