"""A worker presses a face: the answer is judged, kept, and, when a human's, set to work at once."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from django.db import transaction

from sentinel.checkins.messages import sender_of
from sentinel.checkins.models import CheckIn, Response
from sentinel.checkins.rules import BURST, ByMail, Evidence, Face, Press, ResponseKind, Severity, judge
from sentinel.checkins.services import (
    TEXT_LIMIT,
    NewResponse,
    as_press,
    lock_check_in,
    presses_around,
    set_aside,
    store_response,
    visits_around,
)
from sentinel.escalation.messages import NewsFacts, news_notice
from sentinel.kernel import traces
from sentinel.outbox.services import enqueue
from sentinel.problems.models import Problem
from sentinel.problems.services import lock_problem
from sentinel.timeline.retrying import again_after_collision
from sentinel.timeline.services import ENGINE, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem, about_worker, worker_actor
from sentinel.workflows.open_problem import open_problem
from sentinel.workflows.scanner_habits import is_doubtful
from sentinel.workflows.telling import news
from sentinel.workflows.worker_words import join_words, update_call_wishes

logger = logging.getLogger(__name__)

_WHY_DOUBTED = "both faces were pressed within a minute, without words"
#: What makes an answer a human's whatever comes after it.
_PROOFS = frozenset({"plain step passed", "mail reply"})
_NEWS = (ResponseKind.COMMENT, ResponseKind.SUGGESTION, ResponseKind.PRAISE)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the worker's form says. A frown is always a problem; a happy face defaults to a comment when
    there is text, else to nothing."""

    face: Face
    kind: ResponseKind | None = None
    text: str = ""
    severity: Severity | None = None
    may_call: bool = True
    call_number: str = ""
    call_when: str = ""
    call_language: str = ""
    language: str = "en"


