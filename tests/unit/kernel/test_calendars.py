"""Business hours by example; `test_calendar_properties.py` holds the laws."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from sentinel.kernel.calendars import BusinessCalendar, Hours, NeverOpen, OpenSpan, local_instant

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
BERLIN = "Europe/Berlin"
OFFICE = BusinessCalendar.office(BERLIN)
ALWAYS = BusinessCalendar.around_the_clock(BERLIN)
NEVER = BusinessCalendar(BERLIN, ((),) * 7)
# Monday to Friday 22:00-06:00; Friday's shift is worked through Saturday morning.
NIGHTS = BusinessCalendar.office(BERLIN, time(22), time(6))
SPLIT = BusinessCalendar(
    BERLIN, ((OpenSpan(time(8), time(12)), OpenSpan(time(13), time(17))),) * 5 + ((),) * 2
)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def wall(text: str, zone: str = BERLIN) -> datetime:
    """The instant of a wall time, straight from zoneinfo; only for times that exist once."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "day", "shown", "expected"),
    [
        (BERLIN, date(2026, 1, 5), time(9), "2026-01-05 08:00"),
        (BERLIN, date(2026, 7, 6), time(9), "2026-07-06 07:00"),
        # Gaps: the first valid instant.
        (BERLIN, date(2026, 3, 29), time(1, 59, 59), "2026-03-29 00:59:59"),
        (BERLIN, date(2026, 3, 29), time(2), "2026-03-29 01:00"),
        (BERLIN, date(2026, 3, 29), time(2, 30), "2026-03-29 01:00"),
        (BERLIN, date(2026, 3, 29), time(2, 59, 59, 999_999), "2026-03-29 01:00"),
        (BERLIN, date(2026, 3, 29), time(3), "2026-03-29 01:00"),
        ("America/New_York", date(2026, 3, 8), time(2, 45), "2026-03-08 07:00"),
        ("Australia/Lord_Howe", date(2026, 10, 4), time(2, 15), "2026-10-03 15:30"),
        ("Pacific/Chatham", date(2026, 9, 27), time(3), "2026-09-26 14:00"),
        ("Africa/Cairo", date(2026, 4, 24), time(0, 20), "2026-04-23 22:00"),
        ("America/St_Johns", date(2010, 3, 14), time(0, 30), "2010-03-14 03:31"),
        ("Pacific/Apia", date(2011, 12, 30), time(12), "2011-12-30 10:00"),
        ("Pacific/Apia", date(2011, 12, 31), time(0), "2011-12-30 10:00"),
        # Folds: the first occurrence.
        (BERLIN, date(2026, 10, 25), time(2, 30), "2026-10-25 00:30"),
        (BERLIN, date(2026, 10, 25), time(2, 30, fold=1), "2026-10-25 00:30"),
        (BERLIN, date(2026, 10, 25), time(3), "2026-10-25 02:00"),
        ("Australia/Lord_Howe", date(2026, 4, 5), time(1, 45), "2026-04-04 14:45"),
        ("Africa/Cairo", date(2026, 10, 29), time(23, 30), "2026-10-29 20:30"),
        ("Africa/Cairo", date(2026, 10, 30), time(0), "2026-10-29 22:00"),
        ("Asia/Kathmandu", date(2026, 5, 1), time(9), "2026-05-01 03:15"),
    ],
)
def test_a_wall_time_is_the_first_instant_that_shows_it_or_more(
    zone: str, day: date, shown: time, expected: str
) -> None:
    # Times that differ in `fold` alone are equal to the cache, which would answer for the second.
    local_instant.cache_clear()
    assert local_instant(day, shown, zone) == utc(expected)


@pytest.mark.parametrize(
    ("at", "is_open", "opens", "closes"),
    [
        ("2026-03-02T09:00", True, "2026-03-02T09:00", "2026-03-02T17:00"),
        ("2026-03-02T08:59:59", False, "2026-03-02T09:00", "2026-03-02T17:00"),
        ("2026-03-02T16:59:59", True, "2026-03-02T16:59:59", "2026-03-02T17:00"),
        ("2026-03-02T17:00", False, "2026-03-03T09:00", "2026-03-03T17:00"),
        ("2026-03-06T17:00", False, "2026-03-09T09:00", "2026-03-09T17:00"),
        ("2026-03-07T12:00", False, "2026-03-09T09:00", "2026-03-09T17:00"),
    ],
)
def test_an_office_is_open_from_its_opening_to_just_before_its_close(
    at: str, is_open: bool, opens: str, closes: str
) -> None:
    assert OFFICE.is_open(wall(at)) is is_open
    assert OFFICE.next_open(wall(at)) == wall(opens)
    assert OFFICE.next_close(wall(at)) == wall(closes)


