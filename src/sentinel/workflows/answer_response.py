"""Comments, suggestions and praise get an answer, too; a frown nobody can vouch for gets a look."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.accounts.selectors import calendar_of_site
from sentinel.checkins.messages import ResponseAnswerFacts, response_answer
from sentinel.checkins.models import PleaseCheck, Response
from sentinel.checkins.rules import ResponseKind, Severity
from sentinel.checkins.selectors import responses_visible_to
from sentinel.escalation.rules import worker_mail_at
from sentinel.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.problems.models import Problem
from sentinel.timeline.services import record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_worker, user_actor
from sentinel.workflows.letters import can_be_mailed, sender_for
from sentinel.workflows.open_problem import open_problem

_ACTING = (Role.OWNER, Role.MANAGER, Role.EXECUTIVE, Role.OFFICER)


def _locked_response(response_id: int, *, user: User, now: datetime) -> Response:
    found = (
        responses_visible_to(user, now)
        .filter(pk=response_id)
        .select_related("worker__site__account__owner", "worker__site__calendar")
        .select_for_update(of=("self",))
        .first()
    )
    if found is None:
        raise NotFound("response_unknown", "There is no such answer.")
    if not user.has_role(*_ACTING):
        raise NotAllowed("response_read_only", "Your role may read answers, but not act on them.")
    return found


def answer_response(*, response_id: int, user: User, text: str, now: datetime) -> None:
    """Mail an answer to a comment, a suggestion or praise, once."""
    with transaction.atomic():
        response = _locked_response(response_id, user=user, now=now)
        worker = response.worker
        if not text.strip():
            raise Refused("answer_empty", "Write the answer first.")
        if response.answered_at is not None:
            raise Conflict("already_answered", "This has been answered already.")
        if not can_be_mailed(worker):
            raise Refused("worker_unreachable", "This worker has no working e-mail address.")
        response.answered_at = now
        response.answered_by_id = user.pk
        response.answer = text.strip()
        response.save(update_fields=["answered_at", "answered_by_id", "answer"])
        _mail_answer(response, user=user, now=now)
        record_event(
            verb=Verb.RESPONSE_ANSWERED,
            at=now,
            actor=user_actor(user),
            about=about_worker(worker),
            data={"response": response.pk, "text": text.strip()},
        )


def _mail_answer(response: Response, *, user: User, now: datetime) -> None:
    worker = response.worker
    mail = response_answer(
        ResponseAnswerFacts(
            worker_id=worker.pk,
            worker_name=worker.name,
            language=worker.spoken_language,
            sender=sender_for(user),
            kind=ResponseKind(response.kind),
            words=response.text,
            words_language=response.language,
            received_at=response.received_at,
            zone=worker.site.zone,
            answer=response.answer,
            now=now,
        )
    )
    message = NewMessage(
        dedupe_key=f"response.answer:{response.pk}",
        channel="email",
        kind="response.answer",
        recipient_kind="worker",
        recipient_id=worker.pk,
        address=worker.email,
        priority=Priority.ANSWER,
        payload=dict(mail.payload()),
        due_at=worker_mail_at(calendar=calendar_of_site(worker.site), now=now),
        account_id=worker.site.account_id,
    )
    enqueue([message], now=now)


def settle_please_check(
    *, please_check_id: int, user: User, outcome: str, note: str = "", now: datetime
) -> Problem | None:
    """Settle a frown nobody can vouch for: ``problem`` opens one and starts its loop, ``nothing`` puts
    it aside. Returns the problem."""
    if outcome not in ("problem", "nothing"):
        raise Refused("please_check_outcome", "Choose whether there is a problem or nothing.")
    with transaction.atomic():
        check = PleaseCheck.objects.select_for_update().filter(pk=please_check_id).first()
        if check is None:
            raise NotFound("please_check_unknown", "There is no such entry.")
        response = _locked_response(check.response_id, user=user, now=now)
        if check.settled_at is not None:
            raise Conflict("please_check_settled", "Somebody has looked at this already.")
        problem: Problem | None = None
        if outcome == "problem":
            problem = open_problem(
                worker=response.worker,
                response=response,
                words=response.text or note.strip(),
                severity=Severity(response.severity or Severity.HINDERS.value),
                now=now,
                actor=user_actor(user),
            )
            response.problem_id = problem.pk
            response.save(update_fields=["problem_id"])
        check.settled_at = now
        check.settled_by_id = user.pk
        check.outcome = outcome
        check.note = note.strip()[:500]
        check.save(update_fields=["settled_at", "settled_by_id", "outcome", "note"])
        record_event(
            verb=Verb.PLEASE_CHECK_SETTLED,
            at=now,
            actor=user_actor(user),
            about=about_worker(response.worker),
            data={"outcome": outcome, "note": check.note, "problem": problem.pk if problem else None},
        )
        return problem
