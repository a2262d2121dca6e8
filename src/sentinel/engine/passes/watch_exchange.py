"""Asks whoever places calls whether they are there, once a minute and machine, apart from everything else.

A question to an exchange that is silent takes half a minute. So it has a thread of its own, and neither a
call nor whoever follows calls waits for it. Where calls go straight to telephones, nobody is asked.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from datetime import datetime, timedelta

from django.db import DatabaseError, InterfaceError, connection

from sentinel.calls.exchanges import asked_at, note_exchange
from sentinel.channels.voice.base import CallPort, CheckedPort, Unavailable
from sentinel.kernel import clock

logger = logging.getLogger(__name__)

#: Engines of one machine ask so often together.
EVERY = timedelta(minutes=1)


class Watch:
    """One engine's watch over its exchange."""

    def __init__(self) -> None:
        self._began_at = float("-inf")
        self._asking: threading.Thread | None = None

    def turn(self, port: CallPort | None) -> None:
        """Begin to ask when it is time; returns at once."""
        is_asking = self._asking is not None and self._asking.is_alive()
        is_early = time.monotonic() - self._began_at < EVERY.total_seconds()
        if is_asking or is_early or not isinstance(port, CheckedPort) or not port.peer:
            return
        self._began_at = time.monotonic()
        self._asking = threading.Thread(target=self._ask, args=(port,), name="exchange", daemon=True)
        self._asking.start()

    @staticmethod
    def _ask(port: CheckedPort) -> None:
        try:
            ask(port, now=clock.now())
        except (DatabaseError, InterfaceError) as error:
            logger.warning("whether the exchange answers could not be written down: %s", error)
        except Exception:
            logger.exception("the exchange could not be asked whether it is there")
        finally:
            connection.close()


def ask(port: CheckedPort, *, now: datetime) -> bool:
    """Ask unless an engine of this machine did so within the last minute; returns whether it was asked."""
    host = socket.gethostname()[:200]
    last = asked_at(provider=port.provider, host=host)
    # A second early rather than a whole minute late; abs: a clock that was set back must not stop it.
    if last is not None and abs(now - last) < EVERY - timedelta(seconds=1):
        return False
    try:
        found = port.check()
    except Unavailable:
        return False
    if not found.answers:
        logger.warning("%s does not answer: %s", port.peer, found.detail)
    note_exchange(
        provider=port.provider,
        host=host,
        peer=port.peer,
        answers=found.answers,
        detail=found.detail,
        milliseconds=found.milliseconds,
        now=now,
    )
    return True
