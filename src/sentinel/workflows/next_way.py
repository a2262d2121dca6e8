"""One event, one notice per person: on their best way first, on the next one only when it is needed.

All ways are written when the notice is decided (L2, L3), each later one due a step after the one before.
So nothing has to remember to go on: what is not taken back in time is sent. Reading the notice or acting
on its problem takes the later ways back; a failure lets the next one go at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sentinel.outbox.rules import Priority, State
from sentinel.outbox.services import Claimed, NewMessage, hasten, withdraw

#: An alarm that stays unread so long goes on the next way as well …
UNREAD_FOR = timedelta(seconds=60)
#: … and other notices only when the way before has not been accepted for so long.
UNTAKEN_FOR = timedelta(minutes=15)
#: So many failed tries let the next way go at once; the one before keeps being tried all the same.
FAILURES = 2


def in_turn(messages: Sequence[NewMessage], *, start: datetime) -> list[NewMessage]:
    """The same notice on several ways, best first: when each is due, and which ones follow it.

    ``further`` in a payload: keys of the ways after it. ``insists``: it goes on until it is read. ``wait``:
    how many seconds after the best way it is due, wherever both are put off to.
    The console's notice names the same keys as ``other_ways``; it is where reading is seen.
    """
    keys = [message.dedupe_key for message in messages]
    turned = []
    for number, message in enumerate(messages):
        insists = message.priority <= Priority.LADDER
        due_at = start + number * (UNREAD_FOR if insists else UNTAKEN_FOR)
        further = keys[number + 1 :]
        more: dict[str, object] = {"further": further, "insists": insists} if further else {}
        if number:
            more["wait"] = int((due_at - start).total_seconds())
        turned.append(message.but(due_at=due_at, payload={**message.payload, **more}))
    return turned


def after_try(*, message: Claimed, state: State, now: datetime) -> None:
    """What a try on one way means for the ways after it. Runs in the settlement's transaction."""
    further: list[str] = message.payload.get("further") or []
    if not further:
        return
    if state in (State.ACCEPTED, State.DELIVERED):
        if not message.payload.get("insists"):
            withdraw(further, now=now)
    elif state is not State.PENDING or message.attempts >= FAILURES:
        for key in message.payload.get("next") or further[:1]:
            hasten(key, now=now)
