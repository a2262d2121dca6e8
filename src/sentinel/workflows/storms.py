"""Acting on many problems at once. Each keeps its own loop: every act is the one act, once per problem.

Nothing closes in bulk (L6): a solution is proposed to each worker, and each of them answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from sentinel.kernel.errors import Conflict, NotFound, Refused
from sentinel.people.models import User
from sentinel.problems.models import Cause, Problem
from sentinel.problems.rules import ProblemState
from sentinel.problems.selectors import open_causes, problems_of_cause, problems_visible_to
from sentinel.problems.services import create_cause, set_cause
from sentinel.timeline.services import record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.acting import about_problem, lock_for_user, user_actor
from sentinel.workflows.make_commitment import make_commitment
from sentinel.workflows.propose_solution import propose_solution


@dataclass(frozen=True, kw_only=True)
class Missed:
    """A problem on which the act did not work, and why, in plain words."""

    problem_id: int
    worker_name: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Bulk:
    """What came of an act on many: on how many it worked, and on which it did not."""

    done: int
    missed: tuple[Missed, ...] = ()


def acknowledge_all(*, problem_ids: Iterable[int], user: User, now: datetime) -> Bulk:
    """Take all of them; whoever has taken one already keeps it."""
    return _each(
        problem_ids,
        lambda pk: acknowledge(problem_id=pk, user=user, now=now),
        user=user,
        now=now,
    )


def share_cause(
    *,
    problem_ids: Sequence[int],
    user: User,
    cause_id: int | None = None,
    title: str = "",
    description: str = "",
    now: datetime,
) -> tuple[Cause, Bulk]:
    """Say that these problems have one cause: an open one, or a new one with a title. Nobody is told; each
    worker keeps their own problem."""
    if not problem_ids:
        raise Refused("cause_nothing", "Choose at least one problem.")
    if cause_id is None:
        cause = create_cause(title=title, description=description, user=user, now=now)
    else:
        known = open_causes(user, now).filter(pk=cause_id).first()
        if known is None:
            raise NotFound("cause_unknown", "There is no such cause.")
        cause = known
    return cause, _each(
        problem_ids, lambda pk: _set_cause(pk, cause=cause, user=user, now=now), user=user, now=now
    )


def _set_cause(problem_id: int, *, cause: Cause, user: User, now: datetime) -> None:
    with transaction.atomic():
        problem = lock_for_user(problem_id=problem_id, user=user, now=now)
        if not problem.is_open:
            raise Conflict("problem_closed", "This problem is closed.")
        before = set_cause(problem=problem, cause=cause)
        if before != cause:
            record_event(
                verb=Verb.PROBLEM_CAUSE_SET,
                at=now,
                actor=user_actor(user),
                about=about_problem(problem),
                data={"cause": cause.pk, "what": cause.title, "before": before.title if before else ""},
            )


def promise_all(
    *, problem_ids: Iterable[int], user: User, due_on: date, what: str = "", reason: str = "", now: datetime
) -> Bulk:
    """Promise every worker the same date; each of them is told. Whom nobody has talked with yet is missed."""
    return _each(
        problem_ids,
        lambda pk: make_commitment(
            problem_id=pk, user=user, due_on=due_on, what=what, reason=reason, now=now
        ),
        user=user,
        now=now,
    )


def propose_for_cause(
    *,
    cause: Cause,
    problem_ids: Sequence[int],
    user: User,
    what_was_done: str,
    root_cause: str,
    now: datetime,
) -> Bulk:
    """Propose that the cause is gone to the workers of these problems, and to nobody else: each is asked for
    themselves. A problem that is not of this cause (any more) is missed."""
    if not problem_ids:
        raise Refused("cause_nothing", "Choose at least one problem.")
    if not what_was_done.strip() or not root_cause.strip():
        raise Refused("proposal_incomplete", "Say what was done and what the root cause was.")
    of_it = set(problems_of_cause(cause, user, now).filter(pk__in=problem_ids).values_list("pk", flat=True))

    def ask(pk: int) -> None:
        if pk not in of_it:
            raise Conflict("cause_other", "This problem does not belong to the cause.")
        propose_solution(
            problem_id=pk, user=user, what_was_done=what_was_done, root_cause=root_cause, now=now
        )

    return _each(problem_ids, ask, user=user, now=now)


def _why(refused: Refused) -> str:
    if refused.details.get("state") in (ProblemState.REPORTED.value, ProblemState.ACKNOWLEDGED.value):
        return "Nobody has talked with them yet: call first."
    return refused.message


def _each(problem_ids: Iterable[int], act: Callable[[int], object], *, user: User, now: datetime) -> Bulk:
    """Do it once per problem, each in a transaction of its own: one refusal stops no other."""
    ids = sorted(set(problem_ids))
    done, missed = 0, []
    for pk in ids:
        try:
            act(pk)
        except Refused as refused:
            missed.append((pk, _why(refused)))
        else:
            done += 1
    rows = problems_visible_to(user, now).filter(pk__in=[pk for pk, _ in missed])
    names: dict[int, Problem] = {row.pk: row for row in rows}
    return Bulk(
        done=done,
        missed=tuple(
            Missed(problem_id=pk, worker_name=names[pk].worker.name, why=why)
            for pk, why in missed
            if pk in names
        ),
    )
