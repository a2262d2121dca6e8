"""Writing problems: each function guards its transition and writes; workflows add duty, timeline, mail.

Every function expects the problem's row to be locked by the caller (see :func:`lock_problem`).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sentinel.accounts.models import Worker
from sentinel.checkins.models import Response
from sentinel.checkins.rules import Severity
from sentinel.kernel.errors import NotFound, Refused
from sentinel.people.models import User
from sentinel.problems.errors import EndRefused, TransitionRefused
from sentinel.problems.models import Call, Cause, Commitment, Confirmation, Problem, Proposal
from sentinel.problems.rules import (
    CallOutcome,
    EndFacts,
    EndReason,
    How,
    ProblemState,
    Verdict,
    may_change,
    why_not_end,
)


def lock_problem(problem_id: int) -> Problem:
    """The problem, its row locked until commit. Raises NotFound."""
    problem = (
        Problem.objects.select_for_update(of=("self",))
        .select_related("worker__site__calendar", "site__calendar", "account", "owner__calendar")
        .filter(pk=problem_id)
        .first()
    )
    if problem is None:
        raise NotFound("problem_unknown", "There is no such problem.")
    return problem


def change_state(problem: Problem, to: ProblemState) -> None:
    """Set the state when the table allows it; the caller saves. Raises TransitionRefused."""
    state = ProblemState(problem.state)
    if not may_change(state=state, to=to):
        raise TransitionRefused(state=state, to=to)
    problem.state = to.value


def create_problem(
    *, worker: Worker, response: Response | None, words: str, severity: Severity, owner: User, now: datetime
) -> Problem:
    """Insert the problem of one worker, where and how they reported it."""
    return Problem.objects.create(
        worker=worker,
        site=worker.site,
        account=worker.site.account,
        response=response,
        owner=owner,
        words=words,
        language=response.language if response else worker.spoken_language,
        severity=severity.value,
        may_call=response.may_call if response else True,
        call_number=(response.call_number if response else "") or worker.telephone,
        call_when=response.call_when if response else "",
        call_language=(response.call_language if response else "") or worker.spoken_language,
        opened_at=now,
    )


def store_call(
    *,
    problem: Problem,
    caller: User,
    outcome: CallOutcome,
    note: str,
    number: str,
    call_back_at: datetime | None,
    now: datetime,
) -> Call:
    """Insert a call with its outcome. ``call_back_at`` belongs to CALL_BACK and lies in the future."""
    if (outcome is CallOutcome.CALL_BACK) != (call_back_at is not None):
        raise Refused("call_back_time", "“Call back” needs the time the worker asked for.")
    if call_back_at is not None and call_back_at <= now:
        raise Refused("call_back_past", "The time to call back must be in the future.")
    return Call.objects.create(
        problem=problem,
        caller=caller,
        at=now,
        outcome=outcome.value,
        note=note.strip(),
        number=number,
        call_back_at=call_back_at,
    )


def store_commitment(
    *, problem: Problem, user: User, due_on: date, what: str, reason: str, today: date, now: datetime
) -> tuple[Commitment, Commitment | None]:
    """Insert a promise and supersede the one before. Returns (new, old). A move needs a reason."""
    if due_on < today:
        raise Refused("promise_past", "The promised date lies in the past.")
    if due_on > today + timedelta(days=366):
        raise Refused("promise_far", "A promise more than a year away is no promise.")
    old = current_commitment(problem)
    if old is not None:
        if not reason.strip():
            raise Refused("promise_move_reason", "Moving a promise needs a reason; the worker is told.")
        if old.due_on == due_on:
            raise Refused("promise_same", "That is the date that was promised already.")
        old.superseded_at = now
        old.save(update_fields=["superseded_at"])
    new = Commitment.objects.create(
        problem=problem,
        due_on=due_on,
        what=what.strip(),
        made_by=user,
        made_at=now,
        reason=reason.strip() if old else "",
    )
    return new, old


def current_commitment(problem: Problem) -> Commitment | None:
    """The promise that stands."""
    return Commitment.objects.filter(problem=problem, superseded_at__isnull=True).first()


def settle_commitment(*, problem: Problem, kept: bool, now: datetime) -> Commitment | None:
    """Mark the standing promise kept or missed, once. Returns it when it was not marked before."""
    standing = current_commitment(problem)
    if standing is None or standing.kept_at or standing.missed_at:
        return None
    field = "kept_at" if kept else "missed_at"
    setattr(standing, field, now)
    standing.save(update_fields=[field])
    return standing


def store_proposal(
    *, problem: Problem, user: User, what_was_done: str, root_cause: str, now: datetime
) -> Proposal:
    """Insert a proposal; both texts are required."""
    if not what_was_done.strip() or not root_cause.strip():
        raise Refused("proposal_incomplete", "Say what was done and what the root cause was.")
    return Proposal.objects.create(
        problem=problem,
        by=user,
        at=now,
        what_was_done=what_was_done.strip(),
        root_cause=root_cause.strip(),
        asks=1,
    )


def current_proposal(problem: Problem) -> Proposal | None:
    """The proposal that waits for the worker's verdict."""
    return Proposal.objects.filter(problem=problem, settled_at__isnull=True).first()


def store_confirmation(
    *,
    proposal: Proposal,
    verdict: Verdict,
    how: How,
    words: str,
    now: datetime,
    recorded_by: User | None = None,
    call: Call | None = None,
) -> Confirmation:
    """Insert the worker's verdict and settle the proposal."""
    proposal.settled_at = now
    proposal.next_ask_at = None
    proposal.save(update_fields=["settled_at", "next_ask_at"])
    return Confirmation.objects.create(
        proposal=proposal,
        verdict=verdict.value,
        how=how.value,
        words=words.strip(),
        at=now,
        recorded_by=recorded_by,
        call=call,
    )


def close_confirmed(*, problem: Problem, confirmation: Confirmation, now: datetime) -> None:
    """The worker said yes."""
    change_state(problem, ProblemState.CONFIRMED)
    problem.closing_confirmation = confirmation
    problem.closed_at = now
    problem.save()


def reopen(*, problem: Problem) -> None:
    """The worker said no, objected, or it came back: more attention, never a fresh start."""
    change_state(problem, ProblemState.REOPENED)
    problem.attention += 1
    problem.closing_confirmation = None
    problem.closed_at = None
    problem.ended_by = None
    problem.end_reason = ""
    problem.save()


def close_ended(
    *, problem: Problem, user: User, reason: EndReason, note: str, facts: EndFacts, now: datetime
) -> None:
    """End a problem without the worker's yes. Raises EndRefused listing what is missing."""
    missing = why_not_end(facts)
    if missing:
        raise EndRefused(missing)
    change_state(problem, ProblemState.ENDED)
    problem.ended_by = user
    problem.end_reason = reason.value
    problem.end_note = note.strip()
    problem.closed_at = now
    problem.save()
    Proposal.objects.filter(problem=problem, settled_at__isnull=True).update(settled_at=now, next_ask_at=None)


def create_cause(*, title: str, description: str, user: User, now: datetime) -> Cause:
    """Name a shared reason. Refused without a title."""
    if not title.strip():
        raise Refused("cause_title", "Give the cause a name.")
    return Cause.objects.create(
        title=title.strip()[:200], description=description.strip(), created_by=user, created_at=now
    )


def set_cause(*, problem: Problem, cause: Cause) -> Cause | None:
    """Say that the problem has this cause. Returns the one it had before."""
    before = problem.cause
    problem.cause = cause
    problem.save(update_fields=["cause"])
    return before
