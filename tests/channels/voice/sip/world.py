"""A world of its own for SIP: a clock that jumps from timer to timer, and a network with weather."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import random
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from sentinel.channels.voice.sip.addresses import Uri
from sentinel.channels.voice.sip.message import Message, parse
from sentinel.channels.voice.sip.wire import Path, Timer

T = TypeVar("T")


class _Handle:
    def __init__(self, callback: Callable[[], object]) -> None:
        self.callback: Callable[[], object] | None = callback

    def cancel(self) -> None:
        self.callback = None


class Clock:
    """A scheduler whose time passes only in :meth:`advance`."""

    def __init__(self) -> None:
        self._now = 0.0
        self._order = itertools.count()
        self._timers: list[tuple[float, int, _Handle]] = []

    def time(self) -> float:
        return self._now

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Timer:
        handle = _Handle(lambda: callback(*args))
        heapq.heappush(self._timers, (self._now + delay, next(self._order), handle))
        return handle

    def advance(self, seconds: float) -> None:
        """Let time pass, with everything that is due on the way."""
        until = self._now + seconds
        while self._timers and self._timers[0][0] <= until:
            self._now, _, handle = heapq.heappop(self._timers)
            if handle.callback is not None:
                handle.callback()
        self._now = until

    @property
    def pending(self) -> int:
        return sum(handle.callback is not None for _, _, handle in self._timers)


class Wire:
    """A path that keeps what is sent, with the time."""

    def __init__(self, clock: Clock, *, reliable: bool = False) -> None:
        self.transport = "TCP" if reliable else "UDP"
        self.reliable = reliable
        self.local = ("192.0.2.9", 5060)
        self.sent: list[tuple[float, Message]] = []
        self.broken = False
        self._clock = clock

    def send(self, data: bytes) -> None:
        if self.broken:
            raise ConnectionResetError("broken")
        self.sent.append((self._clock.time(), parse(data)))

    @property
    def times(self) -> list[float]:
        return [at for at, _ in self.sent]


class _JumpingSelector(selectors.DefaultSelector):
    """Instead of waiting, lets the loop's clock jump."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise RuntimeError("everything waits for ever")
        self.now += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on which a minute takes no time, and always takes the same way."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)
        # The loop takes timers that are due within this as due now.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        return self._jumping.now


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run something on a virtual loop to its end."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


class Weather:
    """What a network does to datagrams: loses some, doubles some, and lets some overtake others."""

    def __init__(self, seed: int, *, lost: float = 0.0, doubled: float = 0.0, late: float = 0.0) -> None:
        self._chance = random.Random(seed)
        self.lost, self.doubled, self.late = lost, doubled, late

    def delays(self) -> list[float]:
        """When the copies of one datagram arrive; none for a lost one."""
        chance = self._chance
        copies = 0 if chance.random() < self.lost else 2 if chance.random() < self.doubled else 1
        return [
            0.01 + (chance.uniform(0, 0.3) if chance.random() < self.late else 0.0) for _ in range(copies)
        ]


class _Road:
    """The path from one host of the small internet to another."""

    transport, reliable = "UDP", False

    def __init__(self, internet: Internet, local: tuple[str, int], remote: tuple[str, int]) -> None:
        self._internet, self.local, self._remote = internet, local, remote

    def send(self, data: bytes) -> None:
        self._internet.carry(data, self.local, self._remote)


class Internet:
    """Hosts that send each other datagrams, in some weather."""

    def __init__(self, weather: Weather | None = None) -> None:
        self.weather = weather or Weather(0)
        self.log: list[tuple[float, tuple[str, int], Message]] = []
        self._hosts: dict[tuple[str, int], Callable[[Message, Path], None]] = {}

    def host(self, name: str, receive: Callable[[Message, Path], None]) -> Host:
        self._hosts[name, 5060] = receive
        return Host(self, (name, 5060))

    def carry(self, data: bytes, source: tuple[str, int], target: tuple[str, int]) -> None:
        loop = asyncio.get_running_loop()
        self.log.append((loop.time(), source, parse(data)))
        for delay in self.weather.delays():
            loop.call_later(delay, self._arrive, data, source, target)

    def _arrive(self, data: bytes, source: tuple[str, int], target: tuple[str, int]) -> None:
        receive = self._hosts.get(target)
        if receive is not None:
            receive(parse(data), _Road(self, target, source))


class Host:
    """One host's view of the internet: a network for an agent."""

    def __init__(self, internet: Internet, local: tuple[str, int]) -> None:
        self._internet, self._local = internet, local

    async def path_to(self, hop: Uri) -> Path:
        return _Road(self._internet, self._local, hop.address)
