"""What `sentinel doctor calls` does: ask the exchange whether it is there, and let one telephone ring."""

from __future__ import annotations

import time
from collections.abc import Iterator

from django.conf import settings

from sentinel.calls.errors import CallRefused
from sentinel.calls.messages import test_words
from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import EndReason
from sentinel.channels.voice.base import Accepted, CallPort, HoldingPort, Intent, Rejected
from sentinel.engine.passes.follow_calls import follow, port_of_process
from sentinel.kernel import clock
from sentinel.people.models import User
from sentinel.workflows.follow_call import could_not_place, was_placed
from sentinel.workflows.test_call import store_test_call, wish_of

#: Seconds between two looks at the row.
LOOKS_EVERY = 0.2
#: A line to print and, with the last one, whether the telephone was answered.
Line = tuple[str, bool | None]

__all__ = ["Line", "port_of_process", "ring"]


def ring(user: User, port: CallPort) -> Iterator[Line]:
    """Let the user's own telephone ring, from this process, and follow it to its end like an engine would.

    Reports of a voice service come to the web server, which writes them into the same row.
    """
    try:
        call = store_test_call(user=user, now=clock.now())
    except CallRefused as refused:
        yield f"{user}: {refused.message}", False
        return
    try:
        placed = port.place(Intent(caller_id=settings.CALLS_BY.caller, **wish_of(call)), clock.now())
        if isinstance(placed, Accepted):
            was_placed(key=call.key, ref=placed.ref, now=clock.now())
        elif isinstance(placed, Rejected):
            could_not_place(key=call.key, reason=placed.reason, now=clock.now())
        yield from _until_over(call, port)
    finally:
        if isinstance(port, HoldingPort):
            port.close()


def _until_over(call: PlacedCall, port: CallPort) -> Iterator[Line]:
    """What is said about the call, as it is said. It ends: whoever follows a test gives it up in time."""
    said = 0
    while True:
        call.refresh_from_db()
        for step in call.steps.filter(pk__gt=said):
            said = step.pk
            yield step.state.replace("_", " ") + (f": {step.detail}" if step.detail else ""), None
        if not call.is_going_on:
            yield from _how_it_ended(call)
            return
        follow(call, port, now=clock.now())
        time.sleep(LOOKS_EVERY)


def _how_it_ended(call: PlacedCall) -> Iterator[Line]:
    reason = EndReason(call.reason)
    if reason is EndReason.UNHEARD:
        # Said by name and value: whoever calls the doctor can read and change it.
        text = (
            "The voice service took the call but never reported back. Check SENTINEL_BASE_URL"
            f" ({settings.BASE_URL}): the service must reach the addresses below {settings.BASE_URL}/voice/"
            " by POST, and the web server must have the same settings as this command."
        )
        yield text, False
        return
    title, text = test_words("en", reason=reason, detail=call.detail)
    yield f"{title}. {text}", reason is EndReason.COMPLETED
