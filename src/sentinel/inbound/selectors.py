"""Reading incoming mail. Who may see which is decided above, where users and accounts are known."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Min, Prefetch, Q, QuerySet

from sentinel.inbound.models import Attachment, IncomingMail
from sentinel.inbound.reading.shapes import Kind
from sentinel.inbound.states import IncomingState, Outcome, ThreadKey

_READ = (IncomingState.DONE.value, IncomingState.PERSON.value)


def all_incoming() -> QuerySet[IncomingMail]:
    """Every mail, the newest first, without the bytes it came as."""
    return IncomingMail.objects.defer("raw")


def waiting_for_person(rows: QuerySet[IncomingMail]) -> QuerySet[IncomingMail]:
    """Those that wait for a person, the oldest first."""
    return rows.filter(state=IncomingState.PERSON.value).order_by("pk")


def _files() -> Prefetch[str, QuerySet[Attachment], str]:
    """The attachments without their content, which can be large."""
    return Prefetch("attachments", queryset=Attachment.objects.defer("content").order_by("position"))


def incoming_of_problem(problem_id: int) -> QuerySet[IncomingMail]:
    """What came in about one problem, oldest first, with its attachments."""
    return all_incoming().filter(problem_id=problem_id).prefetch_related(_files()).order_by("pk")


def incoming_of_worker(worker_id: int) -> QuerySet[IncomingMail]:
    """What came in from or about one worker, newest first."""
    return all_incoming().filter(worker_id=worker_id)


def incoming_of_response(response_id: int) -> IncomingMail | None:
    """The mail an answer came by; None when it was given on the page."""
    return all_incoming().filter(response_id=response_id).prefetch_related(_files()).first()


def files_of(mail: IncomingMail) -> QuerySet[Attachment]:
    """The attachments of a mail in their order, without their content."""
    return mail.attachments.defer("content").order_by("position")


def soft_bounces_of(worker_id: int, *, since: datetime) -> int:
    """How many temporary failures came back for a worker since an instant."""
    return IncomingMail.objects.filter(
        worker_id=worker_id, outcome=Outcome.BOUNCED_SOFT.value, received_at__gte=since
    ).count()


def blocked_workers(*, since: datetime) -> list[int]:
    """Workers whose mail was reported as blocked since an instant."""
    rows = IncomingMail.objects.filter(
        outcome=Outcome.BLOCKED.value, received_at__gte=since, worker_id__isnull=False
    )
    ids = rows.order_by("worker_id").values_list("worker_id", flat=True).distinct()
    return [worker_id for worker_id in ids if worker_id is not None]


def unproven_of(worker_id: int, *, since: datetime) -> int:
    """How many mails since an instant nothing but their From address ties to a worker."""
    weak = (ThreadKey.SENDER.value, ThreadKey.REFERENCES.value)
    return IncomingMail.objects.filter(
        worker_id=worker_id, thread__in=weak, received_at__gte=since, state__in=_READ
    ).count()


def written_by(worker_id: int, *, since: datetime) -> int:
    """How many mails that a person seems to have written were read of a worker since an instant."""
    return IncomingMail.objects.filter(
        worker_id=worker_id, kind=Kind.HUMAN.value, received_at__gte=since, state__in=_READ
    ).count()


def next_waiting_at() -> datetime | None:
    """When the next kept mail is to be read; None when all are."""
    found: datetime | None = IncomingMail.objects.filter(state=IncomingState.WAITING.value).aggregate(
        at=Min("next_at")
    )["at"]
    return found


def count_waiting() -> tuple[int, int]:
    """How many mails wait to be read, and how many for a person."""
    rows = IncomingMail.objects.filter(
        Q(state=IncomingState.WAITING.value) | Q(state=IncomingState.PERSON.value)
    )
    waiting = rows.filter(state=IncomingState.WAITING.value).count()
    return waiting, rows.filter(state=IncomingState.PERSON.value).count()
