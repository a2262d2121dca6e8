"""Muting notices to users for a test: they wait, visibly, and are told when it is over. Nothing is lost.

The console is never muted, nor are codes and tests that people send to themselves. The loop goes on all the
same: duties fire, rungs climb, the timeline says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from sentinel.kernel.errors import Conflict, Refused
from sentinel.outbox.bundling import BUNDLED_KIND, merge
from sentinel.outbox.messages import after_mute
from sentinel.outbox.models import Message, Mute
from sentinel.outbox.rules import FEWEST_TO_BUNDLE, LONGEST_MUTE, WAYS, Priority, State
from sentinel.outbox.services import WAKE_UP

SHORTEST = timedelta(minutes=1)

# What follows the best way keeps its distance, so that a notice does not come on all ways at once.
_HOLD = """
UPDATE outbox_message SET waits_for = 'mute', last_error = %(why)s,
       visible_at = %(until)s + make_interval(secs => COALESCE((payload->>'wait')::int, 0))
WHERE id IN (
    SELECT id FROM outbox_message
    WHERE state = 'pending' AND channel = %(channel)s AND visible_at <= %(now)s
      AND (recipient_kind = 'user' AND kind NOT LIKE 'contact.%%'
           OR recipient_kind = 'worker' AND %(workers)s)
    FOR UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True, kw_only=True)
class Muted:
    """One mute, as plain values."""

    started_at: datetime
    until: datetime
    reason: str
    by: str
    with_workers: bool


def _plain(mute: Mute) -> Muted:
    return Muted(**{name: getattr(mute, name) for name in Muted.__dataclass_fields__})


def current_mute(now: datetime) -> Muted | None:
    """The mute in force."""
    found = Mute.objects.filter(ended_at__isnull=True, started_at__lte=now, until__gt=now).first()
    return _plain(found) if found else None


def start_mute(*, length: timedelta, reason: str, by: str, with_workers: bool, now: datetime) -> Muted:
    """Mute notices to users from now on. Refused when it is too long, has no reason, or one is in force."""
    if not reason.strip():
        raise Refused("mute_reason", "Say why: everybody sees the reason while notices are muted.")
    if not SHORTEST <= length <= LONGEST_MUTE:
        raise Refused("mute_length", "A mute lasts between one minute and four hours.")
    with transaction.atomic():
        end_over_mutes(now=now)
        if Mute.objects.filter(ended_at__isnull=True).exists():
            raise Conflict("mute_in_force", "Notices are muted already.")
        return _plain(
            Mute.objects.create(
                started_at=now,
                until=now + length,
                reason=reason.strip()[:200],
                by=by,
                with_workers=with_workers,
            )
        )


def end_mute(*, by: str, now: datetime) -> Muted:
    """End the mute in force early; what waited goes now. Refused when there is none."""
    with transaction.atomic():
        mute = Mute.objects.select_for_update().filter(ended_at__isnull=True, until__gt=now).first()
        if mute is None:
            raise Conflict("mute_none", "Notices are not muted.")
        mute.ended_at, mute.ended_by = now, by
        mute.save(update_fields=["ended_at", "ended_by"])
        early = (mute.until - now).total_seconds()
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE outbox_message SET visible_at = GREATEST(visible_at - make_interval(secs => %s), %s)"
                " WHERE waits_for = 'mute' AND state = 'pending'",
                [early, now],
            )
            cursor.execute("SELECT pg_notify(%s, '')", [WAKE_UP])
        return _plain(mute)


def end_over_mutes(*, now: datetime) -> list[Muted]:
    """Mark mutes whose time is over as ended; returns the ones that ended with this call."""
    with transaction.atomic():
        over = list(
            Mute.objects.select_for_update(skip_locked=True).filter(ended_at__isnull=True, until__lte=now)
        )
        for mute in over:
            mute.ended_at = mute.until
            mute.save(update_fields=["ended_at"])
        return [_plain(mute) for mute in over]


def hold_muted(*, channel: str, now: datetime) -> int:
    """While notices are muted: put off what is due on a channel until the end. Returns how many."""
    mute = current_mute(now)
    if mute is None or channel not in WAYS:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            _HOLD,
            {
                "why": f"muted by {mute.by}: {mute.reason}",
                "until": mute.until,
                "now": now,
                "channel": channel,
                "workers": mute.with_workers,
            },
        )
        held: int = cursor.rowcount
    return held


def tell_after_mute(*, channel: str, now: datetime) -> None:
    """What waited for the end of a mute goes as one message per target, and alone when it is just one."""
    waited = _waited(channel, now)
    targets = list(waited.order_by("target").values_list("target", flat=True).distinct()[:200])
    for target in targets:
        with transaction.atomic():
            rows = list(
                waited.select_for_update(skip_locked=True).filter(target=target).order_by("priority", "id")
            )
            _tell_target(rows, now=now)


def _tell_target(rows: Sequence[Message], *, now: datetime) -> None:
    # What was tried before may have arrived; it keeps its own identity. Without a target (written before
    # there were any) nobody knows whether two are for the same person.
    notices = [row for row in rows if row.kind == BUNDLED_KIND and row.target and not row.attempts]
    if len(notices) < FEWEST_TO_BUNDLE:
        notices = []
    else:
        payload = notices[-1].payload
        reason = notices[0].last_error.partition(": ")[2]
        merged = merge(
            notices, now=now, opening=after_mute(str(payload.get("language", "en")), reason=reason)
        )
        Message.objects.filter(pk=merged.pk).update(
            held=False, released_at=now, priority=min(merged.priority, Priority.LADDER)
        )
    single = [row.pk for row in rows if row not in notices]
    Message.objects.filter(pk__in=single).update(waits_for="", last_error="")


def _waited(channel: str, now: datetime) -> QuerySet[Message]:
    return Message.objects.filter(
        Q(waits_for="mute"), state=State.PENDING.value, channel=channel, visible_at__lte=now
    )
