"""Writing what was read and what it set in motion. Every function runs in the caller's transaction."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from sentinel.inbound.errors import MailSettled, MailUnknown
from sentinel.inbound.models import Attachment, IncomingMail
from sentinel.inbound.reading.shapes import Reading
from sentinel.inbound.rules import STEP_BACK, back_off
from sentinel.inbound.sealing import seal, unseal
from sentinel.inbound.states import IncomingState, Outcome, ThreadKey
from sentinel.inbound.veiling import without_tokens

#: How far back a mail with the same Message-ID is the same mail.
_SAME_MAIL_WITHIN = timedelta(days=60)
_READ = (
    "kind", "reasons", "from_address", "from_name", "subject", "message_id", "words", "full_text",
    "language", "back_on", "read_at",
)  # fmt: skip
_DONE = (
    "state", "thread", "is_from_worker", "said", "outcome", "outcome_note", "account_id", "worker_id",
    "user_id", "check_in_id", "response_id", "problem_id", "last_error",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Links:
    """What a mail belongs to, as plain ids."""

    account_id: int | None = None
    worker_id: int | None = None
    user_id: int | None = None
    check_in_id: int | None = None
    response_id: int | None = None
    problem_id: int | None = None


def claim_mail(*, now: datetime) -> IncomingMail | None:
    """The mail that has waited longest and nobody else holds, its row locked until commit."""
    return (
        IncomingMail.objects.select_for_update(skip_locked=True)
        .filter(state=IncomingState.WAITING.value, next_at__lte=now)
        .order_by("next_at", "pk")
        .first()
    )


def lock_mail(mail_id: int) -> IncomingMail:
    """One mail, its row locked until commit. Raises MailUnknown."""
    found = IncomingMail.objects.select_for_update().filter(pk=mail_id).first()
    if found is None:
        raise MailUnknown
    return found


def raw_of(mail: IncomingMail) -> bytes:
    """The mail as it came; empty when its retention has passed. Raises CannotBeOpened."""
    return unseal(bytes(mail.raw), digest=mail.digest)


def put_reading(*, mail: IncomingMail, reading: Reading, now: datetime) -> None:
    """Put what was read into the row, in memory; :func:`settle_reading` writes it with the outcome.
    The worker's own links are not kept in it: others will read it."""
    mail.kind = reading.kind.value
    mail.reasons = [_line(reason, 300) for reason in (*reading.reasons, *reading.defects)][:50]
    mail.from_address = _line(reading.from_address, 320)
    mail.from_name = _line(reading.from_name, 200)
    mail.subject = _line(without_tokens(reading.subject), 500)
    mail.message_id = _line(reading.message_id, 300)
    mail.words = storable(without_tokens(reading.words))
    mail.full_text = storable(without_tokens(reading.full_text))
    mail.language = reading.language[:5]
    mail.back_on = reading.back_on
    mail.read_at = now


def _attachments(mail: IncomingMail, reading: Reading) -> list[Attachment]:
    rows = []
    for position, part in enumerate(reading.attachments):
        digest = hashlib.sha256(part.content).hexdigest()
        content = b"" if part.refused else part.content
        rows.append(
            Attachment(
                mail=mail,
                position=position,
                name=_line(part.name, 200),
                declared_type=_line(part.declared_type, 120),
                sniffed_type=_line(part.sniffed_type, 120),
                size=len(part.content),
                digest=digest,
                is_inline=part.is_inline,
                refused=_line(part.refused, 120),
                content=seal(content, digest=digest),
            )
        )
    return rows


def came_before(mail: IncomingMail) -> bool:
    """Whether the same mail came before through another door: same Message-ID, sender and words.

    Two engines that hold both copies at once wait for each other here.
    """
    if not mail.message_id:
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 20050304))", [mail.message_id])
    return (
        IncomingMail.objects.filter(
            message_id=mail.message_id,
            from_address=mail.from_address,
            kind=mail.kind,
            words=mail.words,
            state=IncomingState.DONE.value,
            received_at__gt=mail.received_at - _SAME_MAIL_WITHIN,
        )
        .exclude(pk=mail.pk)
        .exists()
    )


def settle_reading(
    *,
    mail: IncomingMail,
    reading: Reading,
    outcome: Outcome,
    links: Links,
    thread: ThreadKey,
    note: str = "",
    needs_person: bool = False,
    said: str = "",
    is_from_worker: bool | None = None,
) -> None:
    """Write what was read, the attachments (encrypted), and what the mail set in motion.
    ``needs_person``: it waits in front of a person."""
    mail.state = (IncomingState.PERSON if needs_person else IncomingState.DONE).value
    mail.thread = thread.value
    mail.is_from_worker = is_from_worker
    mail.said = said
    mail.outcome = outcome.value
    mail.outcome_note = _line(note, 500)
    mail.last_error = ""
    for name, value in vars(links).items():
        setattr(mail, name, value)
    mail.save(update_fields=[*_READ, *_DONE])
    if reading.attachments:
        Attachment.objects.bulk_create(_attachments(mail, reading))


def put_off(*, mail: IncomingMail, error: str, now: datetime) -> bool:
    """Handling this mail failed: again after a while, and after the last try a person looks at it.
    True when it waits for a person now."""
    mail.refresh_from_db(fields=["attempts", "state", "read_at"])
    mail.attempts += 1
    mail.last_error = storable(error)[:2000]
    wait = back_off(mail.attempts)
    if wait is None:
        mail.state = IncomingState.PERSON.value
        mail.read_at = mail.read_at or now
        mail.outcome = Outcome.FAILED.value
        mail.outcome_note = _line(f"It could not be handled: {error}", 500)
    else:
        mail.next_at = now + wait
    fields = ["attempts", "last_error", "state", "read_at", "outcome", "outcome_note", "next_at"]
    mail.save(update_fields=fields)
    return wait is None


def step_back(*, mail_id: int, error: str, now: datetime) -> None:
    """The database could not carry this mail: it waits behind the others. No try is counted, for the mail
    is not at fault."""
    waiting = IncomingMail.objects.filter(pk=mail_id, state=IncomingState.WAITING.value)
    waiting.update(next_at=now + STEP_BACK, last_error=storable(error)[:2000])


def settle_by_person(
    *,
    mail: IncomingMail,
    user_id: int,
    outcome: Outcome,
    note: str,
    now: datetime,
    problem_id: int | None = None,
    worker_id: int | None = None,
    account_id: int | None = None,
) -> None:
    """Somebody dealt with a mail that waited for a person. Raises MailSettled when it does not (any more)."""
    if mail.state != IncomingState.PERSON.value:
        raise MailSettled
    mail.state = IncomingState.DONE.value
    mail.outcome = outcome.value
    mail.outcome_note = _line(note, 500)
    mail.settled_by_id, mail.settled_at = user_id, now
    mail.problem_id = problem_id or mail.problem_id
    mail.worker_id = worker_id or mail.worker_id
    mail.account_id = account_id or mail.account_id
    fields = ["state", "outcome", "outcome_note", "settled_by_id", "settled_at"]
    mail.save(update_fields=[*fields, "problem_id", "worker_id", "account_id"])


def storable(text: str) -> str:
    """The text as PostgreSQL can hold it: strangers send bytes that are no text."""
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _line(text: str, limit: int) -> str:
    return storable(" ".join(text.split()))[:limit]
