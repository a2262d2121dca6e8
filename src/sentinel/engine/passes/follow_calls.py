"""Follows the calls that are going on: hangs up where that is wished, and finds the ones nobody follows.

An engine that dies takes the knowledge of its calls along; the people may go on talking. Whoever holds a
call says so every few seconds; one that nobody has held for a while is lost, and its caller is told.
"""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError

from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import TEST_LASTS, CallEvent, CallState, EndReason, end_unreported, rank
from sentinel.calls.selectors import ASKED, going_on, was_reported
from sentinel.calls.services import keep_in_sight
from sentinel.channels import registry
from sentinel.channels.voice.base import CallPort, CallStatus, FindingPort, HoldingPort, Unavailable
from sentinel.channels.voice.sender import VoiceSender
from sentinel.engine.passes.watch_exchange import Watch
from sentinel.kernel import traces
from sentinel.workflows.follow_call import could_not_place, end_call, follow_event, was_placed
from sentinel.workflows.place_call import end_if_withdrawn

logger = logging.getLogger(__name__)

#: How often an engine says that it still holds a call.
SEEN_EVERY = timedelta(seconds=5)
#: A provider that reports by itself is asked about a call of which it has said nothing for so long.
SILENT_FOR = timedelta(seconds=30)
#: ... and sooner when it has never said anything: perhaps none of its reports reach us.
UNHEARD_FOR = timedelta(seconds=10)
#: Nobody has known the call for so long: it is lost.
LOST_AFTER = timedelta(seconds=25)
#: A placing that stayed unclear is looked for so long; then the caller is told. Longer than the lease of an
#: engine that died before it placed anything: another one may still do it.
LOOKED_FOR = timedelta(seconds=40)
#: A provider that cannot be asked about a call for so long will not tell its end either: nobody may have to
#: wait for ever before they can call again.
ASKED_FOR = timedelta(minutes=10)
#: Seconds between two looks while a call is going on, and otherwise; and the least, whoever rings the bell.
BUSY, IDLE, LEAST = 1.0, 5.0, 0.2
#: After a pause of our own the others get so many seconds to say which calls they hold.
GRACE = 12.0


def port_of_process() -> CallPort | None:
    """The call port of this process; None where people dial themselves."""
    if VoiceSender.channel not in registry.channels():
        return None
    sender = registry.sender_of(VoiceSender.channel)
    return sender.port if isinstance(sender, VoiceSender) else None


def run(now: datetime) -> int:
    """Look at every call going on once; returns how many came further by it."""
    port = port_of_process()
    return sum(follow(call, port, now=now) for call in going_on())


def let_go() -> None:
    """This engine ends: telephones stop ringing, people who talk go on talking."""
    port = port_of_process()
    if port is not None and isinstance(port, HoldingPort):
        port.close()


class Follower:
    """The thread of one engine that follows calls."""

    def __init__(self) -> None:
        self._looked_at = float("-inf")
        self._graceful_until = 0.0
        self._watch = Watch()

    def turn(self, now: datetime) -> float:
        """One look; returns the seconds until the next."""
        port = port_of_process()
        at = time.monotonic()
        since = at - self._looked_at
        if since < LEAST:
            return LEAST - since
        self._watch.turn(port)
        if since > 2 * IDLE:
            self._graceful_until = at + GRACE
        calls = going_on()
        for call in calls:
            follow(call, port, now=now, may_lose=at >= self._graceful_until)
        self._looked_at = at
        return BUSY if calls and port is not None else IDLE


def follow(call: PlacedCall, port: CallPort | None, *, now: datetime, may_lose: bool = True) -> bool:
    """Look at one call; returns whether it came further. Whatever is wrong with it stops no other."""
    with traces.about(problem_id=call.problem_id):
        try:
            if end_if_withdrawn(call, now=now):
                return True
            if call.is_test and now - call.requested_at > TEST_LASTS:
                return _give_up_test(call, port, now=now)
            if port is None or call.provider != port.provider:
                # The setting was changed while somebody talked.
                return may_lose and _is_unseen(call, LOOKED_FOR, now) and _lose(call, now=now)
            return _look_at(call, port, now=now, may_lose=may_lose)
        except (OperationalError, InterfaceError):
            raise
        except Unavailable as error:
            logger.warning("the provider cannot be asked about call %s: %s", call.pk, error)
        except Exception:
            logger.exception("call %s cannot be followed", call.pk)
        return may_lose and _is_unseen(call, ASKED_FOR, now) and _lose(call, now=now)


