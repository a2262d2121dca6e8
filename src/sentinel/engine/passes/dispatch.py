"""Sends what the outbox holds: claim, send outside any transaction, settle with the lease.

Nothing is marked before a provider has accepted it. A crash between the two repeats exactly what was in
flight, under the same identity, when the lease has run out: per connection the message under way, and those
accepted ones that were to be written down together (``Capabilities.together``).
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from sentinel.channels import registry
from sentinel.channels.base import ManySender, Sender, Sent, Tried
from sentinel.kernel import traces
from sentinel.outbox.gate import open_gate
from sentinel.outbox.rules import Result, State
from sentinel.outbox.selectors import next_visible_at
from sentinel.outbox.services import (
    LEASE,
    Claimed,
    LeaseLost,
    Taken,
    accept_at_once,
    claim,
    give_back,
    settle,
    settle_accepted,
)
from sentinel.workflows.next_way import after_try
from sentinel.workflows.report_failed_message import report_failed_message

logger = logging.getLogger(__name__)

#: When the database goes away between sending and settling, the answer is kept and written again.
SETTLE_PAUSE_SECONDS = 0.25
#: What was accepted is written down at the latest after so long, even when no group is full.
LONGEST_UNWRITTEN_SECONDS = 0.1
#: A batch is meant to take so long: what is more urgent than its rest waits for the next claim.
BATCH_SECONDS = 0.25
_FIRST_BATCH = 5
_gates: dict[str, threading.Lock] = {}
_gates_lock = threading.Lock()

Clock = Callable[[], datetime]
_Written = TypeVar("_Written")


@dataclass
class Pace:
    """How many messages a dispatcher takes at once: as many as it sends within :data:`BATCH_SECONDS`."""

    most: int
    size: int = field(init=False)

    def __post_init__(self) -> None:
        self.size = min(self.most, _FIRST_BATCH)

    def learn(self, *, tried: int, seconds: float) -> None:
        """Take what a batch took into account."""
        if seconds > BATCH_SECONDS:
            self.size = max(1, min(self.size, int(tried * BATCH_SECONDS / seconds)))
        elif tried >= self.size and seconds < BATCH_SECONDS / 2:
            self.size = min(self.most, self.size * 2)


def run(now: datetime) -> int:
    """Send everything that is due on every channel, one after the other; returns how many tries."""
    tries = 0
    while handled := sum(_turn(channel, lambda: now) for channel in registry.channels()):
        tries += handled
    return tries


def handle_one(now: datetime) -> bool:
    """Try the most urgent message of the first channel that has one."""
    return any(_turn(channel, lambda: now, limit=1) for channel in registry.channels())


def _turn(channel: str, clock: Clock, limit: int | None = None) -> int:
    due = next_visible_at(channel)
    if due is None or due > clock():
        return 0
    return dispatch_channel(channel=channel, clock=clock, limit=limit)


def dispatch_channel(
    *,
    channel: str,
    clock: Clock,
    limit: int | None = None,
    stop: threading.Event | None = None,
    lease: timedelta = LEASE,
    on_full: Callable[[], None] = lambda: None,
) -> int:
    """Claim one batch of a channel and try it; returns how many messages were claimed.

    ``clock`` is read again for each settlement, because a try takes time. What was claimed but not begun,
    because ``stop`` is set or the batch took long, is given back at once. ``on_full`` is called before the
    batch is tried when it is as large as it may be: others may find more.
    """
    sender = registry.sender_of(channel)
    limit = limit or sender.capabilities.batch
    now = clock()
    if sender.capabilities.is_at_once:
        accepted = accept_at_once(channel=channel, limit=limit, now=now)
        if accepted:
            logger.info("%s messages accepted by %s", accepted, channel)
        return accepted
    _pass_gate(channel, now)
    # The gate takes its time on a busy machine: a lease from before it may be over before we send.
    batch = claim(channel=channel, limit=limit, now=clock(), lease=lease, spread=True)
    if len(batch) >= limit:
        on_full()
    if batch:
        _Desk(sender, clock, lease).work_off(batch, stop)
    return len(batch)


def _pass_gate(channel: str, now: datetime) -> None:
    """Open the gate, or wait for whoever is doing so: two who look at the same rows do it all twice."""
    with _gates_lock:
        gate = _gates.setdefault(channel, threading.Lock())
    if gate.acquire(blocking=False):
        try:
            open_gate(channel=channel, now=now)
        finally:
            gate.release()
    else:
        with gate:
            return


class _Desk:
    """One batch: gives the sender one message after the other, and writes down what came of them."""

    def __init__(self, sender: Sender, clock: Clock, lease: timedelta) -> None:
        self._sender = sender
        self._clock = clock
        self._lease = lease
        self._begun = 0
        self._unanswered: dict[int, Claimed] = {}
        self._taken: list[Taken] = []
        self._taken_since = 0.0

    def work_off(self, batch: Sequence[Claimed], stop: threading.Event | None) -> None:
        """Try the batch; what was not begun goes back at once."""
        with closing(self._tries(self._begin(batch, stop))) as tries:
            for tried in tries:
                if tried is None:
                    self._write_taken()
                else:
                    self._deliver(*tried)
        self._write_taken()
        if self._begun < len(batch):
            self._insist(lambda: give_back(batch[self._begun :]))

    def _begin(self, batch: Sequence[Claimed], stop: threading.Event | None) -> Iterator[Claimed]:
        # A slow batch must not send what another engine may already have taken over.
        until = time.monotonic() + self._lease.total_seconds() / 3
        for message in batch:
            if (stop is not None and stop.is_set()) or time.monotonic() > until:
                return
            self._begun += 1
            self._unanswered[message.id] = message
            yield message

    def _tries(self, messages: Iterator[Claimed]) -> Generator[Tried | None, None, None]:
        if not isinstance(self._sender, ManySender):
            for message in messages:
                yield message, _try(message, self._sender, self._clock())
            return
        try:
            yield from self._sender.send_many(messages)
        except Exception as error:
            # Senders do not raise by contract; one that does must not stop its channel.
            logger.exception("the sender of %s failed", self._sender.channel)
            for message in list(self._unanswered.values()):
                yield message, _broken(error)

    def _deliver(self, message: Claimed, sent: Sent) -> None:
        self._unanswered.pop(message.id, None)
        sent = _settled_as(sent, self._sender)
        together = self._sender.capabilities.together
        if together == 1 or sent.result is not Result.ACCEPTED or message.payload.get("further"):
            self._write_alone(message, sent)
            return
        now = time.monotonic()
        self._taken_since = self._taken_since if self._taken else now
        words = {"detail": sent.detail, "provider": sent.provider, "provider_ref": sent.provider_ref}
        self._taken.append(Taken(message=message, **words))
        # The next message is under way already: it counts, too.
        if len(self._taken) >= together - 1 or now - self._taken_since > LONGEST_UNWRITTEN_SECONDS:
            self._write_taken()

    def _write_alone(self, message: Claimed, sent: Sent) -> None:
        try:
            self._insist(lambda: _settle(message, sent, self._clock()))
        except LeaseLost:
            _say_lost(message)
        else:
            _say(message, sent.result)

    def _write_taken(self) -> None:
        taken, self._taken = self._taken, []
        if not taken:
            return
        try:
            lost = self._insist(lambda: settle_accepted(taken, now=self._clock()))
        except (OperationalError, InterfaceError):
            raise
        except DatabaseError:
            logger.exception("%s results could not be written together; now one by one", len(taken))
            for one in taken:
                self._write_alone(
                    one.message,
                    Sent(
                        result=Result.ACCEPTED,
                        detail=one.detail,
                        provider=one.provider,
                        provider_ref=one.provider_ref,
                    ),
                )
            return
        lost_ids = {message.id for message in lost}
        for one in taken:
            if one.message.id in lost_ids:
                _say_lost(one.message)
            else:
                _say(one.message, Result.ACCEPTED)

    def _insist(self, write: Callable[[], _Written]) -> _Written:
        """Write; when the database is away, again and again for a third of the lease."""
        lease_ends = time.monotonic() + self._lease.total_seconds() / 3
        while True:
            try:
                return write()
            except (OperationalError, InterfaceError):
                # The provider has it; forgetting that would send it again for nothing.
                if connection.in_atomic_block or time.monotonic() > lease_ends:
                    raise
                connection.close()
                time.sleep(SETTLE_PAUSE_SECONDS)


def _say_lost(message: Claimed) -> None:
    with traces.about(problem_id=message.problem_id, message_id=message.id):
        logger.warning("message %s was taken over before its result was written", message.id)


def _say(message: Claimed, result: Result) -> None:
    """One line per try. The address stays out of it: logs go where data of people must not."""
    with traces.about(problem_id=message.problem_id, message_id=message.id):
        if result is Result.ACCEPTED:
            logger.info("message accepted by %s: %s", message.channel, message.kind)
        else:
            logger.warning("message not accepted by %s: %s, %s", message.channel, message.kind, result.value)


def _try(message: Claimed, sender: Sender, now: datetime) -> Sent:
    try:
        with traces.about(problem_id=message.problem_id, message_id=message.id):
            return sender.send(message, now)
    except Exception as error:
        # Senders do not raise by contract; one that does must not stop its channel.
        logger.exception("the sender of %s failed on message %s", message.channel, message.id)
        return _broken(error)


def _broken(error: Exception) -> Sent:
    return Sent(result=Result.TRANSIENT, detail=f"{type(error).__name__}: {error}")


def _settled_as(sent: Sent, sender: Sender) -> Sent:
    """An unclear result is tried again where a second copy does no harm."""
    if sent.result is Result.UNKNOWN and sender.capabilities.may_repeat:
        return Sent(result=Result.TRANSIENT, detail=sent.detail, provider=sent.provider)
    return sent


def _settle(message: Claimed, sent: Sent, now: datetime) -> None:
    """Write the result; a failure and the report of it commit together."""
    if sent.result is Result.ACCEPTED:
        if not message.payload.get("further"):
            _write(message, sent, now)  # nearly always: one statement, one round trip
            return
        with transaction.atomic():
            after_try(message=message, state=_write(message, sent, now), now=now)
        return
    try:
        with transaction.atomic():
            state = _write(message, sent, now)
            after_try(message=message, state=state, now=now)
            if state in (State.FAILED, State.DEAD, State.UNKNOWN):
                report_failed_message(
                    message=message,
                    state=state,
                    reason=sent.detail,
                    address_refused=sent.address_refused,
                    now=now,
                )
    except (LeaseLost, OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("the failure of message %s could not be reported", message.id)
        _write(message, sent, now)


def _write(message: Claimed, sent: Sent, now: datetime) -> State:
    return settle(
        claimed=message,
        result=sent.result,
        now=now,
        detail=sent.detail,
        provider=sent.provider,
        provider_ref=sent.provider_ref,
        is_away=sent.is_away,
    )
