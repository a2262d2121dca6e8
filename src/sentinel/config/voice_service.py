"""From the setting that names a voice service to the adapter, which needs the extra ``telephone``."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection

from sentinel.channels.voice.base import CallEvent
from sentinel.channels.voice.listener import Listener
from sentinel.config.calls import http_settings
from sentinel.people.sealing import secrets

if TYPE_CHECKING:
    from sentinel.channels.voice.http.calls import HttpVoice


def http_voice(on_event: Callable[[CallEvent], None] | None = None) -> HttpVoice:
    """The adapter for the settings of this process; ``on_event`` hears what no webhook says."""
    # why: imports Twilio's library, which need not be installed
    from sentinel.channels.voice.http.books import Rows

    # why: as above
    from sentinel.channels.voice.http.calls import HttpVoice

    configured = http_settings(settings.CALLS_BY, base_url=settings.BASE_URL, secrets=secrets())
    return HttpVoice(configured, on_event, books=Rows())


def placing_voice() -> HttpVoice:
    """The adapter by which this process places calls."""
    listener = Listener("http_voice")

    def hear(event: CallEvent) -> None:
        try:
            listener(event)
        finally:
            connection.close()  # the thread that says it ends with it

    return http_voice(hear)


@cache
def reading_voice() -> HttpVoice:
    """The adapter by which this process reads webhooks."""
    return http_voice()
