"""A promised date: told to the worker, owed until it is proposed as solved; moving it needs a reason."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from sentinel.accounts.selectors import calendar_of_site
from sentinel.escalation.rules import suggested_date
from sentinel.escalation.selectors import heat_of, policy_of
from sentinel.people.models import User
from sentinel.people.selectors import calendar_of
from sentinel.problems.messages import PromiseFacts, PromiseMovedFacts, promise, promise_moved
from sentinel.problems.models import Commitment, Problem
from sentinel.problems.rules import ProblemState
from sentinel.problems.services import change_state, store_commitment
from sentinel.timeline.services import record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem, lock_for_user, user_actor
from sentinel.workflows.duties import duty_of, owe_solution, who_answers_after
from sentinel.workflows.letters import letterhead, mail_worker


def make_commitment(
    *, problem_id: int, user: User, due_on: date, what: str = "", reason: str = "", now: datetime
) -> Commitment:
    """Promise the worker a date (of the worker's site), or move the promise with a reason."""
    with transaction.atomic():
        problem = lock_for_user(problem_id=problem_id, user=user, now=now)
        change_state(problem, ProblemState.COMMITTED)
        problem.save(update_fields=["state"])
        today = calendar_of_site(problem.site).localdate(now)
        new, old = store_commitment(
            problem=problem, user=user, due_on=due_on, what=what, reason=reason, today=today, now=now
        )
        accountable = who_answers_after(duty_of(problem), actor=user)
        duty = owe_solution(problem, accountable=accountable, due_on=due_on, now=now)
        record_event(
            verb=Verb.COMMITMENT_MOVED if old else Verb.COMMITMENT_MADE,
            at=now,
            actor=user_actor(user),
            about=about_problem(problem),
            data={
                "due_on": due_on.isoformat(),
                "what": new.what,
                "reason": new.reason,
                "before": old.due_on.isoformat() if old else "",
                "due_at": duty.due_at.isoformat(),
            },
        )
        _tell_worker(problem, new=new, old=old, user=user, now=now)
        return new


def _tell_worker(
    problem: Problem, *, new: Commitment, old: Commitment | None, user: User, now: datetime
) -> None:
    head = letterhead(problem, person=user, now=now)
    if old is None:
        mail = promise(PromiseFacts(head=head, due_on=new.due_on, what=new.what))
        kind = "problem.promise"
    else:
        mail = promise_moved(
            PromiseMovedFacts(
                head=head, due_on=new.due_on, previous_due_on=old.due_on, reason=new.reason, what=new.what
            )
        )
        kind = "problem.promise_moved"
    mail_worker(problem, kind=kind, mail=mail, key=str(new.pk), now=now)


def suggest_date(problem: Problem, *, user: User, now: datetime) -> date:
    """The date the promise form starts with: the policy's default solution time."""
    return suggested_date(
        policy=policy_of(problem), heat=heat_of(problem), calendar=calendar_of(user), now=now
    )
