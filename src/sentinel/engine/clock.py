"""The engine's clock: the database's, so that every engine on every machine has the same now."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import Error, connection

#: How old a reading may be; in between the machine's monotonic clock carries it on.
FRESH_SECONDS = 1.0


class DatabaseClock:
    """A :class:`~sentinel.kernel.clock.ClockSource` that follows PostgreSQL's ``clock_timestamp()``.

    ``offset`` is asked at every reading: in a demonstration it moves. While the database is away the last
    reading goes on. Safe for any number of threads.
    """

    def __init__(self, offset: Callable[[], timedelta] | None = None) -> None:
        self._offset = offset
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._base = datetime.now(UTC)
        self._base_at = time.monotonic()

    def now(self) -> datetime:
        if time.monotonic() - self._read_at > FRESH_SECONDS:
            self.read()
        with self._lock:
            return self._base + timedelta(seconds=time.monotonic() - self._base_at)

    def read(self) -> None:
        """Ask the database now, for instance because somebody moved the demonstration's clock."""
        # A failed transaction answers no question; its thread lives on with the last reading.
        if connection.in_atomic_block and connection.needs_rollback:
            return
        try:
            before = time.monotonic()
            at = self._ask()
            after = time.monotonic()
        except Error:
            with self._lock:
                self._read_at = time.monotonic()
            return
        with self._lock:
            self._base, self._base_at, self._read_at = at, (before + after) / 2, after

    def _ask(self) -> datetime:
        offset = self._offset() if self._offset is not None else timedelta()
        with connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp()")
            (at,) = cursor.fetchone()
        found: datetime = at
        return found.astimezone(UTC) + offset
