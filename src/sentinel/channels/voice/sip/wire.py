"""What the protocol needs of the world below it: a clock with timers, and ways to send bytes to a peer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sentinel.channels.voice.sip.addresses import Uri


class Timer(Protocol):
    """A timer that has not fired yet."""

    def cancel(self) -> None: ...


class Scheduler(Protocol):
    """A clock in seconds; every asyncio event loop is one."""

    def time(self) -> float: ...

    def call_later(self, delay: float, callback: Callable[..., object], *args: Any) -> Timer: ...


class Path(Protocol):
    """The way to one peer. ``reliable`` ways deliver by themselves, so nothing is sent twice on them."""

    @property
    def transport(self) -> str:
        """``UDP`` or ``TCP``."""

    @property
    def reliable(self) -> bool: ...

    @property
    def local(self) -> tuple[str, int]:
        """Where the peer reaches us on this transport: host and port for Via and Contact."""

    def send(self, data: bytes) -> None:
        """Send one message; raises OSError when that is known to be impossible."""


class Network(Protocol):
    """Finds ways to peers."""

    async def path_to(self, hop: Uri) -> Path:
        """The way to the host of an address; raises OSError when there is none."""


@dataclass(frozen=True)
class Timing:
    """The timers of RFC 3261, appendix A, in seconds."""

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0

    @property
    def patience(self) -> float:
        """How long anything is repeated before the peer counts as gone: timers B, D, F, H, J, L, M."""
        return 64 * self.t1
