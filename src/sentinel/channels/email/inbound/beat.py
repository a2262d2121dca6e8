"""The ear tries itself every few seconds and writes down whether it works, so that its death is noticed.

It does not say "I live" but "I was greeted": a listener whose event loop hangs, or whose port somebody
else took, is as deaf as none.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta
from functools import partial

from django.db import Error, connections

from sentinel.assurance.ears import LISTENER, MAILBOX, close_ear, note_ear
from sentinel.inbound.models import PolledMailbox
from sentinel.kernel import clock

logger = logging.getLogger(__name__)

EVERY_SECONDS = 5.0
SECONDS_TO_GREET = 5.0
#: A mailbox is looked into at least this often while it can be.
FRESH = timedelta(seconds=75)
_THIS_MACHINE = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104  # compared, not bound

#: Tries one way in; says what is wrong, or nothing.
Try = Callable[[], str]


def tries(*, listener: tuple[str, int] | None, mailbox: str) -> dict[str, Try]:
    """What there is to try: the listener's host and port, the polled mailbox's name."""
    found: dict[str, Try] = {}
    if listener is not None:
        found[LISTENER] = partial(greeted, *listener)
    if mailbox:
        found[MAILBOX] = partial(looked_into, mailbox)
    return found


def greeted(host: str, port: int) -> str:
    """Whether somebody who connects is greeted by a mail server."""
    try:
        with socket.create_connection((_THIS_MACHINE.get(host, host), port), SECONDS_TO_GREET) as wire:
            wire.settimeout(SECONDS_TO_GREET)
            greeting = wire.recv(512)
            wire.sendall(b"QUIT\r\n")
    except OSError as error:
        return f"it does not answer: {error}"
    # A listener that is full says 421: it hears, and says so.
    return "" if greeting[:3].isdigit() else "it does not greet like a mail server"


def looked_into(name: str) -> str:
    """Whether the mailbox was looked into lately, and without an error."""
    known = PolledMailbox.objects.filter(name=name).first()
    if known is None or known.looked_at is None:
        return "it was not looked into yet"
    if known.last_error:
        return known.last_error
    is_fresh = clock.now() - known.looked_at <= FRESH
    return "" if is_fresh else "nobody looks into it"


class EarBeats:
    """``with EarBeats(tries(...)):`` tries every way in for the length of the block."""

    def __init__(self, ways: Mapping[str, Try]) -> None:
        self._ways = ways
        self._host = socket.gethostname()[:200]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ear-beat", daemon=True)

    def __enter__(self) -> EarBeats:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=SECONDS_TO_GREET)

    def _run(self) -> None:
        while not self._stop.is_set():
            with suppress(Error):
                self.beat()
            self._stop.wait(EVERY_SECONDS)
        with suppress(Error):
            for way in self._ways:
                close_ear(way=way, host=self._host)
        with suppress(Error):
            connections.close_all()

    def beat(self) -> None:
        """Try every way once and write it down. Raises the database's error when it is away."""
        try:
            for way, attempt in self._ways.items():
                note_ear(way=way, host=self._host, error=attempt(), now=clock.now())
        except Error:
            with suppress(Error):
                connections.close_all()
            raise
