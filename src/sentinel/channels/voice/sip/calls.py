"""The call port over SIP: one event loop on one thread of its own carries every call.

Events are handed over on a second thread, in order, so that a slow listener never delays a telephone.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import queue
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from sentinel.channels.voice.base import (
    Accepted,
    CallEvent,
    CallState,
    CallStatus,
    Capabilities,
    EndReason,
    Intent,
    Placed,
    Reachability,
    Rejected,
    Unclear,
    rank,
)
from sentinel.channels.voice.base import Leg as Side
from sentinel.channels.voice.sip.agent import Agent
from sentinel.channels.voice.sip.authentication import Authentication
from sentinel.channels.voice.sip.bridge import Bridge, Numbers, numbers_of
from sentinel.channels.voice.sip.dialog import Dialog
from sentinel.channels.voice.sip.endings import Ending
from sentinel.channels.voice.sip.message import Malformed, Message
from sentinel.channels.voice.sip.network import AsyncioNetwork, own_address
from sentinel.channels.voice.sip.settings import SipSettings
from sentinel.channels.voice.sip.wire import Path
from sentinel.kernel import clock

logger = logging.getLogger(__name__)

T = TypeVar("T")
OnEvent = Callable[[CallEvent], None]

#: How many calls that are over are still known to ``status`` and to the keys.
_REMEMBERED = 10_000
_SECONDS_TO_HAND_OVER = 5.0


@dataclass
class _Call:
    """What is known about one call."""

    intent: Intent
    ref: str
    bridge: Bridge | None = None
    state: CallState = CallState.REQUESTED
    reason: EndReason | None = None
    talk_seconds: int = 0
    events: int = 0


@dataclass(frozen=True)
class _Happened:
    """An event that only lacks its time; ``at`` is when it was on the machine's own clock."""

    event: Callable[..., CallEvent]
    at: float


