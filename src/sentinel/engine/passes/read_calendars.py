"""Reads the calendars elsewhere from which users' absences are taken, a few times a day each."""

from __future__ import annotations

import logging
from datetime import datetime

from django.conf import settings

from sentinel.channels.calling import NotPermitted, NotReached
from sentinel.channels.fetching import Fetched, TooBig, fetch
from sentinel.people.absence_calendars import (
    Due,
    host_of,
    note_failure,
    note_unchanged,
    take_content,
    take_due,
)
from sentinel.people.absence_files import MOST_BYTES

logger = logging.getLogger(__name__)


def run(now: datetime) -> int:
    """Everything that is due; returns how many. Each is fetched outside of any transaction and takes up to
    the fetch's time limit, hence the engine does it apart from its decider."""
    done = 0
    while handle_one(now):
        done += 1
    return done


def handle_one(now: datetime) -> bool:
    """The one that waits longest. False when none does."""
    due = take_due(now)
    if due is None:
        return False
    try:
        _read(due, now)
    except (NotPermitted, NotReached, TooBig) as error:
        note_failure(due, error=f"It cannot be read: {error}.", now=now)
    return True


def _read(due: Due, now: datetime) -> None:
    found = fetch(
        due.url,
        accept="text/calendar, */*;q=0.1",
        etag=due.etag,
        modified=due.modified,
        most_bytes=MOST_BYTES,
        allow_private=settings.PRIVATE_TARGETS,
    )
    if found.status == 304 and (due.etag or due.modified):
        note_unchanged(due, now=now)
    elif found.status == 200:
        take_content(due, content=found.body, etag=found.etag, modified=found.modified, now=now)
    else:
        note_failure(due, error=_refusal(due, found), now=now)


def _refusal(due: Due, found: Fetched) -> str:
    said = f"{host_of(due.url)} answered {found.status}"
    if found.status in (401, 403):
        return f"{said}: the address needs a sign-in, or was withdrawn."
    if found.status in (404, 410):
        return f"{said}: there is no such calendar any more."
    return f"{said}."
