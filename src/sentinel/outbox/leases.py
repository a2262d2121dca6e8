"""Taking messages for a while and writing down what became of them: claim, settle, give back.

Each statement is one round trip and one commit, and each writes only where the lease is still ours.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from sentinel.kernel.errors import SentinelError
from sentinel.outbox import rules
from sentinel.outbox.rules import WAYS, Result, State

#: How long an engine may hold a message before others take it over.
LEASE = timedelta(seconds=30)
_LONGEST_DETAIL = 2000


class LeaseLost(SentinelError):
    """Somebody else took the message over; whatever we learned about it must not be written."""


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


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A message that a provider accepted, and what it said."""

    message: Claimed
    detail: str = ""
    provider: str = ""
    provider_ref: str = ""


# The order is that of the index, so that a claim costs what it takes and not what waits.
_CLAIM = """
WITH due AS MATERIALIZED (
    SELECT id, priority, visible_at,
           CASE WHEN %(spread)s AND kind = 'duty.notice' AND state = 'pending' AND attempts = 0
                     AND recipient_kind = 'user' THEN recipient_id || ' ' || address END AS person
    FROM outbox_message
    WHERE state IN ('pending', 'sending') AND channel = %(channel)s AND visible_at <= %(now)s
      AND NOT held
      -- What was in flight when a mute began is repeated all the same: nobody knows whether it went.
      AND (state = 'sending' OR kind LIKE 'contact.%%' OR channel <> ALL(%(ways)s)
           OR recipient_kind <> ALL(ARRAY(
             SELECT muted FROM outbox_mute, unnest(ARRAY['user', 'worker']) AS muted
             WHERE ended_at IS NULL AND started_at <= %(now)s AND until > %(now)s
               AND (with_workers OR muted = 'user'))))
    ORDER BY priority, visible_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED),
placed AS (
    SELECT id, person, row_number() OVER (PARTITION BY person ORDER BY priority, visible_at, id) AS place
    FROM due)
UPDATE outbox_message SET state = 'sending', lease_token = %(token)s, attempts = attempts + 1,
       visible_at = %(until)s
WHERE id = ANY(ARRAY(SELECT id FROM placed WHERE person IS NULL OR place = 1))
RETURNING id, dedupe_key, channel, kind, recipient_kind, recipient_id, address, payload::text, message_id,
          created_at, first_due_at, attempts, problem_id, account_id, priority
"""


def claim(
    *, channel: str, limit: int, now: datetime, lease: timedelta = LEASE, spread: bool = False
) -> list[Claimed]:
    """Lease up to ``limit`` due messages of one channel, most urgent first.

    An expired lease of a dead engine is due again by itself: that is the whole recovery. ``spread``: of
    several notices that could be merged for one person take only the first; the others are looked at again
    before the next claim (:mod:`sentinel.outbox.bundling`).
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
                "spread": spread,
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
    is_away: bool = False,
) -> State:
    """Write what an attempt came to. Raises :class:`LeaseLost` when the lease is no longer ours."""
    decided = rules.settle(
        result=result,
        attempts=claimed.attempts,
        key=claimed.dedupe_key,
        first_due_at=claimed.first_due_at,
        now=now,
        is_away=is_away,
    )
    detail = _storable(detail, _LONGEST_DETAIL)
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
                "provider_ref": _storable(provider_ref, 200),
                "now": now,
                "result": result.value,
                "detail": detail,
            },
        )
        if cursor.rowcount != 1:
            raise LeaseLost(f"message {claimed.id} is no longer leased to us")
    return decided.state


# Whoever has a lease is sending: the table's constraints say so. Asked for its state besides, PostgreSQL
# might look through all live rows instead of these few.
_SETTLE_ACCEPTED = """
WITH taken AS (
    SELECT * FROM unnest(%(ids)s::bigint[], %(tokens)s::uuid[], %(details)s::text[], %(providers)s::text[],
                         %(refs)s::text[]) AS one (id, token, detail, provider, provider_ref)),
