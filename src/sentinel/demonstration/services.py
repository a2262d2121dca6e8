"""Writing what only a demonstration has. Everything here refuses outside demonstration mode."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import default as default_policy

from django.conf import settings
from django.db import connection, transaction

from sentinel.demonstration.models import CaughtMail, ClockOffset, Demonstration
from sentinel.demonstration.selectors import forget_clock_offset
from sentinel.kernel.errors import Refused
from sentinel.timeline.services import About, Actor, record_event
from sentinel.timeline.verbs import ActorKind, Verb

#: PostgreSQL channel that tells the engine to read its clock again.
CLOCK_MOVED = "sentinel_clock"
#: The furthest one step may go; more than a year in one step is a slip of the finger.
FURTHEST = timedelta(days=366)


def refuse_outside_demonstration() -> None:
    """Raise :class:`Refused` unless this is a demonstration."""
    if not settings.DEMONSTRATION:
        raise Refused(
            "demonstration_only", "This exists in demonstration mode only (SENTINEL_DEMONSTRATION=true)."
        )


def advance_clock(*, by: timedelta, actor_name: str, now: datetime) -> datetime:
    """Move the demonstration's clock forward and wake the engine; returns the new now.

    Refuses outside demonstration mode, backwards, and more than a year in one step.
    """
    refuse_outside_demonstration()
    if by <= timedelta():
        raise Refused("clock_only_forward", "The clock can only go forward.")
    if by > FURTHEST:
        raise Refused("clock_too_far", "The clock can move by a year at most in one step.")
    with transaction.atomic():
        ClockOffset.objects.get_or_create(pk=1, defaults={"offset": timedelta()})
        row = ClockOffset.objects.select_for_update().get(pk=1)
        row.offset += by
        row.save(update_fields=["offset"])
        record_event(
            verb=Verb.CLOCK_ADVANCED,
            at=now,
            actor=Actor(kind=ActorKind.USER, name=actor_name),
            about=About(),
            data={"by_seconds": by.total_seconds(), "offset_seconds": row.offset.total_seconds()},
        )
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CLOCK_MOVED])
        transaction.on_commit(forget_clock_offset)
    return now + by


def set_clock_offset(*, offset: timedelta) -> None:
    """Put the clock where a freshly filled demonstration ends; no event, no wake-up."""
    refuse_outside_demonstration()
    ClockOffset.objects.update_or_create(pk=1, defaults={"offset": offset})
    forget_clock_offset()


def begin_filling(*, seed: int, present: datetime, real_now: datetime) -> None:
    """Mark the history as being played; until :func:`finish_filling` it counts as interrupted."""
    refuse_outside_demonstration()
    values = {"seed": seed, "present": present, "started_at": real_now, "filled_at": None}
    Demonstration.objects.update_or_create(pk=1, defaults=values)


def finish_filling(*, real_now: datetime) -> None:
    """The history is complete: the demonstration may be used."""
    refuse_outside_demonstration()
    Demonstration.objects.filter(pk=1).update(filled_at=real_now)


def catch_mail(*, sender: str, recipients: list[str], raw: bytes, now: datetime) -> int:
    """Keep a mail, once for each recipient. Returns how many were kept."""
    refuse_outside_demonstration()
    # Only the header: taking the body apart is the reader's work, and most mail is never read.
    mail = BytesHeaderParser(policy=default_policy).parsebytes(raw)
    rows = [
        CaughtMail(
            received_at=now,
            sender=sender[:320],
            recipient=recipient[:320],
            subject=_header(mail, "Subject", 500),
            message_id=_header(mail, "Message-ID", 320),
            kind=_header(mail, "X-Sentinel-Kind", 60),
            raw=raw,
        )
        for recipient in recipients
    ]
    return len(CaughtMail.objects.bulk_create(rows))


def _header(mail: Message, name: str, longest: int) -> str:
    # A NUL is the one character that PostgreSQL cannot keep.
    return str(mail.get(name, "")).replace("\0", "").strip()[:longest]
