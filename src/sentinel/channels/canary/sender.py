"""Accepts at once: a test message has arrived when the engine has claimed, tried and settled it."""

from __future__ import annotations

from datetime import datetime

from sentinel.channels.base import Capabilities, Sent
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed


class CanarySender:
    """The channel ``canary``."""

    channel = "canary"
    capabilities = Capabilities(may_repeat=True, connections=1, batch=1)

    def send(self, message: Claimed, now: datetime) -> Sent:
        """Accept."""
        return Sent(result=Result.ACCEPTED, provider="canary", provider_ref=message.dedupe_key)

    def close(self) -> None:
        """Nothing is held open."""
