"""What wakes the engine's threads, and keeps them from waking each other for nothing."""

from __future__ import annotations

import threading
import time

#: Between two looks at one channel lies so long, unless the last one found as much as it could take: what
#: comes in meanwhile is taken together.
BREATH_SECONDS = 0.01


class Bell:
    """Wakes one who sleeps, or all. Rung by PostgreSQL's NOTIFY; only a hint, never the carrier."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0

    def ring(self, *, for_all: bool = True) -> None:
        with self._condition:
            self._rings += 1
            if for_all:
                self._condition.notify_all()
            else:
                self._condition.notify()

    @property
    def rings(self) -> int:
        return self._rings

    def wait(self, *, since: int, seconds: float) -> None:
        """Sleep until it rang after ``since``, or ``seconds`` have passed."""
        with self._condition:
            self._condition.wait_for(lambda: self._rings != since, timeout=max(0.0, seconds))


class Turnstile:
    """Lets one dispatcher of a channel after the other look for work, with a breath between them.

    Who sends does not stand here: a hanging message keeps nobody from looking.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free_at = 0.0

    def enter(self, stop: threading.Event) -> None:
        """Wait for one's turn, or until ``stop`` is set."""
        with self._lock:
            now = time.monotonic()
            mine = max(now, self._free_at)
            self._free_at = mine + BREATH_SECONDS
        if mine > now:
            stop.wait(mine - now)

    def hurry(self) -> None:
        """There is more than could be taken: the next one need not wait."""
        with self._lock:
            self._free_at = 0.0