@pytest.mark.parametrize(
    ("calendar", "start", "duration", "due"),
    [
        (OFFICE, "2026-03-06T16:50", 15 * MINUTE, "2026-03-09T09:05"),
        (OFFICE, "2026-03-06T16:50", 10 * MINUTE, "2026-03-06T17:00"),
        (OFFICE, "2026-03-06T16:50", 10 * MINUTE + timedelta.resolution, "2026-03-09T09:00:00.000001"),
        (OFFICE, "2026-03-06T17:00", 0 * HOUR, "2026-03-09T09:00"),
        (OFFICE, "2026-03-06T16:59", 0 * HOUR, "2026-03-06T16:59"),
        (OFFICE, "2026-03-07T03:00", 8 * HOUR, "2026-03-09T17:00"),
        (OFFICE, "2026-03-02T09:00", 40 * HOUR, "2026-03-06T17:00"),
        (OFFICE, "2026-03-02T09:00", 41 * HOUR, "2026-03-09T10:00"),
        (SPLIT, "2026-03-02T11:30", 1 * HOUR, "2026-03-02T13:30"),
        (SPLIT, "2026-03-02T12:30", 4 * HOUR, "2026-03-02T17:00"),
        (NIGHTS, "2026-03-06T23:00", 7 * HOUR, "2026-03-07T06:00"),
        (NIGHTS, "2026-03-06T23:00", 8 * HOUR, "2026-03-09T23:00"),
        (NIGHTS, "2026-03-07T05:30", 1 * HOUR, "2026-03-09T22:30"),
        (ALWAYS, "2026-03-02T23:59", 100 * HOUR, "2026-03-07T03:59"),
        # The night of 29 March lacks an hour, the night of 25 October has one more.
        (ALWAYS, "2026-03-28T12:00", 24 * HOUR, "2026-03-29T13:00"),
        (ALWAYS, "2026-10-24T12:00", 24 * HOUR, "2026-10-25T11:00"),
        (OFFICE, "2026-03-27T16:00", 2 * HOUR, "2026-03-30T10:00"),
    ],
)
def test_due_times_count_open_time_only(
    calendar: BusinessCalendar, start: str, duration: timedelta, due: str
) -> None:
    assert calendar.add(wall(start), duration) == wall(due)
    assert calendar.between(wall(start), wall(due)) == duration


@pytest.mark.parametrize(
    ("night", "length"),
    [("2026-03-27", 8), ("2026-03-28", 7), ("2026-03-29", 8), ("2026-10-24", 9), ("2026-10-25", 8)],
)
def test_a_night_shift_is_as_long_as_the_night_really_is(night: str, length: int) -> None:
    nights = BusinessCalendar.office(BERLIN, time(22), time(6), days=range(7))
    opens = wall(f"{night}T22:00")
    closes = nights.next_close(opens)
    assert closes is not None
    assert closes - opens == nights.between(opens, opens + 12 * HOUR) == length * HOUR
    assert nights.add(opens, length * HOUR) == closes


@pytest.mark.parametrize(
    ("zone", "before", "after", "real"),
    [
        ("America/New_York", "2026-03-07T12:00", "2026-03-08T12:00", 23 * HOUR),
        ("Australia/Lord_Howe", "2026-10-03T12:00", "2026-10-04T12:00", 23.5 * HOUR),
        ("Australia/Lord_Howe", "2026-04-04T12:00", "2026-04-05T12:00", 24.5 * HOUR),
        ("Pacific/Chatham", "2026-04-04T12:00", "2026-04-05T12:00", 25 * HOUR),
        ("Africa/Cairo", "2026-04-23T12:00", "2026-04-24T12:00", 23 * HOUR),
        ("Africa/Cairo", "2026-10-29T12:00", "2026-10-30T12:00", 25 * HOUR),
        ("America/St_Johns", "2010-11-06T12:00", "2010-11-07T12:00", 25 * HOUR),
        ("Asia/Kathmandu", "2026-03-28T12:00", "2026-03-29T12:00", 24 * HOUR),
        ("Pacific/Apia", "2011-12-29T12:00", "2011-12-31T12:00", 24 * HOUR),
    ],
)
def test_clock_changes_are_exact_everywhere(zone: str, before: str, after: str, real: timedelta) -> None:
    always = BusinessCalendar.around_the_clock(zone)
    assert always.between(wall(before, zone), wall(after, zone)) == real
    assert always.add(wall(before, zone), real) == wall(after, zone)


