"""The clock of web processes in a demonstration: the machine's, moved by what people advanced."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.db import Error, connection

from sentinel.demonstration.selectors import clock_offset, last_clock_offset


class DemonstrationClock:
    """A :class:`~sentinel.kernel.clock.ClockSource`; half a second after an advance every process agrees."""

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset()

    @staticmethod
    def _offset() -> timedelta:
        # A failed transaction answers no question, and a missing table must not stop a migration.
        if connection.in_atomic_block:
            return last_clock_offset() if connection.needs_rollback else clock_offset()
        try:
            return clock_offset()
        except Error:
            return last_clock_offset()
