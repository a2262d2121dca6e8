"""A duty that cannot be fired is put aside alone, and people are told: a stuck loop is never silent."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.escalation.services import quarantine_duty as put_aside
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.people.selectors import active_users_with_role
from sentinel.problems.models import Problem
from sentinel.problems.services import lock_problem
from sentinel.timeline.services import ENGINE, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem
from sentinel.workflows.telling import console_notice


def quarantine_duty(*, problem_id: int, reason: str, now: datetime) -> bool:
    """Put a duty aside with the reason. True when it was put aside now.

    The problem stays open and keeps its duty and its accountable user (L1); it waits for the next hourly
    retry. Its manager and every administrator hear of it once a day for as long as it lasts (L4).
    """
    with transaction.atomic():
        problem = lock_problem(problem_id)
        if not put_aside(problem_id=problem_id, reason=reason, now=now):
            return False
        told = enqueue(
            [_notice(problem, user=user, reason=reason, now=now) for user in _who_hears(problem)], now=now
        )
        if told:
            record_event(
                verb=Verb.DUTY_QUARANTINED,
                at=now,
                actor=ENGINE,
                about=about_problem(problem),
                data={"reason": reason[:500]},
            )
        return True


def _who_hears(problem: Problem) -> list[User]:
    """The account's manager (else the owner) and the administrators, each once."""
    first = problem.account.manager or problem.owner
    found = {user.pk: user for user in (first, *active_users_with_role(Role.ADMINISTRATOR))}
    return list(found.values())


def _notice(problem: Problem, *, user: User, reason: str, now: datetime) -> NewMessage:
    return console_notice(
        user,
        key=f"quarantine:{problem.pk}:{now:%Y%m%d}",
        kind="duty.quarantined",
        priority=Priority.LADDER,
        title=f"The loop of problem {problem.pk} is stuck",
        text=f"{problem.worker.name}, {problem.account.name}: nobody is reminded until this is "
        f"repaired. Sentinel tries again every hour. Reason: {reason[:300]}",
        path=f"/problems/{problem.pk}/",
        account_id=problem.account_id,
        problem_id=problem.pk,
    )
