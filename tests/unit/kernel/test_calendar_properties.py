"""The laws of business time, on random calendars around real clock changes, against a slow oracle.

The oracle knows nothing of the implementation: it looks at the local clock once per minute.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sentinel.kernel.calendars import (
    Both,
    BusinessCalendar,
    NeverOpen,
    OpenSpan,
    SendWindow,
    first_common,
    local_instant,
    next_send_slot,
)

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
# Days around which the local clock does something unusual (and one where it never does).
CHANGES = [
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 11, 1)),
    ("Australia/Lord_Howe", date(2026, 4, 5)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("Asia/Kathmandu", date(2026, 3, 29)),
    ("Pacific/Chatham", date(2026, 9, 27)),
    ("Africa/Cairo", date(2026, 4, 24)),
    ("Africa/Cairo", date(2026, 10, 29)),
    ("America/St_Johns", date(2010, 3, 14)),
    ("America/St_Johns", date(2010, 11, 7)),
    ("Pacific/Apia", date(2011, 12, 30)),
]
WINDOW_DAYS = 12
Week = tuple[tuple[OpenSpan, ...], ...]
LENGTH = WINDOW_DAYS * 24 * 60


@cache
def shown_by(zone: str, around: date) -> list[datetime]:
    """The latest wall time shown so far, minute by minute: when does the clock first show x or more?"""
    first, tz = window_start(around), ZoneInfo(zone)
    walls = ((first + n * MINUTE).astimezone(tz).replace(tzinfo=None, fold=0) for n in range(LENGTH))
    return list(accumulate(walls, max))


def window_start(around: date) -> datetime:
    return datetime.combine(around - 6 * DAY, time(0), UTC)


@dataclass
class Oracle:
    """One flag per minute of twelve days. Answers in minutes since the window's start; None is beyond."""

    calendar: BusinessCalendar
    around: date
    flags: bytearray = field(default_factory=lambda: bytearray(LENGTH))

    def __post_init__(self) -> None:
        shown = shown_by(self.calendar.zone, self.around)
        for step in range(-9, WINDOW_DAYS):
            day = self.around + DAY * step
            spans = () if day in self.calendar.holidays else self.calendar.week[day.weekday()]
            for span in spans:
                last = day if span.start < span.end else day + DAY
                start = bisect_left(shown, datetime.combine(day, span.start))
                end = bisect_left(shown, datetime.combine(last, span.end))
                self.flags[start:end] = b"\1" * max(0, end - start)

    def next_open(self, at: int) -> int | None:
        found = self.flags.find(1, at)
        return None if found < 0 else found

    def next_close(self, at: int) -> int | None:
        opened = self.next_open(at)
        found = -1 if opened is None else self.flags.find(0, opened)
        return None if found < 0 else found

    def add(self, at: int, minutes: int) -> int | None:
        if minutes == 0:
            return self.next_open(at)
        for place in range(at, LENGTH):
            minutes -= self.flags[place]
            if minutes == 0:
                return place + 1
        return None

    def between(self, a: int, b: int) -> int:
        return sum(self.flags[a:b])


walls = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
spans = st.builds(OpenSpan, walls, walls)
weeks = st.tuples(*[st.lists(spans, max_size=3).map(tuple)] * 7)
nine_to_five = st.just(((OpenSpan(time(9), time(17)),),) * 5 + ((),) * 2)
nights = st.just(((OpenSpan(time(22), time(6)),),) * 7)


@st.composite
def situations(draw: st.DrawFn) -> tuple[BusinessCalendar, date]:
    zone, around = draw(st.sampled_from(CHANGES))
    holidays = draw(st.frozensets(st.integers(-6, 5).map(lambda n: around + DAY * n), max_size=3))
    return BusinessCalendar(zone, draw(weeks | nine_to_five | nights), holidays), around


minutes = st.integers(0, LENGTH - 1)
durations = st.timedeltas(timedelta(0), timedelta(hours=60))


def instant(around: date, minute: int) -> datetime:
    return window_start(around) + minute * MINUTE


def known_to_open(calendar: BusinessCalendar) -> bool:
    try:
        calendar.next_open(datetime(2009, 1, 1, tzinfo=UTC))
    except NeverOpen:
        return False
    return True


opening = situations().filter(lambda situation: known_to_open(situation[0]))


@settings(max_examples=250)
@given(situations(), minutes, minutes, st.integers(0, 4_000))
def test_it_agrees_with_looking_at_the_clock_every_minute(
    situation: tuple[BusinessCalendar, date], a: int, b: int, length: int
) -> None:
    calendar, around = situation
    oracle = Oracle(calendar, around)
    # The window's edges are blurred: spans that reach in from outside, answers that lie outside.
    a, b = max(a, 24 * 60), max(b, 24 * 60)
    at = instant(around, a)
    assert calendar.is_open(at) == bool(oracle.flags[a])
    assert calendar.between(at, instant(around, b)) == oracle.between(a, b) * MINUTE
    answers: list[tuple[int | None, Callable[[], datetime | None]]] = [
        (oracle.next_open(a), lambda: calendar.next_open(at)),
        (oracle.next_close(a), lambda: calendar.next_close(at)),
        (oracle.add(a, length), lambda: calendar.add(at, length * MINUTE)),
    ]
    for seen, ask in answers:
        if seen is not None and seen < LENGTH - 3 * 24 * 60:
            assert ask() == instant(around, seen)


