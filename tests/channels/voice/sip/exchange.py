"""What tests of whole calls need: the adapter, the events it told, and calls made of two addresses."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sentinel.channels.voice.base import Accepted, CallEvent, CallState, Intent
from sentinel.channels.voice.sip.calls import SipCalls
from sentinel.channels.voice.sip.settings import SipSettings

TEMPLATE = "sip:{number}@127.0.0.1"
SETTINGS = SipSettings(number_template=TEMPLATE, listen="127.0.0.1")


def intent(owner: str, worker: str, **changes: object) -> Intent:
    """A call between two addresses."""
    wanted: dict[str, object] = {
        "key": uuid.uuid4().hex,
        "owner_number": owner,
        "worker_number": worker,
        "caller_id": "+498912345",
        "ring_owner_seconds": 10,
        "ring_worker_seconds": 10,
    }
    return Intent(**{**wanted, **changes})  # type: ignore[arg-type]


class Office:
    """The adapter together with everything it has told."""

    def __init__(self, calls: SipCalls) -> None:
        self.calls = calls
        self.events: list[CallEvent] = []
        self._news = threading.Condition()

    def told(self, event: CallEvent) -> None:
        with self._news:
            self.events.append(event)
            self._news.notify_all()

    def call(self, owner: str, worker: str, **changes: object) -> str:
        """Place a call; its ref."""
        placed = self.calls.place(intent(owner, worker, **changes), datetime.now(UTC))
        assert isinstance(placed, Accepted), placed
        return placed.ref

    def wait_for(
        self, ref: str, state: CallState, *, seconds: float = 30.0, detail: str | None = None
    ) -> CallEvent:
        """The event with which a call came to a state."""
        until = time.monotonic() + seconds
        with self._news:
            while True:
                for event in self.events:
                    if (event.ref, event.state) == (ref, state) and detail in (None, event.detail):
                        return event
                left = until - time.monotonic()
                assert left > 0, f"not {state} within {seconds} s: {self.events}"
                self._news.wait(left)

    def ended(self, ref: str) -> CallEvent:
        return self.wait_for(ref, CallState.ENDED)

    def states(self, ref: str) -> list[CallState]:
        """The states of a call in the order they were told."""
        return [e.state for e in self.events if e.ref == ref]


@contextmanager
def office(settings: SipSettings = SETTINGS) -> Iterator[Office]:
    """A running adapter."""
    told: list[Office] = []
    calls = SipCalls(settings, lambda event: told[0].told(event))
    told.append(Office(calls))
    calls.start()
    try:
        yield told[0]
    finally:
        calls.close(hang_up=True)