def test_a_date_that_the_clock_goes_back_to_is_not_forgotten() -> None:
    """In St John's, Sunday 7 November 2010 was one minute old when Saturday's last hour came again."""
    always = BusinessCalendar.around_the_clock("America/St_Johns")
    saturday_again = utc("2010-11-07 02:45")
    assert always.localdate(saturday_again) == date(2010, 11, 6)
    assert always.is_open(saturday_again)
    assert always.between(saturday_again, saturday_again + MINUTE) == MINUTE


def test_a_span_swallowed_by_a_gap_does_not_exist() -> None:
    early = BusinessCalendar.office(BERLIN, time(2), time(3), days=range(7))
    assert not early.is_business_day(date(2026, 3, 29))
    assert early.next_open(wall("2026-03-28T12:00")) == wall("2026-03-30T02:00")
    assert early.between(utc("2026-10-24 12:00"), utc("2026-10-25 12:00")) == 2 * HOUR


def test_the_date_that_samoa_skipped_is_no_day_at_all() -> None:
    apia = BusinessCalendar.office("Pacific/Apia", days=range(7))
    assert not apia.is_business_day(date(2011, 12, 30))
    assert apia.start_of_day(date(2011, 12, 30)) is None
    assert apia.end_of_day(date(2011, 12, 30)) is None
    thursday = wall("2011-12-29T12:00", "Pacific/Apia")
    assert apia.add_days(thursday, 1) == wall("2011-12-31T12:00", "Pacific/Apia")
    assert apia.add(thursday, 6 * HOUR) == wall("2011-12-31T10:00", "Pacific/Apia")


def test_a_holiday_closes_the_spans_that_start_on_it() -> None:
    friday = date(2026, 3, 6)
    office = BusinessCalendar.office(BERLIN, holidays=frozenset({friday}))
    assert office.add(wall("2026-03-05T16:30"), HOUR) == wall("2026-03-09T09:30")
    nights = BusinessCalendar.office(BERLIN, time(22), time(6), holidays=frozenset({friday}))
    assert nights.is_open(wall("2026-03-06T05:59")), "Thursday's shift is still worked"
    assert not nights.is_open(wall("2026-03-06T23:00"))
    assert not nights.is_open(wall("2026-03-07T05:00"))


def test_spans_that_overlap_or_touch_count_once() -> None:
    week = (
        (OpenSpan(time(20), time(10)), OpenSpan(time(21), time(23))),
        (OpenSpan(time(9), time(12)), OpenSpan(time(12), time(14)), OpenSpan(time(8), time(9, 30))),
    ) + ((),) * 5
    calendar = BusinessCalendar(BERLIN, week)
    monday = wall("2026-03-02T20:00")
    assert calendar.next_close(monday) == wall("2026-03-03T14:00")
    assert calendar.between(monday, monday + timedelta(days=6)) == 18 * HOUR
    assert calendar.add(monday, 17 * HOUR) == wall("2026-03-03T13:00")


def test_midnight_as_an_end_closes_at_the_end_of_the_day() -> None:
    late = BusinessCalendar.office(BERLIN, time(18), time(0))
    assert late.next_close(wall("2026-03-02T12:00")) == wall("2026-03-03T00:00")


