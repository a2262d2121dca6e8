"""A call and its outcome: reached, no answer, call back, wrong number. The outcome drives the loop."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.calls.models import PlacedCall
from sentinel.calls.selectors import is_to_be_told, newest_call
from sentinel.calls.services import settle_outcome
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind
from sentinel.escalation.services import climb_now
from sentinel.kernel.errors import Conflict
from sentinel.people.models import User
from sentinel.problems.messages import TriedFacts, tried_to_call
from sentinel.problems.models import Call, Problem
from sentinel.problems.rules import CallOutcome, ProblemState
from sentinel.problems.services import change_state, current_commitment, current_proposal, store_call
from sentinel.timeline.retrying import again_after_collision
from sentinel.timeline.services import record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem, lock_for_user, user_actor
from sentinel.workflows.duties import (
    duty_of,
    owe_answer,
    owe_call_again,
    owe_promise,
    owe_solution,
    who_answers_after,
)
from sentinel.workflows.letters import letterhead, mail_worker

#: After this many failed calls in a row each further one climbs the ladder at once.
PATIENT_FAILURES = 1
_NOT_YET_TALKED = (ProblemState.REPORTED, ProblemState.ACKNOWLEDGED, ProblemState.REOPENED)


@again_after_collision
def log_call(
    *,
    problem_id: int,
    user: User,
    outcome: CallOutcome,
    note: str = "",
    number: str = "",
    call_back_at: datetime | None = None,
    now: datetime,
) -> Call:
    """Log a call. Reached: the worker is owed a date next. Not reached: again after the retry delay, the
    worker is told that we tried, and from the second failure in a row the ladder climbs."""
    with transaction.atomic():
        problem = lock_for_user(problem_id=problem_id, user=user, now=now)
        if not problem.is_open:
            raise Conflict("problem_closed", "This problem is closed; no call is owed.")
        return log_outcome(
            problem,
            user=user,
            outcome=outcome,
            note=note,
            number=number,
            call_back_at=call_back_at,
            placed=_placed_call(problem, user),
            now=now,
        )


def log_outcome(
    problem: Problem,
    *,
    user: User,
    outcome: CallOutcome,
    note: str = "",
    number: str = "",
    call_back_at: datetime | None = None,
    placed: PlacedCall | None,
    now: datetime,
) -> Call:
    """The same for an open problem that is locked already; ``placed`` is the placed call it came of."""
    duty = duty_of(problem)
    call = store_call(
        problem=problem,
        caller=user,
        outcome=outcome,
        note=note,
        number=number or problem.call_number,
        call_back_at=call_back_at,
        now=now,
    )
    if placed is not None:
        settle_outcome(call=placed, outcome=call)
    accountable = who_answers_after(duty, actor=user)
    if outcome is CallOutcome.REACHED:
        following = _reached(problem, duty=duty, accountable=accountable, now=now)
    else:
        following = _missed(problem, duty=duty, call=call, accountable=accountable, now=now)
    record_event(
        verb=Verb.CALL_LOGGED,
        at=now,
        actor=user_actor(user),
        about=about_problem(problem),
        data={
            "outcome": outcome.value,
            "note": call.note,
            "next": following.kind,
            "due_at": following.due_at.isoformat(),
        },
    )
    return call


def _placed_call(problem: Problem, user: User) -> PlacedCall | None:
    """The placed call whose outcome the user tells: the last one they asked for, if they may have talked."""
    placed = newest_call(problem.pk, user.pk)
    if placed is None or placed.outcome_id is not None:
        return None
    return placed if placed.is_going_on or is_to_be_told(placed) else None


def _reached(problem: Problem, *, duty: Duty, accountable: User, now: datetime) -> Duty:
    problem.contacted_at = problem.contacted_at or now
    problem.acknowledged_at = problem.acknowledged_at or now
    standing = current_commitment(problem)
    is_promised = standing is not None and standing.missed_at is None and standing.kept_at is None
    if ProblemState(problem.state) is ProblemState.REOPENED and is_promised:
        change_state(problem, ProblemState.COMMITTED)  # the date the worker was told still stands
    elif ProblemState(problem.state) in _NOT_YET_TALKED:
        change_state(problem, ProblemState.IN_CONTACT)
    problem.save(update_fields=["state", "contacted_at", "acknowledged_at"])
    proposal = current_proposal(problem)
    if proposal is not None:
        return owe_answer(problem, accountable=accountable, proposal=proposal, now=now)
    if ProblemState(problem.state) is ProblemState.COMMITTED and standing is not None:
        if duty.kind == DutyKind.SOLVE.value:
            return duty  # an extra call changes nothing about the promise that stands
        # This call was owed in between (asked for, or after a "not yet"); now the promise is owed again.
        return owe_solution(problem, accountable=accountable, due_on=standing.due_on, now=now)
    return owe_promise(problem, accountable=accountable, now=now)


def _missed(problem: Problem, *, duty: Duty, call: Call, accountable: User, now: datetime) -> Duty:
    if duty.kind == DutyKind.SOLVE.value:
        return duty
    if ProblemState(problem.state) is ProblemState.REPORTED:
        # Somebody who dials has taken it.
        change_state(problem, ProblemState.ACKNOWLEDGED)
        problem.acknowledged_at = now
        problem.save(update_fields=["state", "acknowledged_at"])
    following = owe_call_again(problem, duty=duty, accountable=accountable, at=call.call_back_at, now=now)
    if call.call_back_at is None:
        mail = tried_to_call(
            TriedFacts(
                head=letterhead(problem, person=accountable, now=now),
                at=now,
                number=call.number,
                again_at=following.due_at,
            )
        )
        mail_worker(problem, kind="problem.tried_to_call", mail=mail, key=str(call.pk), now=now)
        if following.failed_calls > PATIENT_FAILURES:
            climb_now(duty=following, now=now)
    return following
