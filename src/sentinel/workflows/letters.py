"""Mail to the worker about their own problem: facts in, outbox out. Runs in the caller's transaction."""

from __future__ import annotations

from datetime import datetime

from sentinel.accounts.models import Worker
from sentinel.accounts.rules import MailState, WorkerStatus
from sentinel.accounts.selectors import calendar_of_site
from sentinel.checkins.messages import sender_of
from sentinel.checkins.models import Programme
from sentinel.escalation.rules import worker_mail_at
from sentinel.kernel.errors import Refused
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people.models import User
from sentinel.problems.messages import Letterhead
from sentinel.problems.models import Problem
from sentinel.ui.drafts import draft_of
from sentinel.ui.mail import Mail, Sender


def sender_for(person: User) -> Sender:
    """The sender of mail in a user's name: the active programme's address, else the newest one's, because
    pausing a programme stops questions, not answers. Refused while there is no programme at all."""
    return sender_in(programme_of_mail(), person=person)


def programme_of_mail() -> Programme | None:
    """The programme that lends its address to mail about problems; None while there is none at all."""
    return Programme.objects.order_by("-is_active", "-pk").first()


def sender_in(programme: Programme | None, *, person: User) -> Sender:
    """As :func:`sender_for`, for whoever has read the programme already."""
    if programme is None:
        raise Refused("no_programme", "Set up a programme first: it says from which address mail is sent.")
    return sender_of(programme=programme, person=person)


def letterhead(problem: Problem, *, person: User, now: datetime) -> Letterhead:
    """What every mail about this problem needs, in the worker's language."""
    worker = problem.worker
    return Letterhead(
        problem_id=problem.pk,
        worker_id=worker.pk,
        worker_name=worker.name,
        language=worker.spoken_language,
        zone=problem.site.zone,
        sender=sender_for(person),
        words=problem.words,
        words_language=problem.language,
        reported_at=problem.opened_at,
        now=now,
    )


def can_be_mailed(worker: Worker) -> bool:
    """Whether mail in general reaches a worker: the address works and they still work there.

    Unsubscribing and pausing stop check-ins only: an open problem is still followed up.
    """
    return worker.mail_state == MailState.GOOD.value and worker.status == WorkerStatus.ACTIVE.value


def mail_reaches(problem: Problem) -> bool:
    """Whether mail about this problem reaches its worker.

    Somebody who reported it after the roster said they had left is apparently still there.
    """
    worker = problem.worker
    if worker.mail_state != MailState.GOOD.value:
        return False
    return worker.left_at is None or problem.opened_at > worker.left_at


def mail_worker(problem: Problem, *, kind: str, mail: Mail, key: str, now: datetime) -> bool:
    """Enqueue one mail to the problem's worker, outside their quiet hours. False when they have no
    working address (the caller then falls back to the telephone)."""
    worker = problem.worker
    if not mail_reaches(problem):
        return False
    enqueue(
        [
            NewMessage(
                dedupe_key=f"{kind}:{problem.pk}:{key}",
                channel="email",
                kind=kind,
                recipient_kind="worker",
                recipient_id=worker.pk,
                address=worker.email,
                priority=Priority.ANSWER,
                payload=draft_of(mail),
                due_at=worker_mail_at(calendar=calendar_of_site(problem.site), now=now),
                account_id=problem.account_id,
                problem_id=problem.pk,
            )
        ],
        now=now,
    )
    return True
