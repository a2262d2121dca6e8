"""Writing check-ins and responses. Every function runs in the transaction of whoever calls it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from django.db.models import Q

from sentinel.accounts.models import Worker
from sentinel.checkins.errors import CheckInUnknown, PleaseCheckSettled
from sentinel.checkins.messages import QUESTIONS
from sentinel.checkins.models import CheckIn, LinkVisit, PleaseCheck, Programme, Response
from sentinel.checkins.rules import (
    BURST,
    CheckInState,
    Evidence,
    Face,
    Plan,
    Press,
    ResponseKind,
    Severity,
    Verdict,
    Visit,
    WhyNot,
)
from sentinel.people.models import User
from sentinel.people.services import actor_of
from sentinel.timeline.services import About, record_event
from sentinel.timeline.verbs import Verb

#: Longer texts are cut; nobody types this much, and a page of it still says what is wrong.
TEXT_LIMIT = 10_000


def create_programme(
    *,
    name: str,
    provider_name: str,
    sender_address: str,
    now: datetime,
    questions: Mapping[str, str] = QUESTIONS,
    **columns: Any,
) -> Programme:
    """The programme with what Sentinel ships: the question in five languages, Tuesday to Thursday, nine
    to eleven. ``columns`` override. At most one programme is active."""
    defaults: dict[str, Any] = {
        "window_days": [1, 2, 3],
        "window_start": time(9),
        "window_end": time(11),
        "started_at": now,
    }
    return Programme.objects.create(
        name=name,
        provider_name=provider_name,
        sender_address=sender_address,
        questions=dict(questions),
        **(defaults | columns),
    )


def record_programme_change(
    *,
    programme_id: int,
    before: Mapping[str, object] | None,
    after: Mapping[str, object] | None,
    user: User | None,
    now: datetime,
) -> None:
    """Put a programme's change into the timeline, see :func:`describe_programme`; None: does not exist.
    ``user`` None: it was done at the shell."""
    record_event(
        verb=Verb.PROGRAMME_CHANGED,
        at=now,
        actor=actor_of(user),
        about=About(),
        data={"programme_id": programme_id, "before": before, "after": after},
    )


def plan_next_check_in(
    *, worker: Worker, programme: Programme, plan: Plan, about_problem_id: int | None, now: datetime
) -> CheckIn:
    """The worker's next check-in, not yet saved; see :func:`store_plans`."""
    return CheckIn(
        programme=programme,
        worker=worker,
        planned_for=plan.at,
        reason=plan.beat.value,
        language=worker.spoken_language,
        about_problem_id=about_problem_id,
        created_at=now,
    )


def store_plans(check_ins: Iterable[CheckIn]) -> int:
    """Insert planned check-ins; a worker who got one in the meantime keeps that one. Returns how many."""
    return len(CheckIn.objects.bulk_create(check_ins, ignore_conflicts=True))


def forget_plans(worker_ids: Collection[int]) -> int:
    """Drop planned check-ins whose reasons have changed, so that they are planned afresh."""
    stale = CheckIn.objects.select_for_update(skip_locked=True).filter(
        worker__in=worker_ids, state=CheckInState.PLANNED.value
    )
    return CheckIn.objects.filter(pk__in=[row.pk for row in stale]).delete()[0]


def mark_sent(check_in: CheckIn, *, now: datetime) -> None:
    """In memory; save with :func:`save_outcomes`."""
    check_in.state = CheckInState.SENT.value
    check_in.sent_at = now


def mark_skipped(check_in: CheckIn, *, reasons: Iterable[WhyNot]) -> None:
    """In memory; all reasons, the weightiest first, as far as the column goes."""
    check_in.state = CheckInState.SKIPPED.value
    check_in.reason = ",".join(reason.value for reason in reasons)[:60]


def save_outcomes(check_ins: Iterable[CheckIn]) -> None:
    """Write what became of due check-ins: one statement per outcome, not one case per row and column."""
    groups: dict[tuple[tuple[str, Any], ...], list[int]] = defaultdict(list)
    for check_in in check_ins:
        columns: dict[str, Any]
        if check_in.state == CheckInState.SENT.value:
            columns = {
                "sent_at": check_in.sent_at,
                "language": check_in.language,
                "about_problem_id": check_in.about_problem_id,
            }
        elif check_in.state == CheckInState.SKIPPED.value:
            columns = {"reason": check_in.reason}
        else:
            columns = {"planned_for": check_in.planned_for}
        groups[tuple({"state": check_in.state, **columns}.items())].append(check_in.pk)
    for outcome, ids in groups.items():
        CheckIn.objects.filter(pk__in=ids).update(**dict(outcome))


def mark_undelivered(
    check_in_ids: Collection[int], *, reasons: Iterable[WhyNot] = (WhyNot.NOT_DELIVERED,)
) -> int:
    """Check-ins that were launched and arrived nowhere: they count as never asked. Returns how many."""
    return CheckIn.objects.filter(pk__in=check_in_ids, state=CheckInState.SENT.value).update(
        state=CheckInState.SKIPPED.value,
        sent_at=None,
        reason=",".join(reason.value for reason in reasons)[:60],
    )