def _look_at(call: PlacedCall, port: CallPort, *, now: datetime, may_lose: bool) -> bool:
    if not call.provider_ref:
        return _look_for(call, port, now=now)
    if call.hang_up_asked_at is not None:
        port.hang_up(call.provider_ref)
    if port.capabilities.callbacks:
        return _ask(call, port, now=now)
    return _hold(call, port, now=now, may_lose=may_lose)


def _look_for(call: PlacedCall, port: CallPort, *, now: datetime) -> bool:
    """A call that nobody has a name for: wished a moment ago, unclear, or given up with its engine."""
    if isinstance(port, FindingPort) and _is_unseen(call, SEEN_EVERY, now):
        try:
            ref = port.find(call.key, call.requested_at)
        except Unavailable:
            if not _is_unseen(call, LOOKED_FOR, now):
                raise
            ref = None  # its caller waits no longer for a service that is away
        if ref is not None:
            was_placed(key=call.key, ref=ref, now=now)
            return True
    if not _is_unseen(call, LOOKED_FOR, now):
        return False
    return could_not_place(key=call.key, reason="nobody knows whether it rang", now=now)


def _hold(call: PlacedCall, port: CallPort, *, now: datetime, may_lose: bool) -> bool:
    """A port that only knows the calls of its own process."""
    status = port.status(call.provider_ref)
    if status is None:
        return may_lose and _is_unseen(call, LOST_AFTER, now) and _lose(call, now=now)
    if status.state is CallState.ENDED:
        # Its own news is under way, unless it could not be written at all.
        return _is_unseen(call, LOST_AFTER, now) and _take(call, status, now=now)
    if _is_unseen(call, SEEN_EVERY, now):
        keep_in_sight([call.provider_ref], provider=call.provider, now=now)
    return False


def _ask(call: PlacedCall, port: CallPort, *, now: datetime) -> bool:
    """A provider that reports by itself and has not done so for a while."""
    if not _is_unseen(call, UNHEARD_FOR, now):
        return False
    if not _is_unseen(call, SILENT_FOR, now) and was_reported(call):
        return False
    status = port.status(call.provider_ref)
    if status is None:
        return _lose(call, now=now)
    if rank(status.state) > rank(CallState(call.state)):
        if status.reason is not None and not was_reported(call):
            unheard = end_unreported(status.reason, status.leg, is_test=call.is_test)
            status = replace(status, reason=unheard)
        return _take(call, status, now=now)
    keep_in_sight([call.provider_ref], provider=call.provider, now=now)
    return False


def _take(call: PlacedCall, status: CallStatus, *, now: datetime) -> bool:
    event = CallEvent(
        key=call.key,
        ref=call.provider_ref,
        event_id=f"{ASKED}{status.state.value}",
        state=status.state,
        at=now,
        leg=status.leg,
        reason=status.reason,
        detail="asked, because no news came",
        talk_seconds=status.talk_seconds,
    )
    return follow_event(provider=call.provider, event=event, now=now)


def _give_up_test(call: PlacedCall, port: CallPort | None, *, now: datetime) -> bool:
    is_silent = port is not None and port.capabilities.callbacks and not was_reported(call)
    reason = EndReason.UNHEARD if is_silent and call.provider_ref else EndReason.LOST
    return end_call(key=call.key, event_id="given-up", reason=reason, detail="", now=now)


def _lose(call: PlacedCall, *, now: datetime) -> bool:
    logger.warning("call %s is lost: nobody follows it any more", call.pk)
    detail = "nobody follows it any more"
    return end_call(key=call.key, event_id="lost", reason=EndReason.LOST, detail=detail, now=now)


def _is_unseen(call: PlacedCall, duration: timedelta, now: datetime) -> bool:
    return now - call.seen_at > duration
