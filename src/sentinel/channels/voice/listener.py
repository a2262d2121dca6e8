"""Hears what a port says about its calls and has it written down, in order, whatever the database does."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress

from django.db import DatabaseError, InterfaceError, OperationalError, connection

from sentinel.channels.voice.base import CallEvent
from sentinel.kernel import clock
from sentinel.workflows.follow_call import follow_event

logger = logging.getLogger(__name__)

#: Pauses between tries while the database is away, in seconds; the last one repeats.
PAUSES = (0.1, 0.25, 0.5, 1.0, 2.0)


class Listener:
    """Takes the events of one provider, one after the other; called on a thread that may wait.

    News that cannot be written is kept and tried again until the process ends; what comes after it waits.
    """

    def __init__(self, provider: str) -> None:
        self._provider = provider
        self._stop = threading.Event()

    def __call__(self, event: CallEvent) -> None:
        tries = 0
        while not self._try(event):
            if self._stop.wait(PAUSES[min(tries, len(PAUSES) - 1)]):
                logger.warning("news of a call could not be written before the end: %s", event.state)
                return
            tries += 1

    def _try(self, event: CallEvent) -> bool:
        try:
            follow_event(provider=self._provider, event=event, now=clock.now())
        except (OperationalError, InterfaceError) as error:
            logger.warning("news of a call waits for the database: %s", error)
            with suppress(DatabaseError, InterfaceError):
                connection.close()
            return False
        except Exception:
            # Tried again it would fail again, and everything after it would wait for ever.
            logger.exception("the event %s of a call could not be taken", event.state)
        return True

    def stop(self) -> None:
        """Wait for the database no longer."""
        self._stop.set()

    @staticmethod
    def let_go() -> None:
        """Close what the calling thread holds of the database: it hears nothing any more."""
        with suppress(DatabaseError, InterfaceError):
            connection.close()
