"""Writing the outbox: enqueue and take back in the deciding transaction. Sending is :mod:`.leases`."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from sentinel.outbox.leases import (
    LEASE,
    Claimed,
    LeaseLost,
    Taken,
    accept_at_once,
    claim,
    give_back,
    settle,
    settle_accepted,
)
from sentinel.outbox.limits import LIMITED
from sentinel.outbox.models import Message
from sentinel.outbox.rules import LIVE, WAYS, Priority, State

#: PostgreSQL channel that wakes the engine; a hint, never the carrier. It may name the outbox's channels.
WAKE_UP = "sentinel_outbox"


@dataclass(frozen=True, kw_only=True)
class NewMessage:
    """A message to enqueue; see :class:`~sentinel.outbox.models.Message` for the columns."""

    dedupe_key: str
    channel: str
    kind: str
    recipient_kind: str  # "user" or "worker"
    recipient_id: int
    address: str = ""
    priority: Priority
    payload: dict[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None
    account_id: int | None = None
    problem_id: int | None = None
    crowd: str = ""

    def but(self, **changes: Any) -> NewMessage:
        """The same message with other values; what ``dataclasses.replace`` does, in a fifth of the time."""
        other = object.__new__(NewMessage)
        other.__dict__.update(self.__dict__)
        other.__dict__.update(changes)
        return other

    @property
    def target(self) -> str:
        """What the gate counts by: one way of one user, or their address."""
        if self.recipient_kind != "user" or self.channel not in WAYS:
            return ""
        way = self.payload.get("method_id")
        return f"way:{way}" if way else self.address

    @property
    def held(self) -> bool:
        """Whether the gate must let it through: whatever is limited per target or may be in a crowd."""
        return bool(self.target) and (bool(self.crowd) or self.channel in LIMITED)


# One statement and one parameter for any number of messages: a turn of the engine writes hundreds, and a
# driver takes longer to write them as arrays than PostgreSQL to read them as JSON.
_ENQUEUE = """
WITH added AS (
    INSERT INTO outbox_message (
        dedupe_key, channel, kind, recipient_kind, recipient_id, address, priority, payload, message_id,
        first_due_at, visible_at, account_id, problem_id, held, target, crowd,
        created_at, state, attempts, provider, provider_ref, last_error)
    SELECT key, channel, kind, recipient_kind, recipient_id, address, priority, payload, message_id,
           due_at, due_at, account_id, problem_id, held, target, crowd, %s, 'pending', 0, '', '', ''
    FROM json_to_recordset(%s) AS new (
        key text, channel text, kind text, recipient_kind text, recipient_id bigint, address text,
        priority smallint, payload jsonb, message_id text, due_at timestamptz, account_id bigint,
        problem_id bigint, held boolean, target text, crowd text)
    ON CONFLICT (dedupe_key) DO NOTHING
    RETURNING 1)
SELECT count(*), pg_notify(%s, %s) FROM added
"""


def enqueue(messages: Iterable[NewMessage], *, now: datetime) -> int:
    """Add messages; ones whose ``dedupe_key`` exists already are left alone. Returns how many are new.

    Must run inside the transaction that decides the messages (guarantees L2, L3); the wake-up of the
    engine travels with its commit.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("enqueue() must run inside the transaction that decides the messages")
    once = {new.dedupe_key: new for new in messages}
    if not once:
        return 0
    rows = json.dumps([_row(new, now) for new in once.values()])
    channels = ",".join(sorted({new.channel for new in once.values()}))
    with connection.cursor() as cursor:
        cursor.execute(_ENQUEUE, [now, rows, WAKE_UP, channels])
        return int(cursor.fetchone()[0])


def _row(new: NewMessage, now: datetime) -> dict[str, Any]:
    return {
        "key": new.dedupe_key,
        "channel": new.channel,
        "kind": new.kind,
        "recipient_kind": new.recipient_kind,
        "recipient_id": new.recipient_id,
        "address": new.address,
        "priority": int(new.priority),
        "payload": new.payload,
        "message_id": f"{uuid.uuid5(uuid.NAMESPACE_URL, new.dedupe_key).hex}.sentinel",
        "due_at": (new.due_at or now).isoformat(),
        "account_id": new.account_id,
        "problem_id": new.problem_id,
        "held": new.held,
        "target": new.target,
        "crowd": new.crowd,
    }


def cancel_pending(*, now: datetime, problem_id: int, kinds: Iterable[str] | None = None) -> int:
    """Take back what was not yet claimed about a problem (I6: nothing about a closed problem goes out)."""
    rows = Message.objects.filter(problem_id=problem_id, state=State.PENDING.value)
    if kinds is not None:
        rows = rows.filter(kind__in=list(kinds))
    return rows.update(state=State.CANCELLED.value, settled_at=now)


def mark_read(*, user_id: int, now: datetime, message_ids: Iterable[int] | None = None) -> int:
    """Mark some console notices of a user as read, or all of them; those of others are left alone."""
    rows = Message.objects.filter(
        recipient_kind="user", recipient_id=user_id, channel="console", read_at__isnull=True
    )
    if message_ids is not None:
        rows = rows.filter(pk__in=list(message_ids))
    with transaction.atomic():
        withdraw(_further(rows), now=now)
        about = [pk for pk in rows.values_list("problem_id", flat=True) if pk is not None]
        _withdraw_put_off(user_id, about, now)
        return rows.update(read_at=now)


def withdraw(keys: Iterable[str], *, now: datetime) -> int:
    """Take back messages that were not claimed yet, because what they say was heard another way."""
    wanted = list(keys)
    if not wanted:
        return 0
    rows = Message.objects.filter(dedupe_key__in=wanted, state=State.PENDING.value)
    return rows.update(state=State.CANCELLED.value, settled_at=now)


def withdraw_further(*, user_id: int, problem_id: int, now: datetime) -> int:
    """The user acts on a problem: its notices need no further way to them, nor does what was put off."""
    rows = Message.objects.filter(
        recipient_kind="user", recipient_id=user_id, problem_id=problem_id, channel="console"
    )
    return withdraw(_further(rows), now=now) + _withdraw_put_off(user_id, [problem_id], now)


def _withdraw_put_off(user_id: int, problem_ids: list[int], now: datetime) -> int:
    """Take back what waits at the gate (in a storm, for room, for the end of a mute) and was heard of."""
    rows = Message.objects.filter(
        recipient_kind="user", recipient_id=user_id, problem_id__in=problem_ids, state=State.PENDING.value
    )
    return rows.exclude(waits_for="").update(state=State.CANCELLED.value, settled_at=now)


def hasten(key: str, *, now: datetime) -> bool:
    """Let a message that waits for its time go now. False when it does not wait."""
    rows = Message.objects.filter(dedupe_key=key, state=State.PENDING.value, attempts=0, visible_at__gt=now)
    done = rows.update(visible_at=now, first_due_at=now) == 1
    if done:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [WAKE_UP])
    return done


def _further(rows: QuerySet[Message]) -> list[str]:
    """The keys of the later ways that console notices name."""
    named = rows.filter(payload__has_key="other_ways").values_list("payload__other_ways", flat=True)
    return [key for keys in named for key in keys or ()]


__all__ = [
    "LEASE",
    "LIVE",
    "WAKE_UP",
    "Claimed",
    "LeaseLost",
    "NewMessage",
    "Taken",
    "accept_at_once",
    "cancel_pending",
    "claim",
    "enqueue",
    "give_back",
    "hasten",
    "mark_read",
    "settle",
    "settle_accepted",
    "withdraw",
    "withdraw_further",
]
