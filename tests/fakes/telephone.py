"""A telephone exchange in this process: calls end as the test says, events come when the test says."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sentinel.channels.voice.base import (
    Accepted,
    CallEvent,
    CallState,
    CallStatus,
    Capabilities,
    EndReason,
    Intent,
    Leg,
    Placed,
    rank,
)

#: Which steps a call takes before it ends.
_ON_THE_WAY = {
    None: tuple(CallState)[1:-1],
    Leg.WORKER: tuple(CallState)[1:-2],
    Leg.OWNER: (CallState.DIALING_OWNER, CallState.OWNER_RINGS),
}
_LEGS = {
    CallState.DIALING_OWNER: Leg.OWNER,
    CallState.OWNER_RINGS: Leg.OWNER,
    CallState.OWNER_ANSWERED: Leg.OWNER,
    CallState.DIALING_WORKER: Leg.WORKER,
    CallState.WORKER_RINGS: Leg.WORKER,
}


@dataclass
class FakeCall:
    """One call as the exchange knows it."""

    ref: str
    intent: Intent
    placed_at: datetime
    state: CallState = CallState.REQUESTED
    reason: EndReason | None = None
    said: list[CallEvent] = field(default_factory=list)


class FakeTelephone:
    """A call port whose calls do what :meth:`comes_to`, :meth:`ends` and :meth:`plays` say.

    ``on_event`` hears the events; without it they are only kept. ``will`` scripts the answers to placings;
    a scripted Unclear rings all the same when ``rings_when_unclear``.
    """

    def __init__(
        self,
        on_event: Callable[[CallEvent], object] | None = None,
        *,
        provider: str = "sip",
        name: str = "fake",
    ) -> None:
        self.name = name
        self.provider = provider
        self.capabilities = Capabilities(
            bridges=True, callbacks=False, idempotent=False, detects_machines=False
        )
        self.on_event = on_event
        self.calls: dict[str, FakeCall] = {}
        self.hung_up: list[str] = []
        self.rings_when_unclear = False
        self.is_lost = False
        self._answers: deque[Placed] = deque()
        self._numbers = itertools.count(1)

    # --- the port

    def place(self, intent: Intent, now: datetime) -> Placed:
        answer = self._answers.popleft() if self._answers else None
        if answer is not None and not (self.rings_when_unclear and not isinstance(answer, Accepted)):
            return answer
        call = FakeCall(f"{self.name}-{next(self._numbers)}", intent, now)
        self.calls[call.ref] = call
        return answer or Accepted(call.ref)

    def status(self, ref: str) -> CallStatus | None:
        call = self.calls.get(ref)
        if call is None or self.is_lost:
            return None
        return CallStatus(state=call.state, reason=call.reason, talk_seconds=0)

    def hang_up(self, ref: str) -> None:
        self.hung_up.append(ref)
        call = self.calls.get(ref)
        if call is not None and call.state is not CallState.ENDED:
            talked = call.state is CallState.BRIDGED
            reason = EndReason.COMPLETED if talked else EndReason.CANCELLED
            self.ends(reason, ref=ref, at=call.said[-1].at if call.said else call.placed_at)

    # --- what the test says

    def will(self, *answers: Placed) -> FakeTelephone:
        """Answer the next placings like this."""
        self._answers.extend(answers)
        return self

    @property
    def newest(self) -> FakeCall:
        """The call that was placed last."""
        return list(self.calls.values())[-1]

    def comes_to(self, state: CallState, *, at: datetime, ref: str = "") -> CallEvent:
        """A call comes so far; the listener hears of it."""
        return self._say(ref, state, at=at, leg=_LEGS.get(state))

    def ends(
        self,
        reason: EndReason,
        *,
        at: datetime,
        leg: Leg | None = None,
        talked: int = 0,
        detail: str = "",
        ref: str = "",
    ) -> CallEvent:
        """A call ends."""
        return self._say(
            ref, CallState.ENDED, at=at, leg=leg, reason=reason, talk_seconds=talked, detail=detail
        )

    def plays(
        self, reason: EndReason, *, at: datetime, leg: Leg | None = None, talked: int = 60
    ) -> list[CallEvent]:
        """A whole call, as far as it comes when it ends like this at that telephone."""
        events = [self.comes_to(state, at=at) for state in _ON_THE_WAY[leg]]
        talked = talked if reason is EndReason.COMPLETED else 0
        return [*events, self.ends(reason, at=at, leg=leg, talked=talked)]

    def _say(
        self,
        ref: str,
        state: CallState,
        *,
        at: datetime,
        leg: Leg | None,
        reason: EndReason | None = None,
        talk_seconds: int = 0,
        detail: str = "",
    ) -> CallEvent:
        call = self.calls[ref] if ref else self.newest
        if rank(state) > rank(call.state):
            call.state, call.reason = state, reason
        event = CallEvent(
            key=call.intent.key,
            ref=call.ref,
            event_id=f"{call.ref}-{len(call.said) + 1}",
            state=state,
            at=at,
            leg=leg,
            reason=reason,
            detail=detail,
            talk_seconds=talk_seconds,
        )
        call.said.append(event)
        if self.on_event is not None:
            self.on_event(event)
        return event


class FindingTelephone(FakeTelephone):
    """The same with a provider that keeps our names for calls."""

    def find(self, key: str, since: datetime) -> str | None:
        """The call of that name."""
        return next((call.ref for call in self.calls.values() if call.intent.key == key), None)