@dataclass(frozen=True, kw_only=True)
class Signals:
    """What the page could see of a human; see :class:`~sentinel.checkins.rules.Press`."""

    trusted_event: bool = False
    script_ran: bool = False
    plain_step_passed: bool = False
    by_mail: ByMail = ByMail.NO


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What became of it. ``offer_plain_step``: show the three words, one of which verifies the answer."""

    response_id: int
    evidence: Evidence
    offer_plain_step: bool
    problem_id: int | None
    kind: ResponseKind


@again_after_collision
def record_response(
    *, check_in_id: int, answer: Answer, signals: Signals, note: str = "", now: datetime
) -> Recorded:
    """Keep one answer and act on it, in one transaction.

    A verified frown opens a problem (or adds its words to the problem of this check-in) and alarms the
    owner; a verified happy answer with something to say is told to the owner; a provisional answer waits
    for evidence; a robot's is kept and counts for nothing. A later human answer overrides all of that.
    ``note`` (for the owner's notice): what came with the words, such as pictures. Raises CheckInUnknown.
    """
    answer = _settled(answer)
    with transaction.atomic():
        check_in = lock_check_in(check_in_id)
        recent = presses_around(check_in, now)
        again = _pressed_twice(answer, recent)
        if again is not None:
            return _recorded(again, offer_plain_step=False)
        verdict = judge(
            press=Press(
                face=answer.face,
                at=now,
                has_text=bool(answer.text),
                trusted_event=signals.trusted_event,
                script_ran=signals.script_ran,
                plain_step_passed=signals.plain_step_passed,
                by_mail=signals.by_mail,
            ),
            visits=visits_around(check_in, now),
            presses=[as_press(response) for response in recent],
            is_doubtful_here=is_doubtful(check_in, now),
        )
        response = store_response(check_in=check_in, answer=_columns(answer), verdict=verdict, now=now)
        if verdict.evidence is Evidence.ROBOT:
            _doubt_the_other_face(response, recent, now)
        if verdict.evidence is Evidence.VERIFIED:
            _act_on(response, check_in, note, now)
        return _recorded(response, offer_plain_step=verdict.offer_plain_step)


def _settled(answer: Answer) -> Answer:
    """The answer without contradictions: a problem is a frown, words need a kind, a bare face has none."""
    text = answer.text.strip()[:TEXT_LIMIT]
    if answer.face is Face.FROWN or answer.kind is ResponseKind.PROBLEM:
        return replace(answer, face=Face.FROWN, kind=ResponseKind.PROBLEM, text=text)
    spoken = answer.kind if answer.kind in _NEWS else ResponseKind.COMMENT
    return replace(answer, kind=spoken if text else ResponseKind.NOTHING, text=text)


def _columns(answer: Answer) -> NewResponse:
    return NewResponse(
        face=answer.face,
        kind=answer.kind or ResponseKind.NOTHING,
        text=answer.text,
        severity=answer.severity,
        may_call=answer.may_call,
        call_number=answer.call_number,
        call_when=answer.call_when,
        call_language=answer.call_language,
        language=answer.language,
    )


def _pressed_twice(answer: Answer, recent: list[Response]) -> Response | None:
    """A form sent twice by an impatient thumb is one answer, not two."""
    for response in reversed(recent):
        if response.evidence == Evidence.VERIFIED.value and response.superseded_by_id is None:
            same = (response.face, response.kind, response.text) == (answer.face, answer.kind, answer.text)
            return response if same and response.severity == (answer.severity or "") else None
    return None


def _doubt_the_other_face(response: Response, recent: list[Response], now: datetime) -> None:
    """A second bare press of the other face within a minute: neither was a human's.

    A problem that the first one opened stays open (nothing auto-closes), flagged for whoever calls.
    Words and the plain step are a human's whatever came after.
    """
    doubtful = [earlier for earlier in recent if _contradicts(response, earlier)]
    # All problems' rows before the first event: the stream is locked last, everywhere.
    ids = sorted({earlier.problem_id for earlier in doubtful if earlier.problem_id is not None})
    problems = {pk: lock_problem(pk) for pk in ids}
    for earlier in doubtful:
        problem = problems.get(earlier.problem_id or 0)
        had_counted = earlier.evidence == Evidence.VERIFIED.value
        if earlier.evidence != Evidence.ROBOT.value:
            set_aside(earlier, reason="both faces within a minute")
        if had_counted:  # a provisional one had set nothing in motion; its own row says enough
            record_event(
                verb=Verb.RESPONSE_SET_ASIDE,
                at=now,
                actor=ENGINE,
                about=about_problem(problem) if problem else about_worker(response.worker),
                data={"response": earlier.pk, "face": earlier.face, "why": _WHY_DOUBTED},
            )
        if problem and problem.is_open and not problem.suspected_automatic:
            problem.suspected_automatic = True
            problem.save(update_fields=["suspected_automatic"])
            record_event(
                verb=Verb.PROBLEM_SUSPECTED_AUTOMATIC,
                at=now,
                actor=worker_actor(response.worker),
                about=about_problem(problem),
                data={"why": _WHY_DOUBTED},
            )


def _contradicts(response: Response, earlier: Response) -> bool:
    is_near = response.received_at - earlier.received_at <= BURST
    is_proven = bool(earlier.text) or not _PROOFS.isdisjoint(earlier.evidence_reasons)
    return earlier.face != response.face and is_near and not is_proven and not response.text


def _act_on(response: Response, check_in: CheckIn, note: str, now: datetime) -> None:
    if response.face == Face.FROWN.value:
        response.problem_id = _problem_of(response, check_in, note, now).pk
        response.save(update_fields=["problem_id"])
        # Only what is committed is said; and from here on the request is about this problem.
        traces.follow(response.problem_id)
        said = partial(traces.say, logger, "frown recorded", problem_id=response.problem_id)
        transaction.on_commit(said)
        return
    worker = check_in.worker
    has_words = bool(response.text)
    record_event(
        verb=Verb.WORKER_COMMENTED if has_words else Verb.WORKER_ANSWERED_HAPPY,
        at=now,
        actor=worker_actor(worker),
        about=about_worker(worker),
        data={"response": response.pk, "kind": response.kind, "words": response.text},
    )
    if has_words:
        _tell_owner(response, check_in, note, now)


def _problem_of(response: Response, check_in: CheckIn, note: str, now: datetime) -> Problem:
    """Open the worker's problem, or add these words to the one this check-in has opened or asks about."""
    known = check_in.about_problem_id or (
        Response.objects.filter(check_in=check_in, problem_id__isnull=False, superseded_by__isnull=True)
        .order_by("pk")
        .values_list("problem_id", flat=True)
        .first()
    )
    problem = lock_problem(known) if known else None
    severity = Severity(response.severity or Severity.HINDERS.value)
    if problem is None or not problem.is_open:
        return open_problem(
            worker=check_in.worker,
            response=response,
            words=response.text,
            severity=severity,
            note=note,
            now=now,
        )
    if problem.suspected_automatic:
        problem.suspected_automatic = False
        problem.save(update_fields=["suspected_automatic"])
    join_words(problem=problem, words=response.text, note=note, now=now)
    update_call_wishes(
        problem_id=problem.pk,
        may_call=response.may_call,
        number=response.call_number or problem.call_number,
        when=response.call_when or problem.call_when,
        language=response.call_language or problem.call_language,
        now=now,
    )
    return problem


def _tell_owner(response: Response, check_in: CheckIn, note: str, now: datetime) -> None:
    worker = check_in.worker
    account, owner = worker.site.account, worker.site.account.owner
    notice = news_notice(
        NewsFacts(
            recipient_language=owner.language,
            sender=sender_of(programme=check_in.programme, person=owner),
            response_id=response.pk,
            kind=ResponseKind(response.kind),
            worker_name=worker.name,
            account_name=account.name,
            site_name=worker.site.name,
            words=response.text,
            words_language=response.language,
            now=now,
            note=note,
        )
    )
    messages = news(
        owner, key=f"news:{response.pk}", kind="problem.news", notice=notice, account_id=account.pk, now=now
    )
    enqueue(messages, now=now)


def _recorded(response: Response, *, offer_plain_step: bool) -> Recorded:
    return Recorded(
        response_id=response.pk,
        evidence=Evidence(response.evidence),
        offer_plain_step=offer_plain_step,
        problem_id=response.problem_id,
        kind=ResponseKind(response.kind),
    )
