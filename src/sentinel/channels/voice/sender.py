"""The channel ``voice``: a claimed wish to talk becomes a call that rings, or a caller who is told.

A person waits with the telephone in hand. So nothing is tried for long, a call that comes too late is not
placed at all, and whatever fails before a ring is told at once. A telephone that rings twice is worse than
one that does not: an unclear placing is looked up, never repeated blindly.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from django.db import InterfaceError, OperationalError

from sentinel.calls.rules import PLACED_WITHIN
from sentinel.channels.base import Capabilities, Sent
from sentinel.channels.voice.base import (
    Accepted,
    CallPort,
    FindingPort,
    Intent,
    Rejected,
    Unavailable,
)
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed
from sentinel.workflows import follow_call

logger = logging.getLogger(__name__)

#: A refusal that may pass is tried once more, a few seconds later; then the caller dials.
TRIES = 2
#: A process that stood still for so long between its wish and its placing asks nobody any more: others have
#: told the caller to dial.
HELD_UP_SECONDS = 12.0


class Book(Protocol):
    """Where calls are written down."""

    def wish_to_place(self, *, key: str, can_ask: bool, now: datetime) -> bool:
        """Whether the call may ring now. ``can_ask``: the provider knows what rings."""

    def was_refused(self, *, key: str) -> None:
        """It did not ring, and may be tried again."""

    def was_placed(self, *, key: str, ref: str, now: datetime) -> None:
        """The provider has it under this name."""

    def could_not_place(self, *, key: str, reason: str, now: datetime) -> bool:
        """It never rang, and will not. False: a provider has it all the same."""


class Calls:
    """The book that counts: the rows of placed calls."""

    def wish_to_place(self, *, key: str, can_ask: bool, now: datetime) -> bool:
        return follow_call.wish_to_place(key=key, can_ask=can_ask, now=now)

    def was_refused(self, *, key: str) -> None:
        follow_call.was_refused(key=key)

    def was_placed(self, *, key: str, ref: str, now: datetime) -> None:
        follow_call.was_placed(key=key, ref=ref, now=now)

    def could_not_place(self, *, key: str, reason: str, now: datetime) -> bool:
        return follow_call.could_not_place(key=key, reason=reason, now=now)


class VoiceSender:
    """Places calls through one port; ``caller_id`` is the number that people see."""

    channel = "voice"
    capabilities = Capabilities(may_repeat=False, connections=2, batch=2)

    def __init__(
        self,
        port: CallPort,
        *,
        caller_id: str = "",
        book: Book | None = None,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.port = port
        self._steady = steady
        self._caller_id = caller_id
        self._book = book or Calls()

    def send(self, message: Claimed, now: datetime) -> Sent:
        """Let the caller's telephone ring, or say why not. A repeated message is the same call."""
        key = str(message.payload["key"])
        if now - message.created_at > PLACED_WITHIN:
            return self._given_up(key, "Sentinel could not place it in time", now)
        began, can_ask = self._steady(), isinstance(self.port, FindingPort)
        if not self._book.wish_to_place(key=key, can_ask=can_ask, now=now):
            return self._accepted("", detail="the call is not wanted any more, or rings already")
        try:
            # A claim that was never settled: its call may be ringing.
            known = self._find(key, message.created_at) if message.attempts > 1 else None
        except Unavailable as error:
            return Sent(result=Result.TRANSIENT, detail=str(error), provider=self.port.provider)
        if known is not None:
            return self._placed(key, known, now)
        if self._steady() - began > HELD_UP_SECONDS:
            return self._given_up(key, "Sentinel was held up and did not place it in time", now)
        return self._place(message, key, now)

    def _place(self, message: Claimed, key: str, now: datetime) -> Sent:
        placed = self.port.place(self._intent(message), now)
        if isinstance(placed, Accepted):
            return self._placed(key, placed.ref, now)
        if isinstance(placed, Rejected):
            if placed.permanent or message.attempts >= TRIES:
                return self._given_up(key, placed.reason, now)
            self._book.was_refused(key=key)
            return Sent(result=Result.TRANSIENT, detail=placed.reason, provider=self.port.provider)
        try:
            known = self._find(key, message.created_at)
        except Unavailable:
            known = None
        if known is not None:
            return self._placed(key, known, now)
        # It may still ring: the pass that follows calls asks again, and tells the caller in the end.
        return Sent(result=Result.UNKNOWN, detail=placed.reason, provider=self.port.provider)

    def _intent(self, message: Claimed) -> Intent:
        payload = message.payload
        return Intent(
            key=str(payload["key"]),
            owner_number=str(payload["owner_number"]),
            worker_number=str(payload["worker_number"]),
            caller_id=self._caller_id,
            whisper=str(payload.get("whisper", "")),
            language=str(payload.get("language", "en")),
        )

    def _find(self, key: str, since: datetime) -> str | None:
        return self.port.find(key, since) if isinstance(self.port, FindingPort) else None

    def _placed(self, key: str, ref: str, now: datetime) -> Sent:
        try:
            self._book.was_placed(key=key, ref=ref, now=now)
        except (OperationalError, InterfaceError):
            # It rings; the events bring its name along.
            logger.warning("the database went away while a call was placed")
        return self._accepted(ref)

    def _accepted(self, ref: str, *, detail: str = "") -> Sent:
        return Sent(result=Result.ACCEPTED, detail=detail, provider=self.port.provider, provider_ref=ref)

    def _given_up(self, key: str, reason: str, now: datetime) -> Sent:
        if not self._book.could_not_place(key=key, reason=reason, now=now):
            return self._accepted("", detail="it goes on already")
        return Sent(result=Result.PERMANENT, detail=reason, provider=self.port.provider)

    def close(self) -> None:
        """Nothing belongs to a thread; the engine closes the port when it ends."""
