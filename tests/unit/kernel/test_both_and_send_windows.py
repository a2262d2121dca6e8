"""When two people are there at once, and when bulk mail may leave."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from sentinel.kernel.calendars import (
    Both,
    BusinessCalendar,
    Hours,
    NeverOpen,
    SendWindow,
    first_common,
    next_send_slot,
)

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BERLIN = "Europe/Berlin"
OWNER = BusinessCalendar.office(BERLIN)
WINDOW = SendWindow(frozenset({1, 2, 3}), time(9), time(11))


def wall(text: str, zone: str = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_two_are_there_when_each_is_there() -> None:
    new_york = BusinessCalendar.office("America/New_York")
    both: Hours = Both(OWNER, new_york)
    assert both.next_open(wall("2026-03-02T10:00")) == wall("2026-03-02T15:00")
    assert both.next_close(wall("2026-03-02T10:00")) == wall("2026-03-02T17:00")
    assert both.add(wall("2026-03-02T16:00"), 2 * HOUR) == wall("2026-03-03T16:00")
    assert both.between(wall("2026-03-02T00:00"), wall("2026-03-09T00:00")) == 10 * HOUR
    assert not both.is_open(wall("2026-03-02T14:59"))
    assert both.is_open(wall("2026-03-02T15:00"))
    # Between the two clock changes New York is an hour nearer.
    assert both.next_open(wall("2026-03-09T10:00")) == wall("2026-03-09T14:00")


def test_it_does_not_matter_who_comes_first_while_they_share_hours() -> None:
    kathmandu = BusinessCalendar.office("Asia/Kathmandu")
    for at in (wall("2026-03-02T00:00") + n * HOUR for n in range(0, 200, 7)):
        assert Both(OWNER, kathmandu).add(at, 3 * HOUR) == Both(kathmandu, OWNER).add(at, 3 * HOUR)


def test_without_shared_hours_the_workers_hours_win() -> None:
    night_worker = BusinessCalendar.office(BERLIN, time(22), time(6))
    both = Both(OWNER, night_worker)
    assert first_common(OWNER, night_worker, wall("2026-03-02T12:00")) is None
    assert both.next_open(wall("2026-03-02T12:00")) == wall("2026-03-02T22:00")
    assert both.add(wall("2026-03-06T23:00"), 8 * HOUR) == wall("2026-03-09T23:00")
    assert both.next_close(wall("2026-03-02T12:00")) == wall("2026-03-03T06:00")
    assert both.between(wall("2026-03-02T00:00"), wall("2026-03-09T00:00")) == 40 * HOUR


def test_an_owner_who_is_never_there_leaves_the_workers_hours() -> None:
    nobody = BusinessCalendar(BERLIN, ((),) * 7)
    at = wall("2026-03-06T16:30")
    assert Both(nobody, OWNER).add(at, HOUR) == OWNER.add(at, HOUR)
    with pytest.raises(NeverOpen):
        Both(OWNER, nobody).next_open(at)


@pytest.mark.parametrize(("leave", "expected"), [(11, "2026-03-13T09:00"), (21, "2026-03-02T09:00")])
def test_a_short_leave_is_waited_for_and_a_long_one_is_not(leave: int, expected: str) -> None:
    off = frozenset(date(2026, 3, 2) + DAY * n for n in range(leave))
    owner = BusinessCalendar.office(BERLIN, days=range(7), holidays=off)
    worker = BusinessCalendar.office(BERLIN, days=range(7))
    assert Both(owner, worker).next_open(wall("2026-03-02T08:00")) == wall(expected)


def test_the_patience_is_exactly_fourteen_days_from_the_instant_asked() -> None:
    off = frozenset(date(2026, 3, 2) + DAY * n for n in range(20))
    owner = BusinessCalendar.office(BERLIN, days=range(7), holidays=off)
    both = Both(owner, BusinessCalendar.office(BERLIN, time(7), time(20), days=range(7)))
    back = wall("2026-03-22T09:00")
    assert first_common(both.a, both.b, back - 14 * DAY) == back
    assert not both.is_open(back - 14 * DAY)
    assert both.next_open(back - 14 * DAY) == back
    just_before = back - 14 * DAY - timedelta.resolution
    assert first_common(both.a, both.b, just_before) is None
    assert both.is_open(just_before)
    assert both.next_close(just_before) == back - 14 * DAY


def test_three_can_be_asked_at_once() -> None:
    early, late = (
        BusinessCalendar.office(BERLIN, time(7), time(12)),
        BusinessCalendar.office(BERLIN, time(11)),
    )
    three = Both(Both(OWNER, early), late)
    assert three.next_open(wall("2026-03-02T08:00")) == wall("2026-03-02T11:00")
    assert three.next_close(wall("2026-03-02T08:00")) == wall("2026-03-02T12:00")


def test_first_common_is_now_when_both_are_there() -> None:
    at = wall("2026-03-02T12:34")
    assert first_common(OWNER, OWNER, at) == at


@pytest.mark.parametrize(
    ("at", "slot"),
    [
        ("2026-03-03T08:00", "2026-03-03T09:00"),
        ("2026-03-03T09:30", "2026-03-03T09:30"),
        ("2026-03-03T10:59:59", "2026-03-03T10:59:59"),
        ("2026-03-03T11:00", "2026-03-04T09:00"),
        ("2026-03-05T11:00", "2026-03-10T09:00"),
        ("2026-03-07T09:30", "2026-03-10T09:00"),
        ("2026-03-09T09:30", "2026-03-10T09:00"),
        ("2026-03-27T12:00", "2026-03-31T09:00"),
    ],
)
def test_mail_waits_for_the_window_in_the_sites_own_time(at: str, slot: str) -> None:
    for zone in (BERLIN, "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns"):
        site = BusinessCalendar.office(zone)
        assert next_send_slot(wall(at, zone), WINDOW, site) == wall(slot, zone)


def test_mail_is_never_sent_on_a_holiday_or_on_the_sites_weekend() -> None:
    holidays = frozenset({date(2026, 3, 3), date(2026, 3, 4)})
    site = BusinessCalendar.office(BERLIN, holidays=holidays)
    assert next_send_slot(wall("2026-03-02T12:00"), WINDOW, site) == wall("2026-03-05T09:00")
    cairo = BusinessCalendar.office("Africa/Cairo", days=(6, 0, 1, 2, 3))
    friday_or_sunday = SendWindow(frozenset({4, 6}), time(9), time(11))
    assert next_send_slot(wall("2026-03-05T12:00", "Africa/Cairo"), friday_or_sunday, cairo) == wall(
        "2026-03-08T09:00", "Africa/Cairo"
    )


def test_opening_hours_do_not_narrow_the_window() -> None:
    afternoons = BusinessCalendar.office(BERLIN, time(13), time(18))
    assert next_send_slot(wall("2026-03-03T08:00"), WINDOW, afternoons) == wall("2026-03-03T09:00")


def test_a_window_past_midnight_belongs_to_the_day_it_starts_on() -> None:
    night = SendWindow(frozenset({4}), time(23), time(1))
    assert next_send_slot(wall("2026-03-07T00:30"), night, OWNER) == wall("2026-03-07T00:30")
    assert next_send_slot(wall("2026-03-07T01:00"), night, OWNER) == wall("2026-03-13T23:00")


def test_a_window_swallowed_by_a_clock_change_waits_for_the_next() -> None:
    sunday = SendWindow(frozenset({6}), time(2), time(3))
    everyday = BusinessCalendar.office(BERLIN, days=range(7))
    assert next_send_slot(wall("2026-03-23T12:00"), sunday, everyday) == wall("2026-04-05T02:00")


def test_a_window_that_never_comes_says_so() -> None:
    weekend = SendWindow(frozenset({5, 6}), time(9), time(11))
    with pytest.raises(NeverOpen):
        next_send_slot(wall("2026-03-02T12:00"), weekend, OWNER)


@pytest.mark.parametrize("days", [frozenset(), frozenset({7}), frozenset({-1, 2})])
def test_a_window_without_real_weekdays_is_refused(days: frozenset[int]) -> None:
    with pytest.raises(ValueError, match="weekday"):
        SendWindow(days, time(9), time(11))


def test_a_window_carries_no_zone_of_its_own() -> None:
    with pytest.raises(ValueError, match="wall time"):
        SendWindow(frozenset({1}), time(9, tzinfo=UTC), time(11))
