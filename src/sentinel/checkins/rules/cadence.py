"""When a worker is asked next. Pure.

Everybody keeps a day and a minute of their own, seeded by their id: the n-th day of the month on
which mail may go (weekday of the window, business day of the site), or a weekday while they are
asked weekly. That spreads a site over the month, so that the signal never stops. Distances between
check-ins count in days of the site's calendar on the wall, hence a clock change never costs a week.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

from sentinel.accounts.rules import Rhythm
from sentinel.kernel.calendars import BusinessCalendar, NeverOpen, SendWindow, local_instant, next_send_slot
from sentinel.kernel.ids import seeded_fraction

_DAY = timedelta(days=1)
#: Every month has at least twelve days from Tuesday to Thursday; the n-th of a worker is one of these.
_DAYS_OF_A_MONTH = 12
#: Own days of neighbouring months lie 26 days apart or more; whatever is closer belongs to the month before.
_MONTH_SLACK = 10
_MONTH = 30
#: What missed its window goes in the first quarter of the next one.
_EARLY = 0.25


class Beat(StrEnum):
    """Why a check-in is planned for when it is; stored as its ``reason``."""

    NEW = "new"  # weekly, for the first weeks
    MONTHLY = "monthly"
    SLOWED = "slowed"  # every two months, after silence
    QUARTERLY = "quarterly"  # after more silence
    CHOSEN = "chosen"  # the worker's own rhythm
    FOLLOW_UP = "follow_up"  # the extra one after a confirmed problem
    ABOUT = "about"  # asks about an unconfirmed problem


@dataclass(frozen=True, kw_only=True)
class CadenceRules:
    """The programme's numbers; the defaults are those Sentinel ships."""

    new_worker_weeks: int = 4
    silent_cycles_before_slowing: int = 3
    minimum_days_between: int = 7
    follow_up_days: int = 14


@dataclass(frozen=True, kw_only=True)
class CadenceFacts:
    """What the cadence depends on. Instants in UTC.

    ``sent``: when this worker's check-ins went out, oldest first (two years are enough).
    ``last_answer_at``: the latest verified answer. ``last_skipped_for``: the slot that was let pass.
    ``last_confirmed_at``: when the worker last said "yes, solved". ``away_until``: the first day back.
    """

    worker_id: int
    rhythm: Rhythm = Rhythm.PROGRAMME
    paused_until: date | None = None
    away_until: date | None = None
    sent: Sequence[datetime] = ()
    last_answer_at: datetime | None = None
    last_skipped_for: datetime | None = None
    last_confirmed_at: datetime | None = None
    about_problem_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The next check-in: when, and why then."""

    at: datetime
    beat: Beat


def plan_next(
    facts: CadenceFacts, *, rules: CadenceRules, window: SendWindow, calendar: BusinessCalendar, now: datetime
) -> Plan | None:
    """The worker's next check-in at or after ``now``; None for a pause without an end.

    Raises :class:`~sentinel.kernel.calendars.NeverOpen` when the site has no sending day at all.
    """
    if facts.rhythm is Rhythm.PAUSE and facts.paused_until is None:
        return None
    beat, months = _beat(facts, rules, calendar)
    earliest = _earliest_day(facts, rules, calendar, now)
    if months == 0:
        at = _weekly_slot(facts, earliest, window, calendar, now)
    else:
        at = _monthly_slot(facts, earliest, months, window, calendar, now)
    if beat is not Beat.CHOSEN:
        follow_up = _follow_up_day(facts, rules, calendar)
        if follow_up is not None:
            early = _slot_on_or_after(facts.worker_id, max(follow_up, earliest), window, calendar, now)
            if early < at:
                at, beat = early, Beat.FOLLOW_UP
    return Plan(at=at, beat=Beat.ABOUT if facts.about_problem_id is not None else beat)


def slot_after_a_missed_window(
    worker_id: int, *, window: SendWindow, calendar: BusinessCalendar, now: datetime
) -> datetime | None:
    """None when mail may go right now; else the worker's slot in the next window (missed windows wait).

    What was missed goes early in that window, in the worker's usual order, so that an engine that runs
    late again does not miss it for good.
    """
    if next_send_slot(now, window, calendar) == now:
        return None
    return _slot_on_or_after(worker_id, calendar.localdate(now), window, calendar, now, share=_EARLY)


def silent_cycles(facts: CadenceFacts, rules: CadenceRules) -> int:
    """How many check-ins went out since the worker last answered or confirmed, without the first weeks."""
    if not facts.sent:
        return 0
    settled = facts.sent[0] + timedelta(weeks=rules.new_worker_weeks)
    since = max(filter(None, (settled, facts.last_answer_at, facts.last_confirmed_at)))
    return sum(1 for at in facts.sent if at > since)


def _beat(facts: CadenceFacts, rules: CadenceRules, calendar: BusinessCalendar) -> tuple[Beat, int]:
    """The reason and the distance in months (0: weekly). The worker's own choice wins over everything."""
    chosen = {Rhythm.WEEKLY: 0, Rhythm.MONTHLY: 1, Rhythm.QUARTERLY: 3}.get(facts.rhythm)
    if chosen is not None:
        return Beat.CHOSEN, chosen
    if not facts.sent:
        return Beat.NEW, 0
    last, first = calendar.localdate(facts.sent[-1]), calendar.localdate(facts.sent[0])
    if last - first < timedelta(weeks=rules.new_worker_weeks - 1):
        return Beat.NEW, 0
    silent = silent_cycles(facts, rules)
    if silent >= 2 * rules.silent_cycles_before_slowing:
        return Beat.QUARTERLY, 3
    if silent >= rules.silent_cycles_before_slowing:
        return Beat.SLOWED, 2
    return Beat.MONTHLY, 1


