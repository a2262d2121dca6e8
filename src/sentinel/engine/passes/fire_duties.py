"""Fires duties whose time has come, most overdue first, together in one transaction.

A duty that cannot be fired is put aside alone, visibly, and tried again after an hour; the others of its
batch fire all the same. A database that is away is nobody's fault and quarantines nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from django.db import InterfaceError, OperationalError

from sentinel.engine.turns import up_to
from sentinel.kernel import traces
from sentinel.workflows.fire_due_duties import fire_due_duties
from sentinel.workflows.fire_duty import fire_alone, fire_next_duty
from sentinel.workflows.quarantine_duty import quarantine_duty

logger = logging.getLogger(__name__)

#: So many in one turn; then the other passes have theirs. Nobody waits long for a row that fires with others.
TURN = 200


def run(now: datetime) -> int:
    """Fire what is due, at most :data:`TURN`; returns how many were handled."""
    try:
        batch = fire_due_duties(now=now, most=TURN)
    except Exception as error:
        if _is_database_away(error):
            raise
        # One of them breaks the writing of all. Alone, each is innocent or found out.
        logger.exception("duties cannot be fired together; this turn they fire one by one")
        return up_to(TURN, handle_one, now)
    for problem_id in batch.fired:
        traces.say(logger, "duty fired", problem_id=problem_id)
    for problem_id in batch.apart:
        _or_put_aside(partial(fire_alone, problem_id=problem_id, now=now), now)
    return len(batch.fired) + len(batch.apart)


def handle_one(now: datetime) -> bool:
    """Fire the most overdue duty alone, or put it aside. False when nothing is due."""
    return _or_put_aside(partial(fire_next_duty, now=now), now)


def _or_put_aside(fire: Callable[[], int | None], now: datetime) -> bool:
    """Whether there was a duty to fire; one that cannot be fired is put aside."""
    try:
        fired = fire()
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
