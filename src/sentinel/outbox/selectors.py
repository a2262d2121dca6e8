"""Reading the outbox, as plain values; its models stay inside the package."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Count, Min, Q, QuerySet

from sentinel.outbox.models import Message
from sentinel.outbox.rules import LIVE, Priority, State


@dataclass(frozen=True, kw_only=True)
class MessageView:
    """One message for people to look at."""

    id: int
    dedupe_key: str
    channel: str
    kind: str
    recipient_kind: str
    recipient_id: int
    address: str
    state: str
    attempts: int
    message_id: str
    bundle_id: int | None
    created_at: datetime
    first_due_at: datetime
    visible_at: datetime
    settled_at: datetime | None
    read_at: datetime | None
    last_error: str
    payload: dict[str, Any]
    problem_id: int | None
    account_id: int | None
    waits_for: str = ""


def _views(rows: QuerySet[Message]) -> list[MessageView]:
    return [
        MessageView(**{name: getattr(row, name) for name in MessageView.__dataclass_fields__}) for row in rows
    ]


def notices_of_user(user_id: int, *, limit: int = 50) -> list[MessageView]:
    """Console notices of a user, newest first."""
    rows = Message.objects.filter(
        recipient_kind="user", recipient_id=user_id, channel="console", state=State.ACCEPTED.value
    )
    return _views(rows.order_by("-id")[:limit])


def unread_notices(user_id: int, *, since: datetime | None, limit: int) -> list[MessageView]:
    """Console notices decided since ``since`` that the user has not read; newest first."""
    rows = Message.objects.filter(
        recipient_kind="user", recipient_id=user_id, channel="console", read_at__isnull=True
    ).exclude(state=State.CANCELLED.value)
    if since is not None:
        rows = rows.filter(created_at__gte=since)
    return _views(rows.order_by("-id")[:limit])


def count_unread_notices(user_id: int) -> int:
    """How many console notices the user has not read."""
    return Message.objects.filter(
        recipient_kind="user",
        recipient_id=user_id,
        channel="console",
        state=State.ACCEPTED.value,
        read_at__isnull=True,
    ).count()


def was_withdrawn(key: str) -> bool:
    """Whether the message of that name was taken back before anybody took it to send it."""
    return Message.objects.filter(dedupe_key=key, state=State.CANCELLED.value, attempts=0).exists()


def messages_about_problem(problem_id: int) -> list[MessageView]:
    """Every message a problem caused, oldest first."""
    return _views(Message.objects.filter(problem_id=problem_id).order_by("id"))


def messages_to(*, recipient_kind: str, recipient_id: int, kind: str | None = None) -> list[MessageView]:
    """Every message to one recipient, oldest first."""
    rows = Message.objects.filter(recipient_kind=recipient_kind, recipient_id=recipient_id)
    if kind is not None:
        rows = rows.filter(kind=kind)
    return _views(rows.order_by("id"))


def newest_to(*, recipient_kind: str, recipient_id: int, limit: int) -> list[MessageView]:
    """The newest messages to one recipient, newest first."""
    rows = Message.objects.filter(recipient_kind=recipient_kind, recipient_id=recipient_id)
    return _views(rows.order_by("-id")[:limit])


def told_in(message_id: int) -> list[MessageView]:
    """The messages for which this one stands, oldest first; none for one that stands for itself."""
    return _views(Message.objects.filter(bundle_id=message_id).order_by("id"))


def message_by_key(dedupe_key: str) -> MessageView | None:
    """The message with this key, if it was enqueued."""
    found = _views(Message.objects.filter(dedupe_key=dedupe_key))
    return found[0] if found else None


def message_for(message_id: int) -> MessageView | None:
    """The message with this row id, e.g. from the address that a reply came to."""
    found = _views(Message.objects.filter(pk=message_id))
    return found[0] if found else None


def message_by_header(message_id: str) -> MessageView | None:
    """The message whose mail carried this Message-ID, as replies name it in In-Reply-To and References."""
    name = message_id.strip().strip("<>").lower().rpartition("@")[0].replace("\0", "")
    found = _views(Message.objects.filter(message_id=name)) if name else []
    return found[0] if found else None


def count_mail_since(
    *, recipient_kind: str, recipient_id: int, since: datetime, kind_prefix: str = ""
) -> int:
    """E-mails enqueued for a recipient since an instant and not taken back (fatigue rules)."""
    return Message.objects.filter(
        ~Q(state=State.CANCELLED.value),
        recipient_kind=recipient_kind,
        recipient_id=recipient_id,
        channel="email",
        kind__startswith=kind_prefix,
        first_due_at__gte=since,
    ).count()


def was_mailed_since(*, recipient_kind: str, recipient_id: int, since: datetime) -> bool:
    """Whether a mail server took an e-mail for a recipient since an instant."""
    return Message.objects.filter(
        state__in=[State.ACCEPTED.value, State.DELIVERED.value],
        recipient_kind=recipient_kind,
        recipient_id=recipient_id,
        channel="email",
        settled_at__gte=since,
    ).exists()


# Urgency by urgency, each the first entry of its part of the index: however much waits for later.
_NEXT = """
SELECT min(soonest.visible_at)
FROM unnest(%(channels)s::text[]) AS named (channel), unnest(%(priorities)s::smallint[]) AS level (priority),
LATERAL (
    SELECT visible_at FROM outbox_message
    WHERE state IN ('pending', 'sending') AND channel = named.channel AND priority = level.priority
    ORDER BY visible_at LIMIT 1) AS soonest
