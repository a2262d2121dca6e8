"""The views that a voice service calls. Mounted only where calls are placed by one.

Whoever is not the service learns nothing: 404 for an address that is none, 403 without a signature, both
without a word. A report is stored before it is answered, so that an answer lost is a report repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from sentinel.channels.voice.base import Unavailable
from sentinel.channels.voice.http.addresses import PREFIX
from sentinel.channels.voice.http.calls import HttpVoice, NotSigned
from sentinel.kernel import clock
from sentinel.workflows.follow_call import follow_event

logger = logging.getLogger(__name__)

#: Reports have a few hundred bytes; no number of fields that the service sends comes near this.
LARGEST = 16 * 1024


def take_report(request: HttpRequest, *, voice: HttpVoice) -> HttpResponse:
    """Follow what the service says about a call, and tell it what to do where it asks."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > LARGEST:
        return HttpResponse(status=413)
    # The address that the service signed is the public one, whatever a proxy has made of it.
    url = f"{settings.BASE_URL}{request.get_full_path()}"
    now = clock.now()
    try:
        report = voice.verified(url=url, headers=request.headers, body=request.body, now=now)
    except NotSigned:
        return HttpResponse(status=403)
    except ValueError:
        return HttpResponse(status=404)
    turn = voice.turn(report)
    for event in turn.events:
        follow_event(provider=voice.provider, event=event, now=now)
    if turn.hangs_up:
        _hang_up(voice, turn.hangs_up)
    if turn.twiml is None:
        return HttpResponse(status=204)
    return HttpResponse(turn.twiml, content_type="text/xml; charset=utf-8")


def _hang_up(voice: HttpVoice, ref: str) -> None:
    """What the report said is written down already; whoever hears a machine can hang up, too."""
    try:
        voice.hang_up(ref)
    except Unavailable as error:
        logger.warning("a call with a machine could not be hung up: %s", error)


def urlpatterns_of(voice: Callable[[], HttpVoice]) -> list[URLPattern]:
    """The addresses of :mod:`.addresses`, read by the adapter that ``voice`` returns. Only POST is taken."""

    @csrf_exempt
    @require_POST
    def view(request: HttpRequest, **_: str) -> HttpResponse:
        return take_report(request, voice=voice())

    return [path(f"{PREFIX}<str:key>/<str:mac>/<str:step>", view, name="voice-service")]
