"""Writing the outbox: enqueue in the deciding transaction; claim, settle and cancel in their own."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from sentinel.kernel.errors import SentinelError
from sentinel.outbox import rules
from sentinel.outbox.crowds import LIMITS
from sentinel.outbox.models import Message
from sentinel.outbox.rules import LIVE, WAYS, Priority, Result, State

#: PostgreSQL channel that wakes the engine; a hint, never the carrier.
WAKE_UP = "sentinel_outbox"
#: How long an engine may hold a message before others take it over.
LEASE = timedelta(seconds=30)


class LeaseLost(SentinelError):
    """Somebody else took the message over; whatever we learned about it must not be written."""


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
        return bool(self.target) and (bool(self.crowd) or self.channel in LIMITS)


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """A leased message, as a channel sees it."""

    id: int
    lease_token: uuid.UUID
    dedupe_key: str
    channel: str
    kind: str
    recipient_kind: str
    recipient_id: int
    address: str
    payload: dict[str, Any]
    message_id: str
    created_at: datetime
    first_due_at: datetime
    attempts: int
    problem_id: int | None
    account_id: int | None


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
SELECT count(*), pg_notify(%s, '') FROM added
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
    with connection.cursor() as cursor:
        cursor.execute(_ENQUEUE, [now, rows, WAKE_UP])
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


_CLAIM = """
UPDATE outbox_message SET state = 'sending', lease_token = %(token)s, attempts = attempts + 1,
       visible_at = %(until)s
WHERE id IN (
    SELECT id FROM outbox_message
    WHERE state IN ('pending', 'sending') AND channel = %(channel)s AND visible_at <= %(now)s
      AND NOT held
      -- What was in flight when a mute began is repeated all the same: nobody knows whether it went.
      AND (state = 'sending' OR kind LIKE 'contact.%%' OR channel <> ALL(%(ways)s)
           OR recipient_kind <> ALL(ARRAY(
             SELECT muted FROM outbox_mute, unnest(ARRAY['user', 'worker']) AS muted
             WHERE ended_at IS NULL AND started_at <= %(now)s AND until > %(now)s
               AND (with_workers OR muted = 'user'))))
    ORDER BY priority, visible_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id, dedupe_key, channel, kind, recipient_kind, recipient_id, address, payload::text, message_id,
          created_at, first_due_at, attempts, problem_id, account_id, priority
"""


def claim(*, channel: str, limit: int, now: datetime, lease: timedelta = LEASE) -> list[Claimed]:
    """Lease up to ``limit`` due messages of one channel, most urgent first.

    An expired lease of a dead engine is due again by itself: that is the whole recovery.
    """
    token = uuid.uuid4()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            _CLAIM,
            {
                "token": token,
                "until": now + lease,
                "channel": channel,
                "now": now,
                "limit": limit,
                "ways": list(WAYS),
            },
        )
        rows = cursor.fetchall()
    rows.sort(key=lambda row: (row[14], row[10], row[0]))
    return [
        Claimed(
            id=row[0],
            lease_token=token,
            dedupe_key=row[1],
            channel=row[2],
            kind=row[3],
            recipient_kind=row[4],
            recipient_id=row[5],
            address=row[6],
            payload=json.loads(row[7]),
            message_id=row[8],
            created_at=row[9],
            first_due_at=row[10],
            attempts=row[11],
            problem_id=row[12],
            account_id=row[13],
        )
        for row in rows
    ]


# One statement, so that a settlement is one round trip and cannot be half written.
_SETTLE = """
WITH settled AS (
    UPDATE outbox_message
    SET state = %(state)s, visible_at = %(visible_at)s, lease_token = NULL, settled_at = %(settled_at)s,
        last_error = %(error)s, provider = COALESCE(NULLIF(%(provider)s, ''), provider),
        provider_ref = COALESCE(NULLIF(%(provider_ref)s, ''), provider_ref)
    WHERE id = %(id)s AND lease_token = %(token)s AND state = 'sending'
    RETURNING id, attempts)
INSERT INTO outbox_attempt (message_id, number, settled_at, result, detail)
SELECT id, attempts, %(now)s, %(result)s, %(detail)s FROM settled
"""


def settle(
    *,
    claimed: Claimed,
    result: Result,
    now: datetime,
    detail: str = "",
    provider: str = "",
    provider_ref: str = "",
) -> State:
    """Write what an attempt came to. Raises :class:`LeaseLost` when the lease is no longer ours."""
    decided = rules.settle(
        result=result,
        attempts=claimed.attempts,
        key=claimed.dedupe_key,
        first_due_at=claimed.first_due_at,
        now=now,
    )
    # A NUL from a provider's answer must not be able to keep a settlement from being written.
    detail = detail.replace("\0", "")[:2000]
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLE,
            {
                "id": claimed.id,
                "token": claimed.lease_token,
                "state": decided.state.value,
                "visible_at": decided.visible_at,
                "settled_at": None if decided.state is State.PENDING else now,
                "error": "" if result is Result.ACCEPTED else detail,
                "provider": provider[:40],
                "provider_ref": provider_ref.replace("\0", "")[:200],
                "now": now,
                "result": result.value,
                "detail": detail,
            },
        )
        if cursor.rowcount != 1:
            raise LeaseLost(f"message {claimed.id} is no longer leased to us")
    return decided.state


def cancel_pending(*, now: datetime, problem_id: int, kinds: Iterable[str] | None = None) -> int:
    """Take back what was not yet claimed about a problem (I6: nothing about a closed problem goes out)."""
    rows = Message.objects.filter(problem_id=problem_id, state=State.PENDING.value)
    if kinds is not None:
        rows = rows.filter(kind__in=list(kinds))
    return rows.update(state=State.CANCELLED.value, settled_at=now)


def mark_read(*, user_id: int, now: datetime, message_id: int | None = None) -> int:
    """Mark one console notice of a user as read, or all of them."""
    rows = Message.objects.filter(
        recipient_kind="user", recipient_id=user_id, channel="console", read_at__isnull=True
    )
    if message_id is not None:
        rows = rows.filter(pk=message_id)
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
    "cancel_pending",
    "claim",
    "enqueue",
    "hasten",
    "mark_read",
    "settle",
    "withdraw",
    "withdraw_further",
]
