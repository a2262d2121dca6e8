"""Fires duties whose time has come, each in a transaction of its own, most overdue first.

A duty that cannot be fired is put aside alone, visibly, and tried again after an hour; a database
that is away is nobody's fault and quarantines nothing.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import InterfaceError, OperationalError

from sentinel.engine.turns import up_to
from sentinel.kernel import traces
from sentinel.workflows.fire_duty import fire_next_duty
from sentinel.workflows.quarantine_duty import quarantine_duty

logger = logging.getLogger(__name__)

#: So many in one turn; then the other passes have theirs.
TURN = 200


def run(now: datetime) -> int:
    """Fire what is due, at most :data:`TURN`; returns how many were handled."""
    return up_to(TURN, handle_one, now)


def handle_one(now: datetime) -> bool:
    """Fire the most overdue duty, or put it aside. False when nothing is due."""
    try:
        fired = fire_next_duty(now=now)
    except Exception as error:
        problem_id = getattr(error, "problem_id", None)
        if problem_id is None or _is_database_away(error):
            raise
        with traces.about(problem_id=problem_id):
            logger.exception("the duty of problem %s cannot be fired", problem_id)
        reason = error.__cause__ or error
        quarantine_duty(problem_id=problem_id, reason=f"{type(reason).__name__}: {reason}", now=now)
        return True
    if fired is not None:
        traces.say(logger, "duty fired", problem_id=fired)
    return fired is not None


def _is_database_away(error: BaseException | None) -> bool:
    """Connection lost, deadlock, serialisation: the row is innocent."""
    while error is not None:
        if isinstance(error, (OperationalError, InterfaceError)):
            return True
        error = error.__cause__
    return False
