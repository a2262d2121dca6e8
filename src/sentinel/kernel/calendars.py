"""Business-hours arithmetic, exact to the microsecond across holidays, time zones and clock changes.

Hours are kept as people say them (wall time and IANA zone). Every wall time becomes a UTC instant before
anything is added or compared, so a day with 23 or 25 hours is as long as it really is.

One definition covers both kinds of clock change: a wall time means *the first instant at which the local
clock shows it or something later*. In a gap (spring) that is the first valid instant; in a fold
(autumn) the first occurrence; for a date that a country skipped, the start of the next one.

Open time is half-open: at the closing instant it is closed. Calendars are values: immutable, hashable,
comparable, safe to share between threads. All results are aware datetimes in UTC.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

from sentinel.kernel.clock import as_utc
from sentinel.kernel.errors import SentinelError

HORIZON = timedelta(days=400)
PATIENCE = timedelta(days=14)
_DAY = timedelta(days=1)
_INSTANT = timedelta.resolution
_NONE = timedelta(0)
_BOOK_LIMIT = 4_000

# A piece of open time: from its first instant up to, not including, its last (both UTC).
Stretch = tuple[datetime, datetime]


class NeverOpen(SentinelError):
    """No open instant within 400 days: the calendar is empty, and whoever set it up must be told."""


class Hours(Protocol):
    """Whatever has open and closed time."""

    def is_open(self, at: datetime) -> bool: ...
    def next_open(self, at: datetime) -> datetime: ...
    def next_close(self, at: datetime) -> datetime | None: ...
    def add(self, at: datetime, duration: timedelta) -> datetime: ...
    def between(self, a: datetime, b: datetime) -> timedelta: ...


@lru_cache(maxsize=16_384)
def local_instant(day: date, wall: time, zone: str) -> datetime:
    """The first instant (UTC) at which the clocks of `zone` show `wall` on `day`, or something later."""
    tz = ZoneInfo(zone)
    shown = datetime.combine(day, wall.replace(fold=0))
    instant = shown.replace(tzinfo=tz).astimezone(UTC)
    if _wall_clock(instant, tz) == shown:
        return instant
    # A gap. The two readings of `shown` lie on either side of the clock change, which falls on a whole
    # second; halving the distance finds it without knowing the zone's rules.
    before = shown.replace(tzinfo=tz, fold=1).astimezone(UTC).replace(microsecond=0)
    after = instant.replace(microsecond=0)
    while after - before > timedelta(seconds=1):
        middle = before + (after - before) // timedelta(seconds=2) * timedelta(seconds=1)
        if _wall_clock(middle, tz) < shown:
            before = middle
        else:
            after = middle
    return after


def _wall_clock(instant: datetime, tz: ZoneInfo) -> datetime:
    return instant.astimezone(tz).replace(tzinfo=None, fold=0)


def _bounds(day: date, start: time, end: time, zone: str) -> Stretch:
    last_day = day if end > start else day + _DAY
    return local_instant(day, start, zone), local_instant(last_day, end, zone)


class OpenTime(ABC):
    """The arithmetic that all kinds of hours share; a kind only says where its open stretches are."""

    @abstractmethod
    def stretches(self, at: datetime, until: datetime) -> Iterator[Stretch]:
        """The open time within [at, until): in order, not empty, not overlapping; pieces may touch."""

    def is_open(self, at: datetime) -> bool:
        """Whether this instant is open. The closing instant is not."""
        at = as_utc(at)
        return any(True for _ in self.stretches(at, at + _INSTANT))

    def next_open(self, at: datetime) -> datetime:
        """`at` itself when open, else the next opening. Raises NeverOpen after 400 days."""
        return next(self._endless(as_utc(at)))[0]

    def next_close(self, at: datetime) -> datetime | None:
        """When the open time that `at` is in, or that comes next, ends. None when it does not within 400
        days, as around the clock. Raises NeverOpen."""
        opened = close = self.next_open(at)
        for start, end in self.stretches(opened, opened + HORIZON):
            if start > close:
                break
            close = end
        return close if close < opened + HORIZON else None

    def add(self, at: datetime, duration: timedelta) -> datetime:
        """The first instant at which `duration` (zero or more) of open time has passed since `at`.

        Adding what is left of a day ends at its close, not at the next opening; adding nothing in closed
        time ends at the next opening. Raises NeverOpen, and ValueError for a negative duration.
        """
        if duration < _NONE:
            raise ValueError(f"open time can only be added, not taken away ({duration})")
        left = duration
        for start, end in self._endless(as_utc(at)):
            length = end - start
            if left <= length:
                return start + left
            left -= length
        raise AssertionError("unreachable: an endless iterator ended")

    def between(self, a: datetime, b: datetime) -> timedelta:
        """How much open time lies from `a` to `b`; zero when `b` is not after `a`."""
        return sum((end - start for start, end in self.stretches(as_utc(a), as_utc(b))), _NONE)

    def _endless(self, at: datetime) -> Iterator[Stretch]:
        while True:
            cursor = at
            for stretch in self.stretches(at, at + HORIZON):
                yield stretch
                cursor = stretch[1]
            if cursor == at:
                raise NeverOpen(f"no open time in the {HORIZON.days} days from {at.isoformat()}: {self!r}")
            at = cursor


@dataclass(frozen=True)
class OpenSpan:
    """One stretch of a weekday in wall time. An end at or before the start lies on the next day:
    22:00-06:00 is a night shift, 18:00-00:00 ends at midnight, 00:00-00:00 is the whole day."""

    start: time
    end: time

    def __post_init__(self) -> None:
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("a span is in plain wall time; the calendar knows the zone")


@dataclass(frozen=True)
class BusinessCalendar(OpenTime):
    """The hours of a person or a site: a week of spans (Monday first) in one zone, less the holidays.

    A span belongs to the day it starts on: Friday's night shift is worked through Saturday morning, and
    a holiday closes exactly the spans that start on its date. Spans that overlap or touch, also
    those of neighbouring days, count once.
    """

    zone: str
    week: tuple[tuple[OpenSpan, ...], ...]
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if len(self.week) != 7:
            raise ValueError(f"a week has 7 days, Monday first, not {len(self.week)}")
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError) as unknown:
            raise ValueError(f"{self.zone!r} is not a time zone; write it like Europe/Berlin") from unknown

    @classmethod
    def around_the_clock(cls, zone: str) -> "BusinessCalendar":
        """Always open."""
        return cls(zone, ((OpenSpan(time(0), time(0)),),) * 7)

    @classmethod
    def office(
        cls,
        zone: str,
        start: time = time(9),
        end: time = time(17),
        days: Iterable[int] = range(5),
        holidays: frozenset[date] = frozenset(),
    ) -> "BusinessCalendar":
        """The same span on some weekdays (0 is Monday); by default Monday to Friday, nine to five."""
        chosen = frozenset(days)
        week = tuple((OpenSpan(start, end),) if day in chosen else () for day in range(7))
        return cls(zone, week, holidays)

    def localdate(self, at: datetime) -> date:
        """The date that the local calendar on the wall shows at this instant."""
        return as_utc(at).astimezone(self._tz).date()

    def is_business_day(self, day: date) -> bool:
        """Whether any open time starts on this date. A date the zone skipped is none."""
        return bool(self._spans(day))

    def start_of_day(self, day: date) -> datetime | None:
        """The first open instant of a local date (midnight inside a night shift); None when all closed."""
        return next((start for start, _ in self._within(day)), None)

    def end_of_day(self, day: date) -> datetime | None:
        """The last closing instant of a local date (at most the midnight that ends it); None when closed
        all day."""
        return max((end for _, end in self._within(day)), default=None)

    def add_days(self, at: datetime, n: int) -> datetime:
        """`n` business days later at the same local wall time if that is open, else the next opening.

        Counting starts at the next opening, so that Saturday does not come out before the Friday
        before it: from Friday 18:00, Saturday and Monday 09:00, one day leads to Tuesday 09:00. Within a
        night shift the days are counted by the day the shift belongs to.
        Raises NeverOpen, and ValueError for a negative `n`.
        """
        if n < 0:
            raise ValueError(f"business days can only be added, not taken away ({n})")
        opening = self.next_open(at)
        if n == 0:
            return opening
        shown = _wall_clock(opening, self._tz)
        owner = self._day_of(opening)
        day = owner
        for _ in range(n):
            day = self._next_business_day(day)
        return self.next_open(local_instant(day + (shown.date() - owner), shown.time(), self.zone))

    def stretches(self, at: datetime, until: datetime) -> Iterator[Stretch]:
        """See OpenTime. Walks day by day and stops as soon as the caller does."""
        if at >= until:
            return
        # One day early for a night shift; one late because a clock set back over midnight repeats a date.
        day, last = self.localdate(at) - _DAY, self.localdate(until) + _DAY
        while day <= last:
            for start, end in self._pieces(day):
                if start >= until:
                    return
                if end > at:
                    yield max(start, at), min(end, until)
            day += _DAY

    @cached_property
    def _tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)

    @cached_property
    def _book(self) -> dict[date, tuple[Stretch, ...]]:
        return _book_of(self)

    def _pieces(self, day: date) -> tuple[Stretch, ...]:
        """The open time that this day adds to what the day before already covers; remembered."""
        pieces = self._book.get(day)
        if pieces is None:
            covered = max((end for _, end in self._spans(day - _DAY)), default=None)
            pieces = tuple(_disjoint(self._spans(day), covered))
            if len(self._book) >= _BOOK_LIMIT:
                self._book.clear()
            self._book[day] = pieces
        return pieces

    def _spans(self, day: date) -> list[Stretch]:
        """The spans that start on this day, in order. A span swallowed whole by a gap is dropped."""
        if day in self.holidays:
            return []
        spans = (_bounds(day, span.start, span.end, self.zone) for span in self.week[day.weekday()])
        return sorted((start, end) for start, end in spans if start < end)

    def _within(self, day: date) -> Iterator[Stretch]:
        midnight, next_midnight = _bounds(day, time(0), time(0), self.zone)
        return self.stretches(midnight, next_midnight)

    def _day_of(self, opening: datetime) -> date:
        """The day to which an open instant belongs."""
        nearby = (self.localdate(opening) + _DAY * step for step in (-1, 0, 1))
        return next(day for day in nearby if any(s <= opening < e for s, e in self._pieces(day)))

    def _next_business_day(self, day: date) -> date:
        for step in range(1, HORIZON.days + 1):
            if self.is_business_day(day + _DAY * step):
                return day + _DAY * step
        raise NeverOpen(f"no business day in the {HORIZON.days} days after {day}: {self!r}")


@lru_cache(maxsize=1_024)
def _book_of(calendar: BusinessCalendar) -> dict[date, tuple[Stretch, ...]]:
    """One book of days per calendar value: calendars are read from the database again and again."""
    return {}


def _disjoint(spans: list[Stretch], covered: datetime | None) -> Iterator[Stretch]:
    for start, end in spans:
        if covered is not None:
            start = max(start, covered)
        if start < end:
            yield start, end
            covered = end


@dataclass(frozen=True)
class Both(OpenTime):
    """The hours in which two are there at once: `a`, who must act, and `b`, the worker to be reached.

    An instant after which the two share no open time for 14 days (a night worker and a day owner, an owner
    on leave) counts by `b` alone: the worker's hours win, and a call is never put off for ever.
    """

    a: OpenTime
    b: OpenTime

    def stretches(self, at: datetime, until: datetime) -> Iterator[Stretch]:
        """See OpenTime. Looks ahead no more than twice the patience from where the caller has come to."""
        cursor = at
        while cursor < until:
            seen_until = cursor + 2 * PATIENCE
            shared = _first_shared(self.a, self.b, cursor, seen_until)
            start, end = shared or (seen_until, seen_until)
            alone_until = start - PATIENCE
            if alone_until > cursor:
                yield from self.b.stretches(cursor, min(alone_until, until))
                cursor = alone_until
            else:
                if start < until:
                    yield start, min(end, until)
                cursor = end


def first_common(a: OpenTime, b: OpenTime, at: datetime) -> datetime | None:
    """The first instant from `at` on at which both are open; None when there is none within 14 days."""
    at = as_utc(at)
    shared = _first_shared(a, b, at, at + PATIENCE + _INSTANT)
    return shared[0] if shared else None


def _first_shared(a: OpenTime, b: OpenTime, at: datetime, until: datetime) -> Stretch | None:
    ours, theirs = a.stretches(at, until), b.stretches(at, until)
    one, other = next(ours, None), next(theirs, None)
    while one and other:
        start, end = max(one[0], other[0]), min(one[1], other[1])
        if start < end:
            return start, end
        if one[1] <= other[1]:
            one = next(ours, None)
        else:
            other = next(theirs, None)
    return None


@dataclass(frozen=True)
class SendWindow:
    """When bulk mail may leave: weekdays (0 is Monday) and wall times in the zone of whoever receives it.
    As with spans, an end at or before the start lies on the next day."""

    days: frozenset[int]
    start: time
    end: time

    def __post_init__(self) -> None:
        if not self.days or not self.days <= frozenset(range(7)):
            raise ValueError("a send window needs at least one weekday, 0 (Monday) to 6 (Sunday)")
        if self.start.tzinfo or self.end.tzinfo:
            raise ValueError("a send window is in plain wall time; the calendar knows the zone")


def next_send_slot(at: datetime, window: SendWindow, calendar: BusinessCalendar) -> datetime:
    """The first instant from `at` on inside the window, on business days of the calendar only.

    A window that was missed waits for the next one; opening hours do not matter, holidays do.
    Raises NeverOpen when 400 days hold no such instant.
    """
    at = as_utc(at)
    first = calendar.localdate(at) - _DAY
    for step in range(HORIZON.days + 2):
        day = first + _DAY * step
        if day.weekday() in window.days and calendar.is_business_day(day):
            opens, closes = _bounds(day, window.start, window.end, calendar.zone)
            if max(opens, at) < closes:
                return max(opens, at)
    raise NeverOpen(f"no slot for {window!r} in the {HORIZON.days} days from {at.isoformat()}: {calendar!r}")