class SipCalls:
    """Places calls through one exchange. Start it once, close it at the end; every method is thread-safe."""

    provider = "sip"
    # A second call with the same key is refused while this process remembers the first one; after a
    # restart nobody does, so the port does not promise it.
    capabilities = Capabilities(bridges=True, callbacks=False, idempotent=False, detects_machines=False)

    def __init__(
        self,
        settings: SipSettings,
        on_event: OnEvent,
        *,
        on_end: Callable[[], None] = lambda: None,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        """``on_event`` and, after the last event, ``on_end`` are called on the thread of the events."""
        self._settings = settings
        self._on_event = on_event
        self._on_end = on_end
        self._now = now
        self._loop = asyncio.new_event_loop()
        self._events: queue.SimpleQueue[_Happened | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._run, name="sip", daemon=True),
            threading.Thread(target=self._deliver, name="sip-events", daemon=True),
        ]
        self._lock = threading.Lock()
        self._calls: OrderedDict[str, _Call] = OrderedDict()
        self._by_key: dict[str, _Call] = {}
        self._network: AsyncioNetwork | None = None
        self._agent: Agent | None = None
        self._checks: set[asyncio.Task[Reachability]] = set()

    # --- from any thread

    def start(self) -> None:
        """Open the sockets; raises OSError when that fails."""
        for thread in self._threads:
            thread.start()
        self._on_loop(self._open())

    def close(self, *, hang_up: bool = False) -> None:
        """Stop ringing telephones, and let people who talk go on talking unless ``hang_up``.

        Their calls are known to nobody from then on; each ends when either of them hangs up.
        """
        if not self._threads[0].is_alive():
            self._loop.close()
            return
        try:
            self._on_loop(self._close(hang_up), seconds=3 * _SECONDS_TO_HAND_OVER)
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._events.put(None)
            for thread in self._threads:
                thread.join(_SECONDS_TO_HAND_OVER)

    def place(self, intent: Intent, now: datetime) -> Placed:
        """Let the owner's telephone ring. The same key is the same call."""
        try:
            numbers = numbers_of(self._settings, intent)
        except Malformed as error:
            return Rejected(permanent=True, reason=str(error))
        try:
            return self._on_loop(self._place(intent, numbers))
        except concurrent.futures.TimeoutError:
            return Unclear("the telephone loop does not answer")
        except RuntimeError as error:
            return Rejected(permanent=False, reason=f"calls are switched off: {error}")

    def status(self, ref: str) -> CallStatus | None:
        """Where a call stands; None for one that this process did not place, or has forgotten."""
        with self._lock:
            call = self._calls.get(ref)
            if call is None:
                return None
            talked = call.talk_seconds
            if call.state is CallState.BRIDGED and call.bridge is not None:
                talked = call.bridge.talked()
            return CallStatus(state=call.state, reason=call.reason, talk_seconds=talked)

    def hang_up(self, ref: str) -> None:
        """End a call in whatever state it is."""
        with self._lock:
            call = self._calls.get(ref)
        if call is not None and call.bridge is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(call.bridge.hang_up)

    def check(self) -> Reachability:
        """Ask the exchange whether it is there (OPTIONS), with credentials where it wants them."""
        try:
            return self._on_loop(self._checked(), seconds=self._settings.timing.patience + 1)
        except (concurrent.futures.TimeoutError, concurrent.futures.CancelledError, RuntimeError) as error:
            return Reachability(False, f"no answer: {error}", 0.0)

    def _on_loop(self, work: Coroutine[Any, Any, T], *, seconds: float = _SECONDS_TO_HAND_OVER) -> T:
        if not self._threads[0].is_alive():
            work.close()
            raise RuntimeError("not started, or closed")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    # --- on the thread of the loop

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
        finally:
            self._loop.close()

    async def _open(self) -> None:
        settings = self._settings
        host = settings.listen or own_address(settings.way_out or settings.domain)
        self._network = AsyncioNetwork(
            self._receive, host=host, port=settings.port, advertised=settings.advertised
        )
        await self._network.open()
        self._agent = Agent(
            self._network,
            timing=settings.timing,
            outbound=settings.way_out,
            always_outbound=settings.always_outbound,
        )

    def _receive(self, message: Message, path: Path) -> None:
        if self._agent is not None:
            self._agent.receive(message, path)

    async def _close(self, hang_up: bool) -> None:
        if self._agent is None or self._network is None:
            return
        for check in self._checks:
            check.cancel()
        for call in list(self._calls.values()):
            if call.bridge is not None and (hang_up or not call.bridge.is_bridged):
                call.bridge.hang_up("Sentinel is shutting down")
        talking = [c for c in self._calls.values() if c.state is CallState.BRIDGED]
        if hang_up or not talking:
            await self._agent.finish(_SECONDS_TO_HAND_OVER)
        else:
            # Whoever talks is left alone, so only the goodbyes of the others are waited for.
            await asyncio.sleep(2 * self._settings.timing.t1)
        self._network.close()
        await self._agent.abandon()

    async def _place(self, intent: Intent, numbers: Numbers) -> Placed:
        if self._agent is None:
            raise RuntimeError("not started")
        known = self._by_key.get(intent.key)
        if known is not None:
            return Accepted(known.ref)
        going_on = sum(1 for call in self._calls.values() if call.bridge is not None)
        if going_on >= self._settings.most_calls:
            return Rejected(permanent=False, reason="as many calls as allowed are going on")
        call = _Call(intent, f"sip-{secrets.token_hex(12)}")
        call.bridge = Bridge(
            self._agent,
            self._settings,
            intent,
            numbers,
            lambda state, side, ending: self._came_to(call, state, side, ending),
        )
        with self._lock:
            self._calls[call.ref] = self._by_key[intent.key] = call
            self._forget_old()
        self._agent.spawn(call.bridge.run())
        return Accepted(call.ref)

    def _forget_old(self) -> None:
        for ref in list(self._calls)[: max(0, len(self._calls) - _REMEMBERED)]:
            if self._calls[ref].bridge is None:
                self._by_key.pop(self._calls.pop(ref).intent.key, None)

    def _came_to(self, call: _Call, state: CallState, side: Side | None, ending: Ending | None) -> None:
        bridge = call.bridge
        with self._lock:
            if rank(state) < rank(call.state) or call.state is CallState.ENDED:
                return
            call.state = state
            call.events += 1
            if state is CallState.ENDED:
                call.reason = ending.reason if ending else None
                call.talk_seconds = bridge.talked() if bridge else 0
                call.bridge = None
        said = partial(
            CallEvent,
            key=call.intent.key,
            ref=call.ref,
            event_id=f"{call.ref}-{call.events}",
            state=state,
            leg=side,
            reason=call.reason,
            detail=ending.detail if ending else "",
            talk_seconds=call.talk_seconds,
        )
        self._events.put(_Happened(said, time.monotonic()))

    async def _checked(self) -> Reachability:
        check = asyncio.ensure_future(self._check())
        self._checks.add(check)
        check.add_done_callback(self._checks.discard)
        return await check

    async def _check(self) -> Reachability:
        if self._agent is None:
            raise RuntimeError("not started")
        target = self._settings.way_out or self._settings.domain
        caller = self._settings.caller("")
        tag = secrets.token_hex(8)
        dialog = Dialog(secrets.token_hex(16), f"<{caller}>;tag={tag}", f"<{target}>", target)
        authentication = Authentication(self._settings.credentials)
        answered, began = authentication.begin(), self._loop.time()
        while True:
            request = dialog.request("OPTIONS")
            authentication.sign(request)
            response = await (await self._agent.ask(dialog, request)).final
            if not authentication.accepts(response, answered):
                break
        took = (self._loop.time() - began) * 1000
        answers = response.status not in (401, 407, 408, 503)
        return Reachability(answers, f"{response.status} {response.reason}", took)

    # --- on the thread of the events

    def _deliver(self) -> None:
        while (happened := self._events.get()) is not None:
            # Asked here and not on the loop: a clock may take its time, for it may ask a database.
            at = self._now() - timedelta(seconds=time.monotonic() - happened.at)
            event = happened.event(at=at)
            try:
                self._on_event(event)
            except Exception:
                logger.exception("a listener failed at %s of call %s", event.state, event.ref)
        self._on_end()