def _earliest_day(
    facts: CadenceFacts, rules: CadenceRules, calendar: BusinessCalendar, now: datetime
) -> date:
    days = [calendar.localdate(now)]
    between = timedelta(days=rules.minimum_days_between)
    if facts.sent:
        days.append(calendar.localdate(facts.sent[-1]) + between)
    if facts.last_skipped_for is not None:
        days.append(calendar.localdate(facts.last_skipped_for) + between)
    if facts.paused_until is not None:
        days.append(facts.paused_until)
    if facts.away_until is not None:
        days.append(facts.away_until)
    return max(days)


def _follow_up_day(facts: CadenceFacts, rules: CadenceRules, calendar: BusinessCalendar) -> date | None:
    """The day of the extra check-in after a confirmed problem; None when one has already served as it."""
    if facts.last_confirmed_at is None:
        return None
    day = calendar.localdate(facts.last_confirmed_at) + timedelta(days=rules.follow_up_days)
    near_enough = day - timedelta(days=rules.minimum_days_between)
    asked_since = facts.sent and calendar.localdate(facts.sent[-1]) >= near_enough
    return None if asked_since else day


def _weekly_slot(
    facts: CadenceFacts, earliest: date, window: SendWindow, calendar: BusinessCalendar, now: datetime
) -> datetime:
    """The worker's own weekday within a week of ``earliest``, or the next sending day when it is closed."""
    days = sorted(window.days)
    own = days[int(seeded_fraction("weekday", facts.worker_id) * len(days))]
    day = earliest + _DAY * ((own - earliest.weekday()) % 7)
    at = _slot_on(facts.worker_id, day, window, calendar)
    if calendar.is_business_day(day) and at >= now:
        return at
    return _slot_on_or_after(facts.worker_id, day, window, calendar, now)


def _monthly_slot(
    facts: CadenceFacts,
    earliest: date,
    months: int,
    window: SendWindow,
    calendar: BusinessCalendar,
    now: datetime,
) -> datetime:
    """The first own day that is ``months`` after the last check-in, give or take the length of a month."""
    if facts.sent:
        distance = timedelta(days=_MONTH * months - _MONTH_SLACK)
        earliest = max(earliest, calendar.localdate(facts.sent[-1]) + distance)
    nth = int(seeded_fraction("day", facts.worker_id) * _DAYS_OF_A_MONTH)
    year, month = earliest.year, earliest.month
    for _ in range(14):
        days = _sending_days(year, month, window, calendar)
        if days:
            # A month short of sending days (holidays) keeps its last one for the late numbers.
            day = days[min(nth, len(days) - 1)]
            at = _slot_on(facts.worker_id, day, window, calendar)
            if day >= earliest and at >= now:
                return at
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    raise NeverOpen(f"no sending day of {window!r} in the 14 months from {earliest}: {calendar!r}")


def _slot_on_or_after(
    worker_id: int,
    day: date,
    window: SendWindow,
    calendar: BusinessCalendar,
    now: datetime,
    share: float = 1.0,
) -> datetime:
    """The worker's minute on the first sending day from ``day`` on, not before ``now``."""
    for step in range(400):
        candidate = day + _DAY * step
        if candidate.weekday() in window.days and calendar.is_business_day(candidate):
            at = _slot_on(worker_id, candidate, window, calendar, share)
            if at >= now:
                return at
    raise NeverOpen(f"no sending day of {window!r} in the 400 days from {day}: {calendar!r}")


def _slot_on(
    worker_id: int, day: date, window: SendWindow, calendar: BusinessCalendar, share: float = 1.0
) -> datetime:
    """The worker's own second on a date, within the first ``share`` of the window."""
    opens = local_instant(day, window.start, calendar.zone)
    closes = local_instant(day if window.end > window.start else day + _DAY, window.end, calendar.zone)
    span = (closes - opens).total_seconds() * share
    return opens + timedelta(seconds=int(span * seeded_fraction("time", worker_id)))


@lru_cache(maxsize=4_096)
def _sending_days(year: int, month: int, window: SendWindow, calendar: BusinessCalendar) -> tuple[date, ...]:
    """The days of a month on which check-ins may go to this site."""
    first = date(year, month, 1)
    days = (first + _DAY * n for n in range(31))
    return tuple(
        day
        for day in days
        if day.month == month and day.weekday() in window.days and calendar.is_business_day(day)
    )
