"""One call: the owner's telephone, then the worker's, then both to each other (RFC 3725).

The owner is called without an offer and its answer held in silence (flow III); the worker is called without
an offer, and what it offers goes to the owner as a re-INVITE. A telephone that refuses an INVITE without an
offer is called again with one: the owner with a silent one (flow II), the worker with what the owner has
said (flow I, but with the owner already acknowledged, so that it may take the time people take).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

from sentinel.channels.voice.base import CallState, EndReason, Intent
from sentinel.channels.voice.base import Leg as Side
from sentinel.channels.voice.sip.addresses import Uri, one_line
from sentinel.channels.voice.sip.agent import Agent
from sentinel.channels.voice.sip.endings import Ending, ending_of
from sentinel.channels.voice.sip.incoming import Refused
from sentinel.channels.voice.sip.leg import Leg
from sentinel.channels.voice.sip.message import Response
from sentinel.channels.voice.sip.sdp import Description
from sentinel.channels.voice.sip.settings import SipSettings

logger = logging.getLogger(__name__)

T = TypeVar("T")
OnState = Callable[[CallState, Side | None, Ending | None], None]

#: What a telephone that wants an offer answers to an INVITE without one, before it has rung.
_WANTS_OFFER = frozenset({400, 406, 415, 488, 500, 501, 606})
_LONGEST_WHISPER = 60
#: How long a test lets its only telephone hear that it works.
_TEST_SECONDS = 2


@dataclass(frozen=True)
class Numbers:
    """The addresses of one call, checked before anything rings."""

    owner: Uri
    worker: Uri
    caller: Uri


class Over(Exception):
    """The call has come to its end."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.detail)
        self.ending = ending


