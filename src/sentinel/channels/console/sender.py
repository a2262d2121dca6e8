"""Accepts at once: the console shows what the outbox holds, there is nobody to hand it to."""

from __future__ import annotations

from datetime import datetime

from sentinel.channels.base import Capabilities, Sent
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed


class ConsoleSender:
    """The channel ``console``."""

    channel = "console"
    capabilities = Capabilities(may_repeat=True, connections=1, batch=200, is_at_once=True)

    def send(self, message: Claimed, now: datetime) -> Sent:
        """Accept; the notice is visible from the settlement on."""
        return Sent(result=Result.ACCEPTED, provider="console", provider_ref=str(message.id))

    def close(self) -> None:
        """Nothing is held open."""
