"""When a worker is asked next: the table of defaults, and what holds for everybody always."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sentinel.accounts.rules import Rhythm
from sentinel.checkins.rules import (
    Beat,
    CadenceFacts,
    CadenceRules,
    Plan,
    plan_next,
    slot_after_a_missed_window,
)
from sentinel.kernel.calendars import BusinessCalendar, NeverOpen, SendWindow

RULES = CadenceRules()
WINDOW = SendWindow(days=frozenset({1, 2, 3}), start=time(9), end=time(11))
KYIV = BusinessCalendar.office("Europe/Kyiv")
MONDAY = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def planned(
    facts: CadenceFacts,
    now: datetime = MONDAY,
    calendar: BusinessCalendar = KYIV,
    window: SendWindow = WINDOW,
) -> Plan:
    plan = plan_next(facts, rules=RULES, window=window, calendar=calendar, now=now)
    assert plan is not None
    return plan


def asked(
    count: int,
    *,
    worker_id: int = 7,
    answers: bool = True,
    calendar: BusinessCalendar = KYIV,
    rhythm: Rhythm = Rhythm.PROGRAMME,
) -> list[Plan]:
    """The first ``count`` check-ins of a worker who answers each, or none."""
    sent: list[datetime] = []
    plans = []
    now = MONDAY
    for _ in range(count):
        facts = CadenceFacts(
            worker_id=worker_id,
            sent=sent,
            last_answer_at=sent[-1] + timedelta(hours=1) if answers and sent else None,
            rhythm=rhythm,
        )
        plan = planned(facts, now, calendar)
        plans.append(plan)
        # Mail leaves a few seconds late; a week must stay a week all the same.
        sent.append(plan.at + timedelta(seconds=20))
        now = sent[-1]
    return plans


def days_between(plans: list[Plan]) -> list[int]:
    days = [plan.at.astimezone(ZoneInfo("Europe/Kyiv")).date() for plan in plans]
    return [(after - before).days for before, after in pairwise(days)]


def test_a_new_worker_is_asked_within_the_first_week_and_then_weekly_for_four_weeks() -> None:
    plans = asked(6)
    assert plans[0].at - MONDAY < timedelta(days=7)
    assert days_between(plans[:4]) == [7, 7, 7]
    assert [plan.beat for plan in plans] == [Beat.NEW] * 4 + [Beat.MONTHLY] * 2


def test_after_the_first_weeks_it_is_monthly_on_the_workers_own_day() -> None:
    plans = asked(16)[4:]
    assert all(plan.beat is Beat.MONTHLY for plan in plans)
    assert all(26 <= gap <= 37 for gap in days_between(plans))
    months = [plan.at.month for plan in plans]
    assert months == [(months[0] + n - 1) % 12 + 1 for n in range(len(months))]


def test_everybody_keeps_the_nth_sending_day_of_the_month() -> None:
    def nth(at: datetime) -> int:
        day = at.astimezone(ZoneInfo("Europe/Kyiv")).date()
        return sum(1 for n in range(1, day.day + 1) if day.replace(day=n).weekday() in WINDOW.days)

    for worker_id in range(30):
        assert len({nth(plan.at) for plan in asked(12, worker_id=worker_id)[5:]}) == 1


def test_silence_slows_to_two_months_and_then_to_a_quarter() -> None:
    plans = asked(14, answers=False)
    # Four weekly ones are not held against anybody; then three silent months, three silent pairs.
    assert [plan.beat for plan in plans] == (
        [Beat.NEW] * 4 + [Beat.MONTHLY] * 3 + [Beat.SLOWED] * 3 + [Beat.QUARTERLY] * 4
    )
    gaps = days_between(plans)
    assert all(54 <= gap <= 69 for gap in gaps[6:9])
    assert all(84 <= gap <= 99 for gap in gaps[9:])


def test_an_answer_after_long_silence_brings_the_month_back() -> None:
    sent = [plan.at for plan in asked(14, answers=False)]
    facts = CadenceFacts(worker_id=7, sent=sent, last_answer_at=sent[-1] + timedelta(hours=2))
    assert planned(facts, sent[-1] + timedelta(hours=2)).beat is Beat.MONTHLY


@pytest.mark.parametrize(
    ("rhythm", "shortest", "longest"),
    [(Rhythm.WEEKLY, 7, 7), (Rhythm.MONTHLY, 26, 37), (Rhythm.QUARTERLY, 84, 99)],
)
def test_the_workers_own_rhythm_wins_from_the_first_day_and_over_silence(
    rhythm: Rhythm, shortest: int, longest: int
) -> None:
    plans = asked(12, answers=False, rhythm=rhythm)
    assert {plan.beat for plan in plans} == {Beat.CHOSEN}
    assert all(shortest <= gap <= longest for gap in days_between(plans))


def test_the_workers_own_rhythm_wins_over_the_extra_check_in() -> None:
    facts = CadenceFacts(
        worker_id=7, rhythm=Rhythm.QUARTERLY, sent=[MONDAY - timedelta(days=30)], last_confirmed_at=MONDAY
    )
    assert planned(facts).beat is Beat.CHOSEN


def test_a_pause_without_end_plans_nothing_and_with_an_end_waits_for_it() -> None:
    forever = CadenceFacts(worker_id=7, rhythm=Rhythm.PAUSE)
    assert plan_next(forever, rules=RULES, window=WINDOW, calendar=KYIV, now=MONDAY) is None
    until = CadenceFacts(worker_id=7, rhythm=Rhythm.PAUSE, paused_until=date(2026, 5, 1))
    assert planned(until).at >= datetime(2026, 4, 30, 21, 0, tzinfo=UTC)


def settled(worker_id: int = 7) -> list[datetime]:
    return [plan.at for plan in asked(6, worker_id=worker_id)]


def test_two_weeks_after_a_confirmed_problem_there_is_one_extra_check_in() -> None:
    extras = 0
    for worker_id in range(40):
        sent = settled(worker_id)
        confirmed = sent[-1] + timedelta(days=2)
        plan = planned(CadenceFacts(worker_id=worker_id, sent=sent, last_confirmed_at=confirmed), confirmed)
        if plan.beat is not Beat.FOLLOW_UP:
            continue
        extras += 1
        assert timedelta(days=13) < plan.at - confirmed <= timedelta(days=20)
        after = CadenceFacts(worker_id=worker_id, sent=[*sent, plan.at], last_confirmed_at=confirmed)
        assert planned(after, plan.at).beat is Beat.MONTHLY
    assert extras == 40


def test_a_regular_check_in_close_to_the_follow_up_takes_its_place() -> None:
    sent = settled()
    confirmed = sent[-1] - timedelta(days=8)
    assert (
        planned(CadenceFacts(worker_id=7, sent=sent, last_confirmed_at=confirmed), sent[-1]).beat
        is Beat.MONTHLY
    )


def test_a_skipped_check_in_is_followed_by_the_next_turn_not_by_the_next_day() -> None:
    sent = settled()
    due = planned(CadenceFacts(worker_id=7, sent=sent), sent[-1])
    after = planned(CadenceFacts(worker_id=7, sent=sent, last_skipped_for=due.at), due.at)
    assert 26 <= (after.at - due.at).days <= 37


def test_an_unconfirmed_problem_rides_in_the_regular_check_in() -> None:
    sent = settled()
    regular = planned(CadenceFacts(worker_id=7, sent=sent), sent[-1])
    about = planned(CadenceFacts(worker_id=7, sent=sent, about_problem_id=9), sent[-1])
    assert (about.at, about.beat) == (regular.at, Beat.ABOUT)


def test_a_thousand_workers_are_spread_over_days_and_minutes() -> None:
    plans = [planned(CadenceFacts(worker_id=n, rhythm=Rhythm.MONTHLY)) for n in range(1_000)]
    in_kyiv = [plan.at.astimezone(ZoneInfo("Europe/Kyiv")) for plan in plans]
    days = Counter(at.date() for at in in_kyiv)
    assert len(days) >= 12
    assert max(days.values()) < 1_000 / 12 * 1.6
    quarters = Counter((at.hour * 60 + at.minute - 540) // 15 for at in in_kyiv)
    assert set(quarters) == set(range(8))
    assert max(quarters.values()) < 1_000 / 8 * 1.4


def test_a_site_that_is_never_open_says_so() -> None:
    closed = BusinessCalendar("Europe/Kyiv", ((),) * 7)
    with pytest.raises(NeverOpen):
        planned(CadenceFacts(worker_id=7), calendar=closed)


def test_in_the_window_mail_may_go_and_outside_it_waits_for_the_next() -> None:
    tuesday = datetime(2026, 3, 3, 7, 30, tzinfo=UTC)  # 09:30 in Kyiv
    assert slot_after_a_missed_window(7, window=WINDOW, calendar=KYIV, now=tuesday) is None
    late = slot_after_a_missed_window(7, window=WINDOW, calendar=KYIV, now=tuesday + timedelta(hours=2))
    assert late is not None
    assert datetime(2026, 3, 4, 7, 0, tzinfo=UTC) <= late < datetime(2026, 3, 4, 7, 30, tzinfo=UTC)
    friday = slot_after_a_missed_window(7, window=WINDOW, calendar=KYIV, now=tuesday + timedelta(days=3))
    assert friday is not None
    assert friday.date() == date(2026, 3, 10)


ZONES = ("Europe/Kyiv", "Asia/Tokyo", "America/St_Johns", "Pacific/Chatham", "Asia/Kathmandu", "Pacific/Apia")


@st.composite
def situations(draw: st.DrawFn) -> tuple[CadenceFacts, BusinessCalendar, SendWindow, datetime]:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=draw(st.integers(0, 2 * 365 * 24 * 60)))
    gaps = draw(st.lists(st.integers(7, 120), max_size=12))
    sent: list[datetime] = []
    at = now
    for gap in gaps:
        at -= timedelta(days=gap)
        sent.insert(0, at)
    holidays = draw(st.frozensets(st.integers(0, 900), max_size=40))
    calendar = BusinessCalendar.office(
        draw(st.sampled_from(ZONES)),
        holidays=frozenset(date(2026, 1, 1) + timedelta(days=n) for n in holidays),
    )
    days = draw(st.frozensets(st.integers(0, 4), min_size=1))
    start = draw(st.integers(0, 22))
    facts = CadenceFacts(
        worker_id=draw(st.integers(1, 10**9)),
        rhythm=draw(st.sampled_from([r for r in Rhythm if r is not Rhythm.PAUSE])),
        sent=sent,
        last_answer_at=draw(st.none() | st.sampled_from(sent)) if sent else None,
        last_confirmed_at=draw(st.none() | st.integers(0, 60).map(lambda n: now - timedelta(days=n))),
        paused_until=draw(st.none() | st.just(now.date() + timedelta(days=40))),
    )
    return facts, calendar, SendWindow(days=days, start=time(start), end=time(start + 1)), now


@settings(max_examples=300)
@given(situations())
def test_whatever_happened_the_next_check_in_is_in_the_window_a_week_later_and_not_in_the_past(
    situation: tuple[CadenceFacts, BusinessCalendar, SendWindow, datetime],
) -> None:
    facts, calendar, window, now = situation
    plan = planned(facts, now, calendar, window)
    local = plan.at.astimezone(ZoneInfo(calendar.zone))
    assert plan.at >= now
    assert local.weekday() in window.days
    assert calendar.is_business_day(local.date())
    assert (
        window.start <= local.time().replace(tzinfo=None) < window.end
        or local.utcoffset() != (plan.at - timedelta(days=1)).astimezone(ZoneInfo(calendar.zone)).utcoffset()
    )
    if facts.sent:
        assert (local.date() - calendar.localdate(facts.sent[-1])).days >= RULES.minimum_days_between
    if facts.paused_until:
        assert local.date() >= facts.paused_until
    assert plan == planned(facts, now, calendar, window), "the same facts give the same plan"