class Bridge:
    """Carries one call from the first ring to the last goodbye."""

    def __init__(
        self, agent: Agent, settings: SipSettings, intent: Intent, numbers: Numbers, on_state: OnState
    ) -> None:
        self._agent = agent
        self._settings = settings
        self._intent = intent
        self._numbers = numbers
        self._on_state = on_state
        loop = asyncio.get_running_loop()
        self._time = loop.time  # asked for by other threads, too
        self._stop: asyncio.Future[Ending] = loop.create_future()
        self._owner: Leg | None = None
        self._worker: Leg | None = None
        self._bridged_at: float | None = None

    @property
    def is_bridged(self) -> bool:
        return self._bridged_at is not None

    def talked(self) -> int:
        """Whole seconds since both were connected; 0 before."""
        if self._bridged_at is None:
            return 0
        return int(self._time() - self._bridged_at)

    def hang_up(self, why: str = "") -> None:
        """End the call, whatever it is doing."""
        if not self._stop.done():
            reason = EndReason.COMPLETED if self.is_bridged else EndReason.CANCELLED
            self._stop.set_result(Ending(reason, None, why))

    async def run(self) -> None:
        """Carry the call to its end, and leave no telephone ringing or waiting."""
        try:
            await self._carry()
        except Over as over:
            ending = over.ending
        except Exception:
            # Cancelling is not caught: then this process ends, and people may go on talking without it.
            logger.exception("a call failed")
            ending = Ending(EndReason.FAILED, None, "an error in Sentinel")
        self._on_state(CallState.ENDED, ending.side, ending)
        for leg in (self._worker, self._owner):
            if leg is not None:
                self._agent.spawn(leg.let_go())

    async def _carry(self) -> None:
        owner = await self._ring_owner()
        self._on_state(CallState.OWNER_ANSWERED, Side.OWNER, None)
        never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self._intent.worker_number:
            with contextlib.suppress(TimeoutError):
                await self._until_over(never, _TEST_SECONDS)
            raise Over(Ending(EndReason.COMPLETED, None, "a test: only one telephone rings"))
        await self._ring_worker(owner)
        self._bridged_at = self._time()
        self._on_state(CallState.BRIDGED, None, None)
        try:
            await self._until_over(never, self._intent.longest_seconds)
        except TimeoutError:
            raise Over(Ending(EndReason.COMPLETED, None, "the longest time for a call is over")) from None

    # --- ringing

    async def _ring_owner(self) -> Leg:
        self._on_state(CallState.DIALING_OWNER, Side.OWNER, None)
        seconds = self._intent.ring_owner_seconds
        owner = self._owner = self._leg(Side.OWNER)
        try:
            offer = await self._ring(owner, Side.OWNER, b"", seconds)
        except Refused as refused:
            if not _wants_offer(refused):
                raise Over(ending_of(refused, Side.OWNER)) from None
            return await self._ring_owner_with_offer(owner, seconds)
        if offer is None:
            raise Over(Ending(EndReason.FAILED, Side.OWNER, "the telephone answered without an offer"))
        await owner.acknowledge(owner.voice.hold_answer(offer))
        return owner

    async def _ring_owner_with_offer(self, owner: Leg, seconds: int) -> Leg:
        try:
            answer = await self._ring(owner, Side.OWNER, owner.voice.hold_offer(), seconds)
        except Refused as refused:
            raise Over(ending_of(refused, Side.OWNER)) from None
        await owner.acknowledge()
        if answer is None:
            raise Over(Ending(EndReason.FAILED, Side.OWNER, "the telephone answered without an answer"))
        owner.theirs = answer.awake()
        return owner

    async def _ring_worker(self, owner: Leg) -> None:
        self._on_state(CallState.DIALING_WORKER, Side.WORKER, None)
        seconds = self._intent.ring_worker_seconds
        worker = self._worker = self._leg(Side.WORKER)
        try:
            offer = await self._ring(worker, Side.WORKER, b"", seconds)
        except Refused as refused:
            if not _wants_offer(refused):
                raise Over(ending_of(refused, Side.WORKER)) from None
            await self._ring_worker_with_offer(owner, worker, seconds)
            return
        if offer is None:
            raise Over(Ending(EndReason.FAILED, Side.WORKER, "the telephone answered without an offer"))
        worker.voice.hears(offer)
        answer = await self._propose(owner, offer)
        await worker.acknowledge(worker.voice.answer(answer, offer))

    async def _ring_worker_with_offer(self, owner: Leg, worker: Leg, seconds: int) -> None:
        said = owner.theirs
        if said is None:
            raise Over(Ending(EndReason.FAILED, Side.OWNER, "the owner's telephone never said its address"))
        try:
            answer = await self._ring(worker, Side.WORKER, worker.voice.offer(said), seconds)
        except Refused as refused:
            raise Over(ending_of(refused, Side.WORKER)) from None
        await worker.acknowledge()
        if answer is None:
            raise Over(Ending(EndReason.FAILED, Side.WORKER, "the telephone answered without an answer"))
        now_said = await self._propose(owner, answer)
        if now_said.places() != said.places():
            await self._propose(worker, now_said)

    async def _propose(self, leg: Leg, description: Description) -> Description:
        """Tell one telephone where the other one is, and take its answer; ends the call otherwise."""
        side = Side.OWNER if leg is self._owner else Side.WORKER
        try:
            # Shielded: what a telephone accepts must be acknowledged, even when the call is over by then.
            exchange = asyncio.ensure_future(self._exchange(leg, leg.voice.offer(description)))
            exchange.add_done_callback(_take_note)
            answer = await self._until_over(asyncio.shield(exchange))
        except Refused as refused:
            raise Over(Ending(EndReason.FAILED, side, f"could not be connected: {refused}")) from None
        return answer

    @staticmethod
    async def _exchange(leg: Leg, offer: bytes) -> Description:
        answer = await leg.reinvite(offer)
        await leg.acknowledge()
        if answer is None:
            raise Refused(Response(488, "an answer without media"))
        return answer

    def _leg(self, side: Side) -> Leg:
        intent, numbers = self._intent, self._numbers
        whisper = one_line(intent.whisper) if side is Side.OWNER and self._settings.show_whisper else ""
        headers = {}
        if whisper:
            headers["Subject"] = whisper[: 4 * _LONGEST_WHISPER]
        if self._settings.assert_identity:
            headers["P-Asserted-Identity"] = f"<{numbers.caller}>"
        return Leg(
            self._agent,
            numbers.owner if side is Side.OWNER else numbers.worker,
            caller=numbers.caller,
            shown_as=whisper[:_LONGEST_WHISPER].strip(),
            credentials=self._settings.credentials,
            headers=headers,
            on_ringing=lambda: self._rings(side),
            on_offer=self._relay,
            on_answer=self._relay_answer,
        )

    def _rings(self, side: Side) -> None:
        state = CallState.OWNER_RINGS if side is Side.OWNER else CallState.WORKER_RINGS
        self._on_state(state, side, Ending(None, side, "ringing"))

    async def _ring(self, leg: Leg, side: Side, body: bytes, seconds: int) -> Description | None:
        """Let one telephone ring; raises Refused, or Over when it rings too long or the call ends."""
        try:
            return await self._until_over(leg.invite(body), seconds)
        except TimeoutError:
            if leg.was_heard:
                raise Over(Ending(EndReason.NO_ANSWER, side, f"rang for {seconds} s")) from None
            silence = f"the exchange said nothing for {seconds} s"
            raise Over(Ending(EndReason.FAILED, side, silence)) from None

    async def _until_over(
        self, work: Coroutine[Any, Any, T] | asyncio.Future[T], seconds: float | None = None
    ) -> T:
        """Wait for something, unless the call ends first: raises Over, or TimeoutError after ``seconds``."""
        task = asyncio.ensure_future(work)
        ends: list[asyncio.Future[Any]] = [
            self._stop,
            *(leg.gone for leg in (self._owner, self._worker) if leg is not None),
        ]
        try:
            await asyncio.wait([task, *ends], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            self._raise_if_over()
            if not task.done():
                raise TimeoutError
            return task.result()
        finally:
            if not task.done():
                task.cancel()
            elif not task.cancelled():
                task.exception()  # so that nobody misses it

    def _raise_if_over(self) -> None:
        if self._stop.done():
            raise Over(self._stop.result())
        for leg, side in ((self._owner, Side.OWNER), (self._worker, Side.WORKER)):
            if leg is not None and leg.gone.done():
                reason = EndReason.COMPLETED if self.is_bridged else EndReason.CANCELLED
                raise Over(Ending(reason, side, leg.gone.result()))

    # --- while people talk

    async def _relay(self, leg: Leg, offer: Description | None) -> bytes:
        """One telephone proposes other media: ask the other one. Before both are connected, hold."""
        other = self._worker if leg is self._owner else self._owner
        if not self.is_bridged or other is None:
            return leg.voice.hold_answer(offer) if offer else leg.voice.last or leg.voice.hold_offer()
        if offer is None or offer == leg.theirs:
            # A sign of life, or a request to repeat where the other one is.
            return leg.voice.last
        return leg.voice.answer(await self._exchange(other, other.voice.offer(offer)), offer)

    def _relay_answer(self, leg: Leg, answer: Description) -> None:
        """One telephone has answered what we repeated to it: the other one learns what is new."""
        other = self._worker if leg is self._owner else self._owner
        if self.is_bridged and other is not None and (leg.theirs is None or answer.media != leg.theirs.media):
            leg.theirs = answer
            self._agent.spawn(self._retell(other, answer))

    async def _retell(self, leg: Leg, description: Description) -> None:
        try:
            await self._exchange(leg, leg.voice.offer(description))
        except Refused as refused:
            self.hang_up(f"the telephones no longer agree: {refused}")


def _take_note(exchange: asyncio.Future[Description]) -> None:
    """Nobody waits any more for what ends after the call; that it failed is then no news."""
    if not exchange.cancelled():
        exchange.exception()


def _wants_offer(refused: Refused) -> bool:
    return not refused.rang and refused.status in _WANTS_OFFER


def numbers_of(settings: SipSettings, intent: Intent) -> Numbers:
    """The addresses of a call; raises Malformed for numbers that cannot be called."""
    return Numbers(
        owner=settings.target(intent.owner_number),
        worker=settings.target(intent.worker_number or intent.owner_number),
        caller=settings.caller(intent.caller_id),
    )