settled AS (
    UPDATE outbox_message message
    SET state = 'accepted', visible_at = %(now)s, lease_token = NULL, settled_at = %(now)s, last_error = '',
        provider = COALESCE(NULLIF(taken.provider, ''), message.provider),
        provider_ref = COALESCE(NULLIF(taken.provider_ref, ''), message.provider_ref)
    FROM taken
    WHERE message.id = taken.id AND message.lease_token = taken.token
    RETURNING message.id, message.attempts, taken.detail),
tried AS (
    INSERT INTO outbox_attempt (message_id, number, settled_at, result, detail)
    SELECT id, attempts, %(now)s, 'accepted', detail FROM settled)
SELECT id FROM settled
"""


def settle_accepted(taken: Sequence[Taken], *, now: datetime) -> list[Claimed]:
    """Write down together what providers accepted. Returns those whose lease was no longer ours.

    One statement and one commit for all; whoever lost one lease loses nothing of the others.
    """
    if not taken:
        return []
    # In one order, so that two engines never wait for each other crosswise.
    in_order = sorted(taken, key=lambda one: one.message.id)
    with connection.cursor() as cursor:
        cursor.execute(
            _SETTLE_ACCEPTED,
            {
                "ids": [one.message.id for one in in_order],
                "tokens": [one.message.lease_token for one in in_order],
                "details": [_storable(one.detail, _LONGEST_DETAIL) for one in in_order],
                "providers": [one.provider[:40] for one in in_order],
                "refs": [_storable(one.provider_ref, 200) for one in in_order],
                "now": now,
            },
        )
        written = {row[0] for row in cursor.fetchall()}
    return [one.message for one in in_order if one.message.id not in written]


_GIVE_BACK = """
UPDATE outbox_message message
SET state = 'pending', lease_token = NULL, attempts = message.attempts - 1, visible_at = message.first_due_at
FROM unnest(%(ids)s::bigint[], %(tokens)s::uuid[]) AS one (id, token)
WHERE message.id = one.id AND message.lease_token = one.token
"""


def give_back(messages: Sequence[Claimed]) -> int:
    """Let others have what we leased and did not begin, at once and without counting a try."""
    if not messages:
        return 0
    in_order = sorted(messages, key=lambda message: message.id)
    with connection.cursor() as cursor:
        cursor.execute(
            _GIVE_BACK,
            {"ids": [one.id for one in in_order], "tokens": [one.lease_token for one in in_order]},
        )
        return int(cursor.rowcount)


_ACCEPT_AT_ONCE = """
WITH due AS MATERIALIZED (
    SELECT id FROM outbox_message
    WHERE state IN ('pending', 'sending') AND channel = %(channel)s AND visible_at <= %(now)s
    ORDER BY priority, visible_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED),
settled AS (
    UPDATE outbox_message message
    SET state = 'accepted', visible_at = %(now)s, lease_token = NULL, settled_at = %(now)s, last_error = '',
        attempts = message.attempts + 1, provider = %(channel)s, provider_ref = message.id::text
    WHERE id = ANY(ARRAY(SELECT id FROM due))
    RETURNING id, attempts),
tried AS (
    INSERT INTO outbox_attempt (message_id, number, settled_at, result, detail)
    SELECT id, attempts, %(now)s, 'accepted', '' FROM settled)
SELECT count(*) FROM settled
"""


def accept_at_once(*, channel: str, limit: int, now: datetime) -> int:
    """Settle what is due on a channel that has nobody to hand it to; returns how many messages.

    Claiming them first would write each row twice for nothing: there is no try that could be lost.
    """
    with connection.cursor() as cursor:
        cursor.execute(_ACCEPT_AT_ONCE, {"channel": channel, "now": now, "limit": limit})
        return int(cursor.fetchone()[0])


def _storable(words: str, longest: int) -> str:
    """A NUL from a provider's answer must not be able to keep a settlement from being written."""
    return words.replace("\0", "")[:longest]
