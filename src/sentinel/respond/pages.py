"""What every worker's page has in common: its frame, its languages, and the polite refusal of a flood."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from sentinel.checkins.models import Programme, Response
from sentinel.kernel.links import Purpose
from sentinel.respond.links import Opened, T
from sentinel.timeline.selectors import events_of_worker
from sentinel.timeline.verbs import ActorKind
from sentinel.ui.frames import Language, WorkerFrame
from sentinel.ui.links import public_path

#: So many acts of one worker within the hour are no longer a person telling us something.
ACTS_AN_HOUR = 20


def page(
    request: HttpRequest,
    opened: Opened[T],
    template: str,
    context: dict[str, object],
    *,
    status: int = 200,
) -> HttpResponse:
    """Render one of the worker's pages in its frame."""
    shared = {
        "frame": _frame(request, opened),
        "worker": opened.worker,
        "zone": opened.zone,
        "now": opened.now,
    }
    return render(request, template, shared | context, status=status)


def with_language(request: HttpRequest, path: str) -> str:
    """The path, in the language the worker chose for this visit."""
    asked = request.GET.get("lang", "")
    return f"{path}?{urlencode({'lang': asked})}" if asked in dict(settings.LANGUAGES) else path


def link_to(request: HttpRequest, opened: Opened[T], purpose: Purpose, subject_id: int) -> str:
    """The path of another of this worker's own pages."""
    return with_language(request, public_path(purpose, subject_id, today=opened.now.date()))


def is_flood(opened: Opened[T], *, check_in_id: int | None = None) -> bool:
    """Whether this worker's links were used so often within the hour that the owner is spared more."""
    since = opened.now - timedelta(hours=1)
    acts = events_of_worker(opened.worker.pk).filter(actor_kind=ActorKind.WORKER, at__gt=since)
    if acts[:ACTS_AN_HOUR].count() >= ACTS_AN_HOUR:
        return True
    if check_in_id is None:
        return False
    answers = Response.objects.filter(check_in_id=check_in_id, received_at__gt=since)
    return answers[:ACTS_AN_HOUR].count() >= ACTS_AN_HOUR


def too_much(request: HttpRequest, opened: Opened[T], *, typed: str = "") -> HttpResponse:
    """Decline politely, name a person to call, and give the typed words back so that nothing is lost."""
    owner = opened.worker.site.account.owner
    return page(request, opened, "respond/too_much.html", {"person": owner, "typed": typed}, status=429)


def _frame(request: HttpRequest, opened: Opened[T]) -> WorkerFrame:
    provider = Programme.objects.filter(is_active=True).values_list("provider_name", flat=True).first()
    return WorkerFrame(
        provider=provider or "",
        languages=_languages(request),
        preferences_url=link_to(request, opened, Purpose.PREFERENCES, opened.worker.pk),
        unsubscribe_url=link_to(request, opened, Purpose.UNSUBSCRIBE, opened.worker.pk),
    )


def _languages(request: HttpRequest) -> list[Language]:
    current = translation.get_language()
    return [
        Language(
            code=code,
            name=str(name),
            url=f"{request.path}?{urlencode({'lang': code})}",
            current=code == current,
        )
        for code, name in settings.LANGUAGES
    ]
