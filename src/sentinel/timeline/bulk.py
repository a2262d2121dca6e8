"""Many events at once, chained like single ones."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from sentinel.timeline.models import Event
from sentinel.timeline.services import STREAM_LOCK, About, Actor, chained_event
from sentinel.timeline.verbs import Verb


@dataclass(frozen=True, slots=True)
class Entry:
    """One event of a batch."""

    verb: Verb
    about: About
    data: Mapping[str, Any] = field(default_factory=dict)


_COLUMNS = (
    "at",
    "verb",
    "stream",
    "seq",
    "actor_kind",
    "actor_id",
    "actor_name",
    "account_id",
    "site_id",
    "worker_id",
    "problem_id",
    "user_id",
    "data",
    "previous_hash",
    "hash",
)

# Two statements: what the first one waited for must be visible to the second.
_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(stream, %s)) FROM unnest(%s::text[]) AS stream"
_ENDS = """
SELECT stream, last.seq, last.hash FROM unnest(%s::text[]) AS stream CROSS JOIN LATERAL (
    SELECT seq, hash FROM timeline_event AS event WHERE event.stream = stream.stream
    ORDER BY seq DESC LIMIT 1) AS last
"""


def record_events(entries: Sequence[Entry], *, at: datetime, actor: Actor) -> int:
    """Append the entries in order, each to its stream. Must run inside ``transaction.atomic()``.

    Does what as many calls of ``record_event`` would, with three statements. Returns how many. Whoever
    writes to several streams calls this once, at the end: the streams are locked in the order of their
    names, so that two such batches never wait for each other.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("record_events() must run inside the transaction of the acts it records")
    if not entries:
        return 0
    ends = ends_of_chains({entry.about.stream for entry in entries})
    into = f"COPY timeline_event ({', '.join(_COLUMNS)}) FROM STDIN"
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(into) as copy:
        for entry in entries:
            stream = entry.about.stream
            seq, previous = ends.get(stream, (0, ""))
            event = chained_event(
                verb=entry.verb,
                at=at,
                actor=actor,
                about=entry.about,
                data=entry.data,
                stream=stream,
                seq=seq + 1,
                previous=previous,
            )
            ends[stream] = (event.seq, event.hash)
            copy.write_row(_row(event))
    return len(entries)


def ends_of_chains(streams: Iterable[str]) -> dict[str, tuple[int, str]]:
    """The last ``seq`` and hash of each stream that has any, all of them locked until commit."""
    names = sorted(streams)
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [STREAM_LOCK, names])
        cursor.execute(_ENDS, [names])
        return {stream: (seq, digest) for stream, seq, digest in cursor.fetchall()}


def _row(event: Event) -> tuple[Any, ...]:
    return tuple(
        json.dumps(event.data) if column == "data" else getattr(event, column) for column in _COLUMNS
    )
