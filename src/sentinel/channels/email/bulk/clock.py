"""The sender's now: the database's clock, moved by the demonstration's offset."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Clock:
    """Carried on by the machine's steady clock between two readings. ``now`` is aware, in UTC."""

    def __init__(self) -> None:
        self._base = time.time()
        self._read_at = time.monotonic()

    def set(self, epoch: float) -> None:
        """The database just said that it is ``epoch`` seconds after 1970."""
        self._base, self._read_at = epoch, time.monotonic()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._base + time.monotonic() - self._read_at, UTC)

    def text(self) -> bytes:
        """Now, as a parameter of a statement."""
        return self.now().isoformat().encode()
