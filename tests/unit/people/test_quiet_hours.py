"""The laws of telling, on random hours around real clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.escalation.rules import tell_at
from sentinel.kernel.calendars import BusinessCalendar, OpenSpan
from sentinel.people.rules import quiet_faults

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo"]
MINUTES = st.integers(0, 1439).map(lambda minute: time(minute // 60, minute % 60))
SPAN = st.builds(OpenSpan, MINUTES, MINUTES)
DAY = st.lists(SPAN, max_size=2).map(tuple)
OPEN_DAY = st.lists(SPAN, min_size=1, max_size=2).map(tuple)
HOURS = st.builds(
    BusinessCalendar,
    st.sampled_from(ZONES),
    st.tuples(*[DAY] * 6, OPEN_DAY),
    st.frozensets(st.dates(date(2026, 3, 1), date(2026, 11, 30)), max_size=3),
)
# Around the nights in which clocks change, in spring and in autumn.
INSTANTS = st.builds(
    lambda start, minutes: start + timedelta(minutes=minutes),
    st.sampled_from([datetime(2026, 3, 6, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC)]),
    st.integers(0, 50 * 24 * 60),
)


@settings(max_examples=150)
@given(hours=HOURS, now=INSTANTS)
def test_what_is_not_urgent_rings_at_the_first_open_instant_and_never_earlier(
    hours: BusinessCalendar, now: datetime
) -> None:
    at = tell_at(calendar=hours, breaks_quiet_hours=False, now=now)
    assert at >= now
    assert hours.is_open(at)
    assert hours.between(now, at) == timedelta(0)
    assert (at == now) is hours.is_open(now)


@settings(max_examples=50)
@given(hours=HOURS, now=INSTANTS)
def test_what_is_urgent_rings_at_once_whatever_the_hours(hours: BusinessCalendar, now: datetime) -> None:
    assert tell_at(calendar=hours, breaks_quiet_hours=True, now=now) == now


@settings(max_examples=100)
@given(hours=HOURS, now=INSTANTS)
def test_hours_that_are_taken_leave_an_hour_of_every_working_day(
    hours: BusinessCalendar, now: datetime
) -> None:
    work = BusinessCalendar.office("Europe/Berlin")
    faults = quiet_faults(work=work, telling=hours, now=now)
    first = work.localdate(now)
    days = [first + timedelta(days=n) for n in range(1, 15)]
    worked = [(work.start_of_day(day), work.end_of_day(day)) for day in days if work.is_business_day(day)]
    least = min(hours.between(start, end) for start, end in worked if start and end)
    assert bool(faults) is (least < timedelta(hours=1))


def test_the_sentence_names_the_days() -> None:
    work = BusinessCalendar.office("Europe/Berlin")
    (said,) = quiet_faults(
        work=work,
        telling=BusinessCalendar.office("Europe/Berlin", days=(0, 1, 2)),
        now=datetime(2026, 3, 6, 9, tzinfo=UTC),
    )
    assert "Thursday, Friday" in said
    # Eight hours of work a day, seen from far away: none of them is open there.
    assert quiet_faults(
        work=work, telling=BusinessCalendar.office("Asia/Tokyo"), now=datetime(2026, 3, 6, 9, tzinfo=UTC)
    )
