"""Reading the timeline."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from sentinel.timeline.models import Event
from sentinel.timeline.services import event_body, event_hash
from sentinel.timeline.verbs import Verb


def events_of_problem(problem_id: int) -> QuerySet[Event]:
    """Everything about one problem, oldest first."""
    return Event.objects.filter(problem_id=problem_id).order_by("id")


def people_told(problem_ids: Collection[int]) -> Iterator[tuple[int, datetime, list[str]]]:
    """Every firing about these problems, oldest first: (problem, when, the names of who was told)."""
    fired = Event.objects.filter(problem_id__in=problem_ids, verb=Verb.DUTY_FIRED.value).order_by("id")
    for problem_id, at, names in fired.values_list("problem_id", "at", "data__told"):
        yield problem_id or 0, at, names or []


def events_of_account(account_id: int) -> QuerySet[Event]:
    """Everything about one account, newest first."""
    return Event.objects.filter(account_id=account_id).order_by("-id")


def events_of_worker(worker_id: int) -> QuerySet[Event]:
    """Everything about one worker, newest first."""
    return Event.objects.filter(worker_id=worker_id).order_by("-id")


@dataclass(frozen=True)
class BrokenLink:
    """A place where the chain does not hold: the stream, the sequence number, and why."""

    stream: str
    seq: int
    why: str


def broken_links(stream: str) -> Iterator[BrokenLink]:
    """Walk one stream and yield every gap, altered row or broken chain."""
    expected, previous = 1, ""
    for event in Event.objects.filter(stream=stream).order_by("seq").iterator():
        if event.seq != expected:
            yield BrokenLink(stream, expected, f"events {expected} to {event.seq - 1} are missing")
        elif event.previous_hash != previous:
            yield BrokenLink(stream, event.seq, "does not continue the event before it")
        facts = event_hash(
            previous=event.previous_hash,
            stream=event.stream,
            seq=event.seq,
            at=event.at,
            verb=event.verb,
            body=event_body(event),
        )
        if facts != event.hash:
            yield BrokenLink(stream, event.seq, "was altered after it was written")
        expected, previous = event.seq + 1, event.hash


def streams() -> list[str]:
    """The names of all hash chains."""
    return list(Event.objects.order_by("stream").values_list("stream", flat=True).distinct())
