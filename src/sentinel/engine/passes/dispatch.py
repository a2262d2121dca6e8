"""Sends what the outbox holds: claim, send outside any transaction, settle with the lease.

Nothing is marked before a provider has accepted it. A crash between the two repeats exactly what was in
flight, under the same identity, when the lease has run out.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, connection, transaction

from sentinel.channels import registry
from sentinel.channels.base import Sender, Sent
from sentinel.kernel import traces
from sentinel.outbox.gate import open_gate
from sentinel.outbox.rules import Result, State
from sentinel.outbox.services import LEASE, Claimed, LeaseLost, claim, settle
from sentinel.workflows.next_way import after_try
from sentinel.workflows.report_failed_message import report_failed_message

logger = logging.getLogger(__name__)

#: When the database goes away between sending and settling, the answer is kept and written again.
SETTLE_PAUSE_SECONDS = 0.25

Clock = Callable[[], datetime]


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
    return dispatch_channel(channel=channel, clock=clock, limit=limit)


def dispatch_channel(
    *,
    channel: str,
    clock: Clock,
    limit: int | None = None,
    stop: threading.Event | None = None,
    lease: timedelta = LEASE,
) -> int:
    """Claim one batch of a channel and try it; returns how many messages were claimed.

    ``clock`` is read again for each settlement, because a try takes time. When ``stop`` is set, what was
    claimed but not begun is left to its lease.
    """
    sender = registry.sender_of(channel)
    now = clock()
    open_gate(channel=channel, now=now)
    batch = claim(channel=channel, limit=limit or sender.capabilities.batch, now=now, lease=lease)
    started = time.monotonic()
    for message in batch:
        # A slow batch must not send what another engine may already have taken over.
        if (stop is not None and stop.is_set()) or time.monotonic() - started > lease.total_seconds() / 3:
            break
        with traces.about(problem_id=message.problem_id, message_id=message.id):
            _deliver(message, sender, clock, lease)
    return len(batch)


def _deliver(message: Claimed, sender: Sender, clock: Clock, lease: timedelta) -> None:
    sent = _try(message, sender, clock())
    lease_ends = time.monotonic() + lease.total_seconds() / 3
    while True:
        try:
            _settle(message, sent, clock())
        except LeaseLost:
            logger.warning("message %s was taken over before its result was written", message.id)
        except (OperationalError, InterfaceError):
            # The provider has it; forgetting that would send it again for nothing.
            if connection.in_atomic_block or time.monotonic() > lease_ends:
                raise
            connection.close()
            time.sleep(SETTLE_PAUSE_SECONDS)
            continue
        else:
            _say(message, sent)
        return


def _say(message: Claimed, sent: Sent) -> None:
    """One line per try. The address stays out of it: logs go where data of people must not."""
    if sent.result is Result.ACCEPTED:
        logger.info("message accepted by %s: %s", message.channel, message.kind)
    else:
        logger.warning("message not accepted by %s: %s, %s", message.channel, message.kind, sent.result.value)


def _try(message: Claimed, sender: Sender, now: datetime) -> Sent:
    try:
        sent = sender.send(message, now)
    except Exception as error:
        # Senders do not raise by contract; one that does must not stop its channel.
        logger.exception("the sender of %s failed on message %s", message.channel, message.id)
        sent = Sent(result=Result.TRANSIENT, detail=f"{type(error).__name__}: {error}")
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
    )