@pytest.mark.parametrize(
    ("calendar", "start", "n", "expected"),
    [
        (OFFICE, "2026-03-02T11:00", 0, "2026-03-02T11:00"),
        (OFFICE, "2026-03-02T11:00", 1, "2026-03-03T11:00"),
        (OFFICE, "2026-03-02T11:00", 5, "2026-03-09T11:00"),
        (OFFICE, "2026-03-06T11:00", 1, "2026-03-09T11:00"),
        (OFFICE, "2026-03-07T11:00", 0, "2026-03-09T09:00"),
        # After hours and weekends count from the next opening, so that later never comes out earlier.
        (OFFICE, "2026-03-06T18:00", 1, "2026-03-10T09:00"),
        (OFFICE, "2026-03-07T11:00", 1, "2026-03-10T09:00"),
        (OFFICE, "2026-03-09T08:00", 1, "2026-03-10T09:00"),
        # Same wall time across the clock change, whatever that is in UTC.
        (OFFICE, "2026-03-27T11:00", 1, "2026-03-30T11:00"),
        (OFFICE, "2026-10-23T11:00", 2, "2026-10-27T11:00"),
        # Friday's shift, Saturday 02:00: one shift later is Monday's, Tuesday 02:00.
        (NIGHTS, "2026-03-07T02:00", 1, "2026-03-10T02:00"),
        (NIGHTS, "2026-03-06T23:00", 1, "2026-03-09T23:00"),
        (ALWAYS, "2026-03-28T02:30", 1, "2026-03-29T03:00"),
        (ALWAYS, "2026-03-07T11:00", 2, "2026-03-09T11:00"),
    ],
)
def test_business_days_later_is_the_same_wall_time_on_a_business_day(
    calendar: BusinessCalendar, start: str, n: int, expected: str
) -> None:
    assert calendar.add_days(wall(start), n) == wall(expected)


def test_business_days_skip_holidays_and_days_with_other_hours() -> None:
    short_fridays = BusinessCalendar(
        BERLIN,
        ((OpenSpan(time(9), time(17)),),) * 4 + ((OpenSpan(time(9), time(12)),), (), ()),
        frozenset({date(2026, 3, 4)}),
    )
    assert short_fridays.add_days(wall("2026-03-03T15:00"), 1) == wall("2026-03-05T15:00")
    assert short_fridays.add_days(wall("2026-03-05T15:00"), 1) == wall("2026-03-09T09:00")


@pytest.mark.parametrize(
    ("calendar", "day", "first", "last"),
    [
        (OFFICE, date(2026, 3, 2), "2026-03-02T09:00", "2026-03-02T17:00"),
        (SPLIT, date(2026, 3, 2), "2026-03-02T08:00", "2026-03-02T17:00"),
        (ALWAYS, date(2026, 3, 29), "2026-03-29T00:00", "2026-03-30T00:00"),
        (NIGHTS, date(2026, 3, 3), "2026-03-03T00:00", "2026-03-04T00:00"),
        (NIGHTS, date(2026, 3, 2), "2026-03-02T22:00", "2026-03-03T00:00"),
        (NIGHTS, date(2026, 3, 7), "2026-03-07T00:00", "2026-03-07T06:00"),
    ],
)
def test_a_day_has_a_first_and_a_last_open_instant(
    calendar: BusinessCalendar, day: date, first: str, last: str
) -> None:
    assert calendar.start_of_day(day) == wall(first)
    assert calendar.end_of_day(day) == wall(last)


def test_a_closed_day_has_neither() -> None:
    assert OFFICE.start_of_day(date(2026, 3, 7)) is None
    assert OFFICE.end_of_day(date(2026, 3, 7)) is None


def test_a_business_day_is_one_on_which_open_time_starts() -> None:
    assert [OFFICE.is_business_day(date(2026, 3, day)) for day in range(2, 9)] == [True] * 5 + [False] * 2
    assert not NIGHTS.is_business_day(date(2026, 3, 7)), "its morning belongs to Friday"


def test_the_local_date_is_that_of_the_calendar() -> None:
    assert BusinessCalendar.office("Pacific/Chatham").localdate(utc("2026-03-02 11:00")) == date(2026, 3, 3)
    assert BusinessCalendar.office("America/New_York").localdate(utc("2026-03-02 04:59")) == date(2026, 3, 1)


def test_around_the_clock_never_closes() -> None:
    assert ALWAYS.next_close(utc("2026-03-02 11:00")) is None
    assert ALWAYS.is_open(utc("2026-03-29 01:00"))


