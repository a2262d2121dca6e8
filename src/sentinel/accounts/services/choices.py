"""What workers choose for themselves, through their signed links. It wins over programme and roster."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import transaction

from sentinel.accounts.errors import WorkerRefused
from sentinel.accounts.models import Worker
from sentinel.accounts.roster.cells import CellRefused, clean, read_language
from sentinel.accounts.rules import Rhythm
from sentinel.accounts.services.access import about, locked_worker
from sentinel.accounts.telephones import read_telephone
from sentinel.timeline.services import Actor, record_event
from sentinel.timeline.verbs import ActorKind, Verb


def set_preferences(
    *,
    worker_id: int,
    rhythm: Rhythm | str,
    paused_until: date | None,
    language: str,
    telephone: str,
    now: datetime,
) -> Worker:
    """Store what the worker chose. A language or number that differs from ours becomes their own choice,
    which no roster overwrites. A day that is not ahead (at their site) pauses nothing.

    Raises WorkerRefused for a language we do not speak or a number nobody can dial.
    """
    with transaction.atomic():
        worker = locked_worker(worker_id)
        today = now.astimezone(ZoneInfo(worker.site.zone)).date()
        wanted = {
            "rhythm": Rhythm(rhythm).value,
            "paused_until": paused_until if paused_until is not None and paused_until > today else None,
            "telephone": _number(worker, telephone),
            "language": _language(worker, language),
        }
        changes = {
            field: [getattr(worker, field), value]
            for field, value in wanted.items()
            if getattr(worker, field) != value
        }
        if not changes:
            return worker
        for field, value in wanted.items():
            setattr(worker, field, value)
        own = {field for field in ("language", "telephone") if field in changes}
        worker.chosen_fields = sorted(own.union(worker.chosen_fields))
        worker.save(update_fields=[*wanted, "chosen_fields"])
        _record(Verb.WORKER_SET_PREFERENCES, worker, now, changes)
    return worker


def unsubscribe_worker(*, worker_id: int, how: str, now: datetime) -> Worker:
    """No more check-ins for this worker. Their open problem is still followed up. Twice is once.

    ``how``: "link", "one-click", "reply" or "telephone".
    """
    with transaction.atomic():
        worker = locked_worker(worker_id)
        if worker.unsubscribed_at is None:
            worker.unsubscribed_at = now
            worker.save(update_fields=["unsubscribed_at"])
            _record(Verb.WORKER_UNSUBSCRIBED, worker, now, {"how": how})
    return worker


def resubscribe_worker(*, worker_id: int, now: datetime) -> Worker:
    """The worker wants to be asked again."""
    with transaction.atomic():
        worker = locked_worker(worker_id)
        if worker.unsubscribed_at is not None:
            worker.unsubscribed_at = None
            worker.save(update_fields=["unsubscribed_at"])
            _record(Verb.WORKER_RESUBSCRIBED, worker, now, {})
    return worker


def _number(worker: Worker, text: str) -> str:
    cleaned = clean(text)
    if cleaned == worker.telephone:
        return worker.telephone
    read = read_telephone(cleaned, worker.site.calendar.country)
    if cleaned and not read.number:
        raise WorkerRefused(
            "telephone_unreadable",
            "Please write the number with its country code, like +49 30 123456.",
            {"field": "telephone"},
        )
    return read.number


def _language(worker: Worker, text: str) -> str:
    try:
        code = read_language(clean(text))
    except CellRefused as refused:
        raise WorkerRefused("language_unknown", str(refused), {"field": "language"}) from None
    # The form shows the site's language to whoever has none of their own: leaving it is no choice.
    return worker.language if code == worker.spoken_language else code


def _record(verb: Verb, worker: Worker, now: datetime, data: Mapping[str, object]) -> None:
    actor = Actor(kind=ActorKind.WORKER, id=worker.pk, name=worker.name)
    record_event(verb=verb, at=now, actor=actor, about=about(worker), data=data)
