"""The only source of now.

Rules and services receive `now` as an argument; only the outermost caller asks `clock.now()`.
That makes a week of escalation testable in milliseconds, and demonstrable in a minute.
The source is process-wide, not per thread: every thread of one process must agree on the time.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar


class ClockSource(Protocol):
    """Whatever can tell the time, as an aware datetime."""

    def now(self) -> datetime: ...


def as_utc(at: datetime) -> datetime:
    """The same instant in UTC. Raises ValueError for a naive datetime, whose meaning nobody knows."""
    if at.tzinfo is UTC:
        return at
    if at.utcoffset() is None:
        raise ValueError(f"{at!r} has no time zone; Sentinel calculates with aware datetimes only")
    return at.astimezone(UTC)


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is told otherwise; for tests and demonstrations."""

    def __init__(self, at: datetime) -> None:
        self._at = as_utc(at)

    def now(self) -> datetime:
        return self._at

    def advance(self, **delta: float) -> datetime:
        """Move on by `timedelta(**delta)` of real (not wall) time, and return the new now."""
        self._at += timedelta(**delta)
        return self._at

    def set(self, at: datetime) -> None:
        """Jump to an instant, forwards or backwards."""
        self._at = as_utc(at)


S = TypeVar("S", bound=ClockSource)

_source: ClockSource = SystemClock()


def install(source: ClockSource) -> None:
    """Make `source` the clock of this process, for good."""
    global _source
    _source = source


def now() -> datetime:
    """The current instant, aware, in UTC."""
    return as_utc(_source.now())


@contextmanager
def using(source: S) -> Iterator[S]:
    """Make `source` the clock for the length of a block; the one before it comes back whatever happens."""
    before = _source
    install(source)
    try:
        yield source
    finally:
        install(before)
