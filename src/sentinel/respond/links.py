"""From a signed token to its subject: the one door through which every worker's page is entered."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Generic, TypeVar

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from sentinel.accounts.models import Worker
from sentinel.kernel import clock
from sentinel.kernel.errors import NotFound
from sentinel.kernel.links import LinkExpired, LinkForged, Purpose
from sentinel.ui.frames import WorkerFrame
from sentinel.ui.links import read_public_token

T = TypeVar("T")

#: Answers are wanted now; an older link leads to the late page, where words still count.
ANSWER_DAYS = 45
#: A problem can outlive its first mail by months, and its worker must be able to say so all that time.
PROBLEM_DAYS = 1095
#: Whoever wants no more mail, or never said what was noted, can say so until the end of time.
FOR_EVER = 36500

_HEADERS = {
    # A shared computer or a proxy must not keep somebody's words.
    "Cache-Control": "no-store",
    # The address is the key: it must not travel to another site.
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


@dataclass(frozen=True, kw_only=True)
class Opened(Generic[T]):
    """A link somebody opened: its subject, the worker it belongs to, and when. ``is_late``: it expired."""

    token: str
    subject: T
    worker: Worker
    now: datetime
    is_late: bool = False

    @property
    def zone(self) -> str:
        """The worker's own time zone."""
        return self.worker.site.zone


Loader = Callable[[int], tuple[T, Worker]]
Page = Callable[..., HttpResponse]


def signed_link(
    purpose: Purpose,
    load: Loader[T],
    *,
    valid_days: int,
    accepts_late: bool = False,
    chooses_language: bool = True,
) -> Callable[[Page], Page]:
    """Make ``view(request, opened, **parts)`` a page behind links of one purpose.

    Forged, foreign and orphaned tokens get one and the same 404. An expired one is authentic: the view
    sees it as ``is_late`` when it ``accepts_late``, else the worker gets a friendly page. The page speaks
    the worker's language unless ``?lang=`` says otherwise, which is never stored.
    """

    def decorate(view: Page) -> Page:
        # CSRF protection guards what a cookie allows. Here no cookie allows anything: the token in the
        # address is the whole authority, and a stranger who could forge the request would have to know it
        # already.
        @csrf_exempt
        @require_http_methods(["GET", "HEAD", "POST"])
        @wraps(view)
        def entered(request: HttpRequest, token: str, **parts: str) -> HttpResponse:
            response = _enter(request, token, parts)
            for name, value in _HEADERS.items():
                response.headers[name] = value
            return response

        def _enter(request: HttpRequest, token: str, parts: dict[str, str]) -> HttpResponse:
            now = clock.now()
            is_late = False
            try:
                subject_id = read_public_token(token, purpose, today=now.date(), valid_days=valid_days)
            except LinkForged:
                return unknown(request)
            except LinkExpired as expired:
                subject_id, is_late = int(str(expired.details["subject_id"])), True
            try:
                subject, worker = load(subject_id)
            except ObjectDoesNotExist:
                return unknown(request)
            opened = Opened(token=token, subject=subject, worker=worker, now=now, is_late=is_late)
            with translation.override(language_of(request, worker)):
                if is_late and not accepts_late:
                    return _speaking(
                        render(request, "respond/late.html", {"frame": WorkerFrame()}, status=410)
                    )
                try:
                    return _speaking(view(request, opened, **parts))
                except (Http404, NotFound):
                    return unknown(request)

        return entered

    return decorate


def unknown(request: HttpRequest) -> HttpResponse:
    """The 404 that tells nothing: one and the same for a mistyped, a foreign and an orphaned link."""
    with translation.override(_asked_language(request) or translation.get_language_from_request(request)):
        response = render(request, "respond/unknown.html", {"frame": WorkerFrame()}, status=404)
        return _speaking(response)


def language_of(request: HttpRequest, worker: Worker) -> str:
    """The language of this page: asked for in the address, else the worker's, else English."""
    spoken = worker.spoken_language
    return _asked_language(request) or (spoken if spoken in dict(settings.LANGUAGES) else "en")


def _asked_language(request: HttpRequest) -> str:
    asked = request.GET.get("lang", "")
    return asked if asked in dict(settings.LANGUAGES) else ""


def _speaking(response: HttpResponse) -> HttpResponse:
    response.headers["Content-Language"] = translation.get_language() or "en"
    return response