@settings(max_examples=100)
@given(opening, minutes, durations, durations)
def test_adding_twice_is_adding_the_sum(
    situation: tuple[BusinessCalendar, date], minute: int, x: timedelta, y: timedelta
) -> None:
    """For y > 0: adding nothing at a closing instant moves on to the next opening by definition."""
    calendar, around = situation
    y = max(y, timedelta.resolution)
    at = instant(around, minute)
    assert calendar.add(calendar.add(at, x), y) == calendar.add(at, x + y)


@settings(max_examples=100)
@given(opening, minutes, durations)
def test_what_was_added_lies_between(
    situation: tuple[BusinessCalendar, date], minute: int, x: timedelta
) -> None:
    calendar, around = situation
    at = instant(around, minute)
    due = calendar.add(at, x)
    assert calendar.between(at, due) == x
    if x:
        assert calendar.between(at, due - timedelta.resolution) < x, "it is the first such instant"


@settings(max_examples=100)
@given(opening, minutes, minutes, durations, durations)
def test_later_or_longer_is_never_earlier(
    situation: tuple[BusinessCalendar, date], a: int, b: int, x: timedelta, y: timedelta
) -> None:
    calendar, around = situation
    (a, b), (x, y) = sorted((a, b)), sorted((x, y))
    early, late = instant(around, a), instant(around, b)
    assert calendar.add(early, x) <= calendar.add(late, x)
    assert calendar.add(early, x) <= calendar.add(early, y)
    assert calendar.next_open(early) <= calendar.next_open(late)


@settings(max_examples=100)
@given(opening, minutes, durations)
def test_a_due_time_is_open_or_a_closing_instant(
    situation: tuple[BusinessCalendar, date], minute: int, x: timedelta
) -> None:
    calendar, around = situation
    due = calendar.add(instant(around, minute), x)
    assert due >= instant(around, minute)
    assert due.tzinfo is UTC
    assert calendar.is_open(due) or calendar.is_open(due - timedelta.resolution)


@settings(max_examples=60)
@given(opening, minutes, st.integers(0, 30))
def test_business_days_end_in_open_time_and_never_go_back(
    situation: tuple[BusinessCalendar, date], minute: int, n: int
) -> None:
    calendar, around = situation
    at = instant(around, minute)
    later = calendar.add_days(at, n)
    assert calendar.is_open(later)
    assert later >= calendar.next_open(at)
    assert calendar.add_days(at, n + 1) >= later


@settings(max_examples=60)
@given(situations(), st.integers(-4, 4))
def test_the_ends_of_a_day_frame_its_open_time(situation: tuple[BusinessCalendar, date], step: int) -> None:
    calendar, around = situation
    day = around + DAY * step
    first, last = calendar.start_of_day(day), calendar.end_of_day(day)
    midnight = local_instant(day, time(0), calendar.zone)
    next_midnight = local_instant(day + DAY, time(0), calendar.zone)
    inside = calendar.between(midnight, next_midnight)
    if first is None or last is None:
        assert (first, last, inside) == (None, None, timedelta(0))
    else:
        assert midnight <= first < last <= next_midnight
        assert calendar.between(first, last) == inside
        assert calendar.is_open(first)
        assert not calendar.between(midnight, first)


@settings(max_examples=60)
@given(st.sampled_from(CHANGES), weeks, weeks, minutes, minutes)
def test_two_are_there_when_each_is_or_else_when_the_worker_is(
    change: tuple[str, date], ours: Week, theirs: Week, a: int, b: int
) -> None:
    zone, around = change
    one, other = BusinessCalendar("Europe/Berlin", ours), BusinessCalendar(zone, theirs)
    both = Both(one, other)
    a, b = sorted((a, b))
    left, right = Oracle(one, around), Oracle(other, around)
    shared = bytes(x & y for x, y in zip(left.flags, right.flags, strict=True))
    if first_common(one, other, instant(around, a)) is None:
        assert both.is_open(instant(around, a)) == other.is_open(instant(around, a))
    # Weekly hours that meet once in a whole week meet again before patience runs out.
    assume(1 in shared[2 * 24 * 60 : 9 * 24 * 60])
    a, b = (min(max(x, 2 * 24 * 60), 9 * 24 * 60) for x in (a, b))
    at = instant(around, a)
    assert both.is_open(at) == bool(shared[a])
    assert both.between(at, instant(around, b)) == sum(shared[a:b]) * MINUTE
    opens = shared.find(1, a)
    if 0 <= opens < 9 * 24 * 60:
        assert both.next_open(at) == instant(around, opens)
        assert both.between(at, both.add(at, 90 * MINUTE)) == 90 * MINUTE


@settings(max_examples=60)
@given(situations(), minutes, st.frozensets(st.integers(0, 6), min_size=1), walls, walls)
def test_a_send_slot_is_the_first_minute_that_may_be_used(
    situation: tuple[BusinessCalendar, date], minute: int, days: frozenset[int], start: time, end: time
) -> None:
    calendar, around = situation
    week = tuple((OpenSpan(start, end),) if day in days else () for day in range(7))
    closed = frozenset(day for n in range(-12, 13) if not calendar.is_business_day(day := around + DAY * n))
    seen = Oracle(BusinessCalendar(calendar.zone, week, closed), around).next_open(max(minute, 24 * 60))
    if seen is not None and seen < LENGTH - 3 * 24 * 60:
        at = instant(around, max(minute, 24 * 60))
        assert next_send_slot(at, SendWindow(days, start, end), calendar) == instant(around, seen)