def mark_sent_after_all(check_in_ids: Collection[int], *, now: datetime) -> int:
    """Undelivered check-ins that are on their way again. Returns how many."""
    return CheckIn.objects.filter(
        pk__in=check_in_ids, state=CheckInState.SKIPPED.value, reason=WhyNot.NOT_DELIVERED.value
    ).update(state=CheckInState.SENT.value, sent_at=now, reason="retried")


def lock_check_in(check_in_id: int) -> CheckIn:
    """The check-in with its worker, locked: two presses of one mail are judged one after the other."""
    found = (
        CheckIn.objects.select_for_update(of=("self",))
        .select_related("programme", "worker__site__account__owner", "worker__site__calendar")
        .filter(pk=check_in_id)
        .first()
    )
    if found is None:
        raise CheckInUnknown
    return found


def record_visit(*, check_in_id: int, target: str, method: str, now: datetime) -> None:
    """Note that an answer link was opened (``happy``, ``frown``, ``honeypot``). It changes nothing else:
    visits only make a later press without words count less."""
    LinkVisit.objects.bulk_create(
        [
            LinkVisit(check_in_id=pk, at=now, method=method[:7], target=target[:8])
            for pk in CheckIn.objects.filter(pk=check_in_id).values_list("pk", flat=True)
        ]
    )


def visits_around(check_in: CheckIn, now: datetime) -> list[Visit]:
    """The openings of this check-in's links that are close enough to matter."""
    rows = LinkVisit.objects.filter(check_in=check_in, at__gte=now - BURST, at__lte=now + BURST)
    return [Visit(at=row.at, target=row.target) for row in rows]


def presses_around(check_in: CheckIn, now: datetime) -> list[Response]:
    """The earlier presses of this check-in that are close enough to matter, oldest first."""
    return list(
        Response.objects.filter(
            check_in=check_in, received_at__gte=now - BURST, received_at__lte=now
        ).order_by("pk")
    )


def as_press(response: Response) -> Press:
    """A stored press, as the rules look at it."""
    return Press(
        face=Face(response.face),
        at=response.received_at,
        has_text=bool(response.text),
        trusted_event="trusted event" in response.evidence_reasons,
        script_ran=response.evidence == Evidence.PROVISIONAL.value,
        plain_step_passed="plain step passed" in response.evidence_reasons,
    )


@dataclass(frozen=True, kw_only=True)
class NewResponse:
    """An answer to store; see :class:`~sentinel.checkins.models.Response` for the columns."""

    face: Face
    kind: ResponseKind
    text: str
    severity: Severity | None
    may_call: bool
    call_number: str
    call_when: str
    call_language: str
    language: str


def store_response(*, check_in: CheckIn, answer: NewResponse, verdict: Verdict, now: datetime) -> Response:
    """Insert an answer as it came. A verified one replaces what was unsure before it (:func:`supersede`)."""
    response = Response.objects.create(
        check_in=check_in,
        worker=check_in.worker,
        face=answer.face.value,
        kind=answer.kind.value,
        text=answer.text[:TEXT_LIMIT],
        severity=answer.severity.value if answer.severity else "",
        may_call=answer.may_call,
        call_number=answer.call_number.strip()[:32],
        call_when=answer.call_when.strip()[:200],
        call_language=answer.call_language[:5],
        language=answer.language[:5],
        evidence=verdict.evidence.value,
        evidence_reasons=list(verdict.reasons),
        received_at=now,
        verified_at=now if verdict.evidence is Evidence.VERIFIED else None,
    )
    if verdict.evidence is Evidence.VERIFIED:
        supersede(response, now=now)
    return response


def supersede(response: Response, *, now: datetime) -> None:
    """A human's answer overrides what was unsure, and a happy face given before; a frown that opened a
    problem stands, because nothing closes a problem but the worker's own "solved"."""
    earlier = Response.objects.filter(
        ~Q(evidence=Evidence.VERIFIED.value) | Q(face=Face.HAPPY.value, text=""),
        check_in=response.check_in_id,
        superseded_by__isnull=True,
        problem_id__isnull=True,
        pk__lt=response.pk,
    )
    ids = list(earlier.values_list("pk", flat=True))
    Response.objects.filter(pk__in=ids).update(superseded_by=response)
    PleaseCheck.objects.filter(response__in=ids, settled_at__isnull=True).update(
        settled_at=now, outcome="verified"
    )


def set_aside(response: Response, *, reason: str) -> None:
    """A robot's doing after all: the answer stays on record and no longer counts."""
    response.evidence = Evidence.ROBOT.value
    response.evidence_reasons = [*response.evidence_reasons, reason]
    response.save(update_fields=["evidence", "evidence_reasons"])


def raise_please_check(*, response: Response, now: datetime) -> PleaseCheck:
    """A quiet line for the owner about a frown nobody can vouch for."""
    return PleaseCheck.objects.create(response=response, raised_at=now)


def settle_please_check(
    *, check: PleaseCheck, outcome: str, user_id: int | None, note: str = "", now: datetime
) -> None:
    """``outcome``: problem, nothing or verified. Raises PleaseCheckSettled the second time."""
    if check.settled_at is not None:
        raise PleaseCheckSettled
    check.settled_at = now
    check.settled_by_id = user_id
    check.outcome = outcome
    check.note = note.strip()[:500]
    check.save(update_fields=["settled_at", "settled_by_id", "outcome", "note"])