"""


def next_visible_at(*channels: str) -> datetime | None:
    """When the next live message of these channels (of all, when none is named) is due, for sleeping exactly
    that long."""
    found: datetime | None
    if not channels:
        rows = Message.objects.filter(state__in=[s.value for s in LIVE])
        found = rows.aggregate(first=Min("visible_at"))["first"]
        return found
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"channels": list(channels), "priorities": [int(level) for level in Priority]})
        (found,) = cursor.fetchone()
    return found


def count_by_state() -> dict[str, int]:
    """Messages per state."""
    rows = Message.objects.values("state").annotate(n=Count("id")).order_by()
    return {row["state"]: row["n"] for row in rows}


def recent_messages(*, limit: int = 100) -> list[MessageView]:
    """The newest messages of all kinds (administrators)."""
    return _views(Message.objects.order_by("-id")[:limit])


@dataclass(frozen=True, kw_only=True)
class ChannelWait:
    """What waits on one channel although it is due, and what was claimed and never settled."""

    channel: str
    waiting: int
    oldest_due_at: datetime | None
    expired: int
    oldest_expired_at: datetime | None


def waits(now: datetime) -> list[ChannelWait]:
    """Per channel, what is late: due messages nobody took, and leases that ran out. One query over live
    rows, whatever the outbox holds besides."""
    due = Q(state=State.PENDING.value)
    rows = (
        Message.objects.filter(state__in=[s.value for s in LIVE], visible_at__lte=now)
        .values("channel")
        .annotate(
            waiting=Count("id", filter=due),
            oldest_due_at=Min("visible_at", filter=due),
            expired=Count("id", filter=~due),
            oldest_expired_at=Min("visible_at", filter=~due),
        )
        .order_by("channel")
    )
    return [ChannelWait(**row) for row in rows]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a message: its state and what the provider said last."""

    state: str
    error: str


def last_outcomes(user_id: int, *, looked_at: int = 60) -> dict[int | None, Outcome]:
    """What became of the newest settled message along each way of a user; the key None is e-mail."""
    rows = Message.objects.filter(
        recipient_kind="user",
        recipient_id=user_id,
        state__in=[s.value for s in (State.ACCEPTED, State.DELIVERED, State.FAILED, State.DEAD)],
    ).exclude(channel="console")
    found: dict[int | None, Outcome] = {}
    for channel, payload, state, error in rows.order_by("-id").values_list(
        "channel", "payload", "state", "last_error"
    )[:looked_at]:
        way = None if channel == "email" else payload.get("method_id")
        if channel == "email" or way is not None:
            found.setdefault(way, Outcome(state=state, error=error))
    return found
