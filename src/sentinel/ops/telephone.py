"""What `sentinel doctor calls` does: ask the exchange whether it is there, and let one telephone ring."""

from __future__ import annotations

import queue
from collections.abc import Iterator

from django.conf import settings

from sentinel.calls.messages import TEST_WHISPER
from sentinel.calls.numbers import callable_number, sip_hosts
from sentinel.calls.rules import EndReason
from sentinel.channels import registry
from sentinel.channels.voice.base import Accepted, CallEvent, CallPort, CallState, Intent
from sentinel.channels.voice.exchange import Exchange
from sentinel.channels.voice.listener import Listener
from sentinel.channels.voice.sender import VoiceSender
from sentinel.kernel import clock
from sentinel.kernel.ids import new_token
from sentinel.people.models import User

#: How long a test waits for its end: ringing, and what an exchange may take to say that it is silent.
SECONDS = 70.0


class Telling(Listener):
    """Keeps the events for whoever reads them."""

    def __init__(self, provider: str) -> None:
        super().__init__(provider)
        self.events: queue.SimpleQueue[CallEvent] = queue.SimpleQueue()

    def __call__(self, event: CallEvent) -> None:
        self.events.put(event)


def port() -> CallPort | None:
    """Who places calls for this process; None when people dial themselves."""
    if VoiceSender.channel not in registry.channels():
        return None
    sender = registry.sender_of(VoiceSender.channel)
    return sender.port if isinstance(sender, VoiceSender) else None


def ring(user: User, exchange: Exchange) -> Iterator[tuple[str, bool | None]]:
    """Let the user's own telephone ring. Yields a line for each thing that happens and, with the last one,
    whether it was answered."""
    number = callable_number(user.telephone, sip_hosts=sip_hosts())
    if not number:
        yield f"{user} has no telephone number that can be dialled: {user.telephone or 'none'}", False
        return
    telling = Telling(exchange.provider)
    telephone = exchange.heard_by(telling)
    spoken = user.language.split("-")[0]
    try:
        placed = telephone.place(
            Intent(
                key=new_token(),
                owner_number=number,
                worker_number="",
                caller_id=settings.CALLS_BY.caller,
                whisper=TEST_WHISPER.get(spoken, TEST_WHISPER["en"]),
                language=user.language,
            ),
            clock.now(),
        )
        if not isinstance(placed, Accepted):
            yield f"not placed: {placed.reason}", False
            return
        yield from _until_over(telling)
    finally:
        telephone.close()


def _until_over(telling: Telling) -> Iterator[tuple[str, bool | None]]:
    while True:
        try:
            event = telling.events.get(timeout=SECONDS)
        except queue.Empty:
            yield "nothing more was heard", False
            return
        said = event.state.value.replace("_", " ") + (f": {event.detail}" if event.detail else "")
        if event.state is CallState.ENDED:
            yield said, event.reason is EndReason.COMPLETED
            return
        yield said, None
