"""The ladder's arithmetic, without a database."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.escalation.rules import (
    DEFAULT_POLICY,
    Firing,
    Heat,
    acknowledge_due,
    call_due,
    decide_firing,
    following,
    gap_after,
    is_ask_by_call,
    next_ask,
    pace,
    promise_due,
    solve_due,
    suggested_date,
    tell_at,
    why_collapsed,
    worker_mail_at,
)
from sentinel.kernel.calendars import Both, BusinessCalendar

BERLIN_ZONE = ZoneInfo("Europe/Berlin")
BERLIN = BusinessCalendar.office("Europe/Berlin")
KYIV = BusinessCalendar.office("Europe/Kyiv")
TOKYO = BusinessCalendar.office("Asia/Tokyo")
FRIDAY = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)  # 10:00 in Berlin
COOL = Heat()


def fire(
    *,
    rung: int,
    repeats: int = 0,
    at: datetime,
    now: datetime,
    heat: Heat = COOL,
    calendar: BusinessCalendar = BERLIN,
) -> Firing:
    return decide_firing(
        policy=DEFAULT_POLICY,
        heat=heat,
        rung=rung,
        repeats=repeats,
        rung_at=at,
        hours_after=lambda _: calendar,
        days_after=lambda _: calendar,
        now=now,
    )


def climb(steps: int, heat: Heat = COOL) -> list[tuple[int, int, datetime]]:
    at = acknowledge_due(policy=DEFAULT_POLICY, heat=heat, hours=BERLIN, now=FRIDAY)
    rung, repeats, found = 0, 0, []
    for _ in range(steps):
        firing = fire(rung=rung, repeats=repeats, at=at, now=at, heat=heat)
        assert firing.step.at == at
        rung, repeats, at = firing.step.position, firing.step.repeat, firing.next_at
        found.append((rung, repeats, firing.step.at))
    return found


def test_it_climbs_the_shipped_ladder_and_then_repeats_the_top_every_business_day() -> None:
    berlin = [(r, n, at.astimezone(BERLIN_ZONE).strftime("%a %d %H:%M")) for r, n, at in climb(8)]
    assert berlin == [
        (1, 0, "Fri 06 10:15"),
        (2, 0, "Fri 06 11:00"),
        (3, 0, "Fri 06 14:00"),
        (4, 0, "Mon 09 10:00"),  # 8 business hours: 7 on Friday, 1 on Monday
        (4, 1, "Tue 10 10:00"),
        (4, 2, "Wed 11 10:00"),
        (4, 3, "Thu 12 10:00"),
        (4, 4, "Fri 13 10:00"),
    ]


@given(st.integers(min_value=0, max_value=200))
def test_it_has_no_last_step(steps: int) -> None:
    rung, repeats = 0, 0
    for _ in range(steps):
        step, repeats = following(policy=DEFAULT_POLICY, position=rung, repeat=repeats)
        rung = step.position
    step, _ = following(policy=DEFAULT_POLICY, position=rung, repeat=repeats)
    assert step in DEFAULT_POLICY.rungs


@given(st.integers(min_value=0, max_value=400 * 24 * 60))
def test_it_collapses_what_was_missed_and_the_next_firing_lies_ahead(minutes: int) -> None:
    at = acknowledge_due(policy=DEFAULT_POLICY, heat=COOL, hours=BERLIN, now=FRIDAY)
    now = at + timedelta(minutes=minutes)
    firing = fire(rung=0, at=at, now=now)
    assert firing.next_at > now >= firing.step.at
    everything = [*firing.collapsed, firing.step]
    expected = climb(len(everything))
    assert [(s.position, s.repeat, s.at) for s in everything] == expected


def test_it_says_why_steps_were_collapsed() -> None:
    at = acknowledge_due(policy=DEFAULT_POLICY, heat=COOL, hours=BERLIN, now=FRIDAY)
    now = FRIDAY + timedelta(hours=5)
    firing = fire(rung=0, at=at, now=now)
    assert firing.step.position == 3
    assert why_collapsed(collapsed=firing.collapsed, now=now) == (
        "rungs 1 to 2 fell due from 2026-03-06 09:15 UTC while the engine was late; told once at 14:00 UTC"
    )


@pytest.mark.parametrize(
    ("heat", "factor"),
    [
        (Heat(), 1.0),
        (Heat(is_stopped=True), 0.5),
        (Heat(is_key_account=True), 0.75),
        (Heat(attention=1), 0.75),
        (Heat(attention=1, missed_promises=1), 0.5625),
        (Heat(is_stopped=True, is_key_account=True, attention=3), 0.25),
    ],
)
def test_it_climbs_faster_the_hotter_it_is_but_never_more_than_fourfold(heat: Heat, factor: float) -> None:
    assert pace(heat) == pytest.approx(factor)


def test_it_never_waits_between_rungs_of_the_same_heat_longer_than_written() -> None:
    for rung in DEFAULT_POLICY.rungs[:-1]:
        cool = gap_after(policy=DEFAULT_POLICY, position=rung.position, heat=COOL)
        hot = gap_after(policy=DEFAULT_POLICY, position=rung.position, heat=Heat(attention=2))
        assert cool is not None
        assert hot is not None
        assert hot < cool
    assert gap_after(policy=DEFAULT_POLICY, position=4, heat=COOL) is None


def test_it_owes_the_acknowledgement_in_the_owners_hours() -> None:
    evening = datetime(2026, 3, 6, 20, 0, tzinfo=UTC)
    due = acknowledge_due(policy=DEFAULT_POLICY, heat=COOL, hours=BERLIN, now=evening)
    assert due == datetime(2026, 3, 9, 8, 15, tzinfo=UTC)


def test_it_owes_the_call_in_the_hours_of_both_owner_and_worker() -> None:
    # 15:30 in Berlin is 16:30 in Kyiv: half an hour is left today, the rest waits for Monday morning.
    now = datetime(2026, 3, 6, 14, 30, tzinfo=UTC)
    due = call_due(policy=DEFAULT_POLICY, heat=COOL, hours=Both(BERLIN, KYIV), since=now, now=now)
    assert due == datetime(2026, 3, 9, 8, 30, tzinfo=UTC)


def test_it_lets_the_workers_hours_win_when_the_two_never_overlap() -> None:
    due = call_due(policy=DEFAULT_POLICY, heat=COOL, hours=Both(BERLIN, TOKYO), since=FRIDAY, now=FRIDAY)
    assert TOKYO.is_open(due - timedelta(seconds=1))


def test_it_owes_a_promise_a_business_day_after_the_contact() -> None:
    assert promise_due(policy=DEFAULT_POLICY, calendar=BERLIN, now=FRIDAY) == FRIDAY + timedelta(days=3)


def test_it_ends_a_promised_day_with_the_working_day() -> None:
    assert solve_due(due_on=date(2026, 3, 12), calendar=BERLIN) == datetime(2026, 3, 12, 16, 0, tzinfo=UTC)
    # A Saturday is over when Friday is.
    assert solve_due(due_on=date(2026, 3, 14), calendar=BERLIN) == datetime(2026, 3, 13, 16, 0, tzinfo=UTC)


def test_it_suggests_five_days_and_one_when_work_stopped() -> None:
    suggest = suggested_date
    assert suggest(policy=DEFAULT_POLICY, heat=COOL, calendar=BERLIN, now=FRIDAY) == date(2026, 3, 13)
    stopped = Heat(is_stopped=True)
    assert suggest(policy=DEFAULT_POLICY, heat=stopped, calendar=BERLIN, now=FRIDAY) == date(2026, 3, 9)


def test_it_asks_again_after_two_five_and_ten_days_and_then_for_ever() -> None:
    at, asked = FRIDAY, []
    for asks in range(1, 7):
        at = next_ask(policy=DEFAULT_POLICY, asks=asks, proposed_at=FRIDAY, calendar=BERLIN, now=at)
        asked.append(at.date())
    assert asked[:3] == [date(2026, 3, 10), date(2026, 3, 13), date(2026, 3, 20)]
    assert asked[3:] == [date(2026, 4, 17), date(2026, 5, 15), date(2026, 6, 12)]


def test_it_asks_by_call_at_the_second_reminder_only() -> None:
    assert [is_ask_by_call(policy=DEFAULT_POLICY, asks=n) for n in range(1, 7)] == [
        False,
        False,
        True,
        False,
        False,
        False,
    ]


def test_it_mails_staff_outside_their_hours_only_when_the_rung_breaks_them() -> None:
    night = datetime(2026, 3, 6, 22, 0, tzinfo=UTC)
    assert tell_at(calendar=BERLIN, breaks_quiet_hours=True, now=night) == night
    assert tell_at(calendar=BERLIN, breaks_quiet_hours=False, now=night) == datetime(
        2026, 3, 9, 8, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("at", "mailed"),
    [
        (datetime(2026, 3, 6, 16, 59, tzinfo=UTC), datetime(2026, 3, 6, 16, 59, tzinfo=UTC)),  # 18:59 in Kyiv
        (datetime(2026, 3, 6, 17, 1, tzinfo=UTC), datetime(2026, 3, 9, 5, 0, tzinfo=UTC)),  # 19:01, Friday
        (datetime(2026, 3, 8, 12, 0, tzinfo=UTC), datetime(2026, 3, 9, 5, 0, tzinfo=UTC)),  # Sunday
    ],
)
def test_it_mails_workers_between_seven_and_seven_on_working_days(at: datetime, mailed: datetime) -> None:
    assert worker_mail_at(calendar=KYIV, now=at) == mailed
