"""Writing the timeline: one function, always inside the transaction of the act it records."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from sentinel.timeline.models import Event
from sentinel.timeline.verbs import ActorKind, Verb


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who acts. Engine actors have neither id nor name."""

    kind: ActorKind
    id: int | None = None
    name: str = ""


ENGINE = Actor(kind=ActorKind.ENGINE)
#: Keeps the locks of streams apart from every other advisory lock.
STREAM_LOCK = 20050303


@dataclass(frozen=True, kw_only=True)
class About:
    """What an event is about; ids only, the timeline does not know their tables."""

    account_id: int | None = None
    site_id: int | None = None
    worker_id: int | None = None
    problem_id: int | None = None
    user_id: int | None = None

    @property
    def stream(self) -> str:
        """Hash chains run per account: one account's traffic never waits for another's."""
        return f"account:{self.account_id}" if self.account_id is not None else "system"


def event_hash(
    *, previous: str, stream: str, seq: int, at: datetime, verb: str, body: Mapping[str, Any]
) -> str:
    """SHA-256 over everything an event says and the hash before it (hex, 64 characters)."""
    text = json.dumps(
        [previous, stream, seq, at.astimezone(UTC).isoformat(), verb, dict(body)],
        sort_keys=True,
        separators=(",", ":"),
        default=str,
    )
    return hashlib.sha256(text.encode()).hexdigest()


def event_body(event: Event) -> dict[str, Any]:
    """The hashed facts of an event, in the shape :func:`event_hash` wants."""
    return {
        "actor": [event.actor_kind, event.actor_id, event.actor_name],
        "about": [event.account_id, event.site_id, event.worker_id, event.problem_id, event.user_id],
        "data": event.data,
    }


def record_event(
    *, verb: Verb, at: datetime, actor: Actor, about: About, data: Mapping[str, Any] | None = None
) -> Event:
    """Append one event to its stream. Must run inside ``transaction.atomic()``.

    The advisory lock serialises appends of one stream until commit, so ``seq`` has no gaps and the
    chain no forks. Lock order everywhere: the problem's row first, its stream last.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("record_event() must run inside the transaction of the act it records")
    stream = about.stream
    seq, previous = end_of_chain(stream)
    event = chained_event(
        verb=verb, at=at, actor=actor, about=about, data=data, stream=stream, seq=seq + 1, previous=previous
    )
    event.save(force_insert=True)
    return event


def end_of_chain(stream: str) -> tuple[int, str]:
    """The last ``seq`` and hash of a stream (0 and empty for a new one), the stream locked until commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [stream, STREAM_LOCK])
    last = Event.objects.filter(stream=stream).order_by("-seq").values_list("seq", "hash").first()
    return last or (0, "")


def chained_event(
    *,
    verb: Verb,
    at: datetime,
    actor: Actor,
    about: About,
    data: Mapping[str, Any] | None,
    stream: str,
    seq: int,
    previous: str,
) -> Event:
    """An event, not saved yet, as the next link of its chain."""
    event = Event(
        at=at,
        verb=verb.value,
        stream=stream,
        seq=seq,
        actor_kind=actor.kind.value,
        actor_id=actor.id,
        actor_name=actor.name,
        account_id=about.account_id,
        site_id=about.site_id,
        worker_id=about.worker_id,
        problem_id=about.problem_id,
        user_id=about.user_id,
        data=json.loads(json.dumps(dict(data or {}), default=str)),
        previous_hash=previous,
    )
    event.hash = event_hash(
        previous=previous, stream=stream, seq=seq, at=at, verb=event.verb, body=event_body(event)
    )
    return event