@pytest.mark.parametrize(
    "ask",
    [
        lambda c, t: c.next_open(t),
        lambda c, t: c.next_close(t),
        lambda c, t: c.add(t, timedelta(0)),
        lambda c, t: c.add(t, HOUR),
        lambda c, t: c.add_days(t, 0),
        lambda c, t: c.add_days(t, 1),
    ],
)
def test_a_calendar_that_never_opens_says_so(ask: Callable[[BusinessCalendar, datetime], object]) -> None:
    with pytest.raises(NeverOpen):
        ask(NEVER, utc("2026-03-02 11:00"))


def test_a_calendar_that_never_opens_still_answers_what_it_can() -> None:
    assert not NEVER.is_open(utc("2026-03-02 11:00"))
    assert NEVER.between(utc("2026-03-02 11:00"), utc("2027-03-02 11:00")) == timedelta(0)


def test_the_search_looks_a_year_ahead_but_not_for_ever() -> None:
    def closed(days: int) -> frozenset[date]:
        return frozenset(date(2026, 3, 2) + timedelta(days=n) for n in range(days))

    year_off = BusinessCalendar.office(BERLIN, holidays=closed(365))
    assert year_off.next_open(wall("2026-03-02T11:00")) == wall("2027-03-02T09:00")
    assert year_off.add(wall("2026-02-27T16:00"), 2 * HOUR) == wall("2027-03-02T10:00")
    with pytest.raises(NeverOpen):
        BusinessCalendar.office(BERLIN, holidays=closed(410)).next_open(wall("2026-03-02T11:00"))
    with pytest.raises(NeverOpen):
        BusinessCalendar.office(BERLIN, holidays=closed(410)).add(wall("2026-02-27T16:00"), 2 * HOUR)
    with pytest.raises(NeverOpen):
        BusinessCalendar.office(BERLIN, holidays=closed(410)).add_days(wall("2026-02-27T16:00"), 1)


def test_durations_longer_than_the_search_are_exact_too() -> None:
    start = wall("2026-03-02T11:00")
    assert ALWAYS.add(start, timedelta(days=1_000)) == start + timedelta(days=1_000)


def test_time_is_never_taken_away() -> None:
    with pytest.raises(ValueError, match="taken away"):
        OFFICE.add(utc("2026-03-02 11:00"), -MINUTE)
    with pytest.raises(ValueError, match="taken away"):
        OFFICE.add_days(utc("2026-03-02 11:00"), -1)
    assert OFFICE.between(utc("2026-03-02 11:00"), utc("2026-03-02 10:00")) == timedelta(0)


def test_naive_times_are_refused() -> None:
    naive = datetime(2026, 3, 2, 11)  # noqa: DTZ001
    for ask in (OFFICE.is_open, OFFICE.next_open, OFFICE.next_close, OFFICE.localdate):
        with pytest.raises(ValueError, match="time zone"):
            ask(naive)
    with pytest.raises(ValueError, match="time zone"):
        OFFICE.between(utc("2026-03-02 11:00"), naive)


def test_answers_are_in_utc_whatever_zone_the_question_was_in() -> None:
    asked = utc("2026-03-02 11:00").astimezone(ZoneInfo("Asia/Kathmandu"))
    for answer in (OFFICE.next_open(asked), OFFICE.add(asked, HOUR), OFFICE.add_days(asked, 1)):
        assert answer.tzinfo is UTC


def test_calendars_are_values() -> None:
    hours: Hours = BusinessCalendar.office(BERLIN)
    assert hours == OFFICE
    assert hash(hours) == hash(OFFICE)
    hours.next_open(utc("2026-03-02 11:00"))
    assert hours == OFFICE, "what it remembers is not part of what it is"


@pytest.mark.parametrize("zone", ["Berlin", "", "../etc/passwd", "/etc/localtime"])
def test_an_unknown_zone_is_refused_at_once(zone: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        BusinessCalendar.office(zone)


def test_impossible_weeks_and_spans_are_refused() -> None:
    with pytest.raises(ValueError, match="7 days"):
        BusinessCalendar(BERLIN, ((),) * 6)
    with pytest.raises(ValueError, match="wall time"):
        OpenSpan(time(9, tzinfo=UTC), time(17))
