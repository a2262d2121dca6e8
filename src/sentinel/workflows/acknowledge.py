"""A user takes a problem: it quiets the ladder until the next duty is due, it never stops the loop (L5)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind
from sentinel.kernel.errors import Conflict
from sentinel.people.models import User
from sentinel.problems.models import Problem
from sentinel.problems.rules import ProblemState
from sentinel.problems.services import change_state
from sentinel.timeline.retrying import again_after_collision
from sentinel.timeline.services import record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem, lock_for_user, user_actor
from sentinel.workflows.duties import duty_of, owe_call, owe_promise, who_answers_after


@again_after_collision
def acknowledge(*, problem_id: int, user: User, now: datetime) -> Duty:
    """The user has it and owes the call next (or a promise in writing, when the worker wants no call)."""
    with transaction.atomic():
        problem = lock_for_user(problem_id=problem_id, user=user, now=now)
        duty = duty_of(problem) if problem.is_open else None
        if duty is None or duty.kind != DutyKind.ACKNOWLEDGE.value:
            raise Conflict("already_acknowledged", "Somebody has taken this problem already.")
        return take(problem, duty=duty, user=user, now=now)


def take(problem: Problem, *, duty: Duty, user: User, now: datetime) -> Duty:
    """The user takes a problem nobody has taken yet; it is locked. Returns the next duty."""
    change_state(problem, ProblemState.ACKNOWLEDGED)
    problem.acknowledged_at = now
    problem.save(update_fields=["state", "acknowledged_at"])
    accountable = who_answers_after(duty, actor=user)
    following = owe_call if problem.may_call else owe_promise
    duty = following(problem, accountable=accountable, now=now)
    record_event(
        verb=Verb.PROBLEM_ACKNOWLEDGED,
        at=now,
        actor=user_actor(user),
        about=about_problem(problem),
        data={"next": duty.kind, "accountable": str(accountable), "due_at": duty.due_at.isoformat()},
    )
    return duty
