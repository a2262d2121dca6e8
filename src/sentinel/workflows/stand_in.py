"""When somebody is away, their stand-in answers for what they owe: at once, not only at the next rung."""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction

from sentinel.escalation.messages import Reason
from sentinel.escalation.models import Duty
from sentinel.escalation.people_messages import away_words
from sentinel.escalation.selectors import accountable_for
from sentinel.people.selectors import absences_at
from sentinel.problems.models import Problem
from sentinel.problems.services import lock_problem
from sentinel.timeline.services import ENGINE, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem
from sentinel.workflows.duties import duty_of, give_duty
from sentinel.workflows.notices import News, tell_users

logger = logging.getLogger(__name__)


def move_duties_of_absent(*, now: datetime, limit: int) -> int:
    """Give the duties of everybody who is away to whoever stands in; returns how many moved.

    A duty that nobody can take stays where it is: somebody must be accountable, and its ladder climbs. So
    does one that cannot be moved for an error; the others move all the same.
    """
    away = {absence.user_id for absence in absences_at(now)}
    owed = Duty.objects.filter(accountable__in=away, quarantined_at__isnull=True).order_by("due_at")
    moved = 0
    for problem_id in list(owed.values_list("problem_id", flat=True)[:limit]):
        try:
            with transaction.atomic():
                moved += _move(lock_problem(problem_id), now=now)
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            logger.exception("the duty of problem %s cannot be given to a stand-in", problem_id)
    return moved


def _move(problem: Problem, *, now: datetime) -> bool:
    if not problem.is_open:
        return False
    duty = duty_of(problem)
    away = duty.accountable
    to = accountable_for(owner=away, account=problem.account, now=now)
    if to.pk == away.pk:
        return False
    give_duty(problem, duty=duty, to=to, now=now)
    event = record_event(
        verb=Verb.DUTY_TAKEN_OVER,
        at=now,
        actor=ENGINE,
        about=about_problem(problem, user=to),
        data={"from": str(away), "to": str(to), "why": "absent"},
    )
    tell_users(
        problem,
        users=(to,),
        duty=duty,
        news=News(
            reason=Reason.TAKEN_OVER,
            key=f"event:{event.pk}",
            note=away_words(str(away), to.language),
            rung=duty.rung,
        ),
        now=now,
    )
    return True
