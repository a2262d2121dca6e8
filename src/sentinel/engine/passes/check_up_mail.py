"""Does the examinations of sending domains that somebody asked for on the screen; the doctor examines."""

from __future__ import annotations

import logging
from datetime import datetime

from sentinel.channels.email.doctor.examination import examine
from sentinel.standing.selectors import waiting_check_ups
from sentinel.standing.services import finish_check_up

logger = logging.getLogger(__name__)


def run(now: datetime) -> int:
    """Everything that waits; returns how many. Each takes up to the doctor's time limit, outside of any
    transaction, hence the engine gives this pass a thread of its own."""
    done = 0
    while handle_one(now):
        done += 1
    return done


def handle_one(now: datetime) -> bool:
    """The one that waits longest. False when nothing does."""
    waiting = waiting_check_ups().first()
    if waiting is None:
        return False
    findings, error = [], ""
    try:
        findings = [finding.as_dict() for finding in examine(waiting.domain, now=now)]
    except Exception as failure:
        # Whatever it is: somebody looks at the screen and waits for a word.
        logger.exception("the examination of %s failed", waiting.domain)
        error = str(failure) or type(failure).__name__
    finish_check_up(check_up_id=waiting.pk, findings=findings, error=error, now=now)
    return True
