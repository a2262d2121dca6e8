"""The adaptive loop's decisions: when a duty is due, what fires next, what was missed. Pure.

Everything here takes frozen values and instants and returns decisions; it never reads a clock. The
engine and the ladder simulator call the same functions, hence the simulator predicts exactly.
The prose with the guarantees stands in ``docs/explanation/the-loop.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise

from sentinel.kernel.calendars import BusinessCalendar, Hours, OpenSpan


class DutyKind(StrEnum):
    """What somebody owes next."""

    ACKNOWLEDGE = "acknowledge"
    CALL = "call"
    PROMISE = "promise"
    SOLVE = "solve"
    ASK = "ask"  # the worker is asked whether it is solved


class Audience(StrEnum):
    """Whom a rung tells."""

    OWNER = "owner"  # whoever is accountable for the duty now
    DEPUTY = "deputy"
    MANAGER = "manager"
    OFFICER = "officer"
    EXECUTIVE = "executive"


@dataclass(frozen=True, kw_only=True)
class RungFacts:
    """One rung of a frozen ladder; ``after`` is business time since the start of the loop."""

    position: int
    after: timedelta
    audience: tuple[Audience, ...]
    takes_over: bool = False
    breaks_quiet_hours: bool = False


@dataclass(frozen=True, kw_only=True)
class PolicyFacts:
    """A frozen policy. ``rungs`` are in order; position 0 is the first word to the owner."""

    acknowledge_within: timedelta
    call_within: timedelta
    call_again_after: timedelta
    promise_within_days: int
    solve_within_days: int
    stopped_solve_within_days: int
    ask_again_after_days: tuple[int, ...]
    ask_by_call_after_days: int
    ask_on_after_days: int
    rungs: tuple[RungFacts, ...]


#: The ladder Sentinel ships; every number can be changed per default, tier or account.
DEFAULT_POLICY = PolicyFacts(
    acknowledge_within=timedelta(minutes=15),
    call_within=timedelta(hours=1),
    call_again_after=timedelta(minutes=30),
    promise_within_days=1,
    solve_within_days=5,
    stopped_solve_within_days=1,
    ask_again_after_days=(2, 5, 10),
    ask_by_call_after_days=5,
    ask_on_after_days=20,
    rungs=(
        RungFacts(position=0, after=timedelta(0), audience=(Audience.OWNER,)),
        RungFacts(position=1, after=timedelta(minutes=15), audience=(Audience.OWNER, Audience.DEPUTY)),
        RungFacts(position=2, after=timedelta(hours=1), audience=(Audience.OWNER, Audience.MANAGER)),
        RungFacts(
            position=3,
            after=timedelta(hours=4),
            audience=(Audience.OFFICER, Audience.OWNER, Audience.MANAGER),
            takes_over=True,
            breaks_quiet_hours=True,
        ),
        RungFacts(
            position=4,
            after=timedelta(hours=8),
            audience=(Audience.EXECUTIVE, Audience.OFFICER, Audience.MANAGER),
            breaks_quiet_hours=True,
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Heat:
    """What makes the ladder climb faster on this problem."""

    is_stopped: bool = False
    is_key_account: bool = False
    attention: int = 0
    missed_promises: int = 0


#: Longer durations (business time) and day counts are typing errors, and no calendar reaches that far.
LONGEST = timedelta(days=30)
MOST_DAYS = 250


def rung_faults(*, rungs: tuple[RungFacts, ...], acknowledge_within: timedelta) -> list[str]:
    """What is wrong with the rungs of a ladder, in sentences for whoever edits it; empty when nothing is."""
    rungs = tuple(sorted(rungs, key=lambda rung: rung.position))
    faults = []
    if [rung.position for rung in rungs] != list(range(len(rungs))):
        faults.append("Positions count up from 0 without gaps, each once.")
    elif rungs and rungs[0].after != timedelta(0):
        faults.append("Position 0 is the first word, at the moment of the report: its time is 0m.")
    if any(there.after <= here.after for here, there in pairwise(rungs)):
        faults.append("Every rung comes later than the one before it.")
    if any(not rung.audience for rung in rungs):
        faults.append("Every rung tells somebody.")
    if len(rungs) < 2:
        faults.append("A ladder needs at least one rung beyond position 0: it must lead to somebody else.")
    elif rungs[1].after != acknowledge_within:
        faults.append(
            "Position 1 comes when the acknowledgement is late: its time must equal “acknowledge within”."
        )
    return faults


def ask_faults(*, ask_again_after_days: tuple[int, ...], ask_by_call_after_days: int) -> list[str]:
    """What is wrong with the days on which the worker is asked again; empty when nothing is."""
    days = ask_again_after_days
    faults = []
    if any(not 1 <= day <= MOST_DAYS for day in days) or any(b <= a for a, b in pairwise(days)):
        faults.append(f"The days of asking again are between 1 and {MOST_DAYS} and grow.")
    if ask_by_call_after_days not in days:
        faults.append("The day of asking by call must be one of the days of asking again.")
    return faults


#: The ladder never climbs more than four times as fast as written, whatever happened.
FASTEST = 0.25


def pace(heat: Heat) -> float:
    """Factor on every delay: 1 as written, smaller is faster.

    Work stopped halves, a key account takes a quarter off, each reopening and each missed promise
    take another quarter off; never below :data:`FASTEST`.
    """
    factor = 1.0
    if heat.is_stopped:
        factor *= 0.5
    if heat.is_key_account:
        factor *= 0.75
    factor *= 0.75 ** (heat.attention + heat.missed_promises)
    return max(FASTEST, factor)


def scaled(delay: timedelta, heat: Heat) -> timedelta:
    """A delay at the problem's pace, in whole seconds."""
    return timedelta(seconds=round(delay.total_seconds() * pace(heat)))


def acknowledge_due(*, policy: PolicyFacts, heat: Heat, hours: Hours, now: datetime) -> datetime:
    """When the frown must be acknowledged, in the accountable person's hours."""
    return hours.add(now, scaled(policy.acknowledge_within, heat))


def call_due(*, policy: PolicyFacts, heat: Heat, hours: Hours, since: datetime, now: datetime) -> datetime:
    """When the first call must be tried: within ``call_within`` of ``since``, in hours that are both the
    caller's and the worker's. Never before the first such moment after ``now``."""
    return max(hours.add(since, scaled(policy.call_within, heat)), hours.next_open(now))


def call_again_due(*, policy: PolicyFacts, failed_calls: int, hours: Hours, now: datetime) -> datetime:
    """When to try again after the n-th failed call in a row: the retry delay, then double, then every
    four working hours."""
    if failed_calls <= 2:
        return hours.add(now, policy.call_again_after * max(1, failed_calls))
    return hours.add(now, timedelta(hours=4))


def promise_due(*, policy: PolicyFacts, calendar: BusinessCalendar, now: datetime) -> datetime:
    """When the worker must have a date."""
    return calendar.add_days(now, policy.promise_within_days)


def solve_due(*, due_on: date, calendar: BusinessCalendar) -> datetime:
    """The promised date ends when the accountable person's working day ends.

    On a date that is not a business day of theirs: at the end of the business day before it.
    """
    day = due_on
    for _ in range(400):
        end = calendar.end_of_day(day)
        if end is not None:
            return end
        day -= timedelta(days=1)
    raise ValueError(f"no business day in the 400 days before {due_on}")


def suggested_date(*, policy: PolicyFacts, heat: Heat, calendar: BusinessCalendar, now: datetime) -> date:
    """The date the form proposes: the default solution time."""
    days = policy.stopped_solve_within_days if heat.is_stopped else policy.solve_within_days
    return calendar.localdate(calendar.add_days(now, days))


def next_ask(
    *, policy: PolicyFacts, asks: int, proposed_at: datetime, calendar: BusinessCalendar, now: datetime
) -> datetime:
    """When the worker is asked again after ``asks`` asks (the first is the proposal itself), in the
    worker's calendar. After the table it goes on for ever, every ``ask_on_after_days``."""
    days = policy.ask_again_after_days
    if asks <= len(days):
        at = calendar.add_days(proposed_at, days[asks - 1])
        if at > now:
            return at
    return calendar.add_days(now, policy.ask_on_after_days if asks > len(days) else 1)


def is_ask_by_call(*, policy: PolicyFacts, asks: int) -> bool:
    """Whether ask number ``asks`` (counted from 1, the proposal) comes with a call duty."""
    days = policy.ask_again_after_days
    return 2 <= asks <= len(days) + 1 and days[asks - 2] == policy.ask_by_call_after_days


@dataclass(frozen=True, kw_only=True)
class Step:
    """One firing on the ladder: which rung, or the n-th repeat of the top."""

    position: int
    repeat: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Firing:
    """What a due timer does: the step to take, the steps it replaces, and when it fires next."""

    step: Step
    collapsed: tuple[Step, ...]
    next_at: datetime


def following(*, policy: PolicyFacts, position: int, repeat: int) -> tuple[RungFacts, int]:
    """The step after ``position``: the next rung, or the top again. There is no last step (L4)."""
    top = policy.rungs[-1]
    if position >= top.position:
        return top, repeat + 1
    return next(rung for rung in policy.rungs if rung.position > position), 0


def gap_after(*, policy: PolicyFacts, position: int, heat: Heat) -> timedelta | None:
    """Business time between a rung and the next; ``None`` at the top, where it is one business day."""
    rungs = policy.rungs
    for here, there in pairwise(rungs):
        if here.position == position:
            return scaled(there.after - here.after, heat)
    return None


def decide_firing(
    *,
    policy: PolicyFacts,
    heat: Heat,
    rung: int,
    repeats: int,
    rung_at: datetime,
    hours_after: Callable[[RungFacts], Hours],
    days_after: Callable[[RungFacts], BusinessCalendar],
    now: datetime,
) -> Firing:
    """Decide what a ladder timer that was due at ``rung_at <= now`` does.

    ``hours_after(rung)`` and ``days_after(rung)`` give the working hours in force once that rung has
    fired (a rung that takes over changes whose hours count). Gaps run from the *scheduled* instant, so
    nothing drifts. After downtime every step but the last due one is collapsed (no burst).
    """
    missed: list[Step] = []
    position, repeat, at = rung, repeats, rung_at
    while True:
        step_rung, repeat = following(policy=policy, position=position, repeat=repeat)
        step = Step(position=step_rung.position, repeat=repeat, at=at)
        gap = gap_after(policy=policy, position=step_rung.position, heat=heat)
        if gap is None:
            next_at = days_after(step_rung).add_days(at, 1)
        else:
            next_at = hours_after(step_rung).add(at, gap)
        next_at = max(next_at, at + timedelta(seconds=1))
        if next_at > now:
            return Firing(step=step, collapsed=tuple(missed), next_at=next_at)
        missed.append(step)
        position, at = step_rung.position, next_at


def why_collapsed(*, collapsed: tuple[Step, ...], now: datetime) -> str:
    """The written reason for steps that were not sent one by one."""
    first, last = collapsed[0], collapsed[-1]
    steps = f"rung {first.position}" if len(collapsed) == 1 else f"rungs {first.position} to {last.position}"
    since = f"{first.at:%Y-%m-%d %H:%M} UTC"
    return f"{steps} fell due from {since} while the engine was late; told once at {now:%H:%M} UTC"


def tell_at(*, calendar: BusinessCalendar, breaks_quiet_hours: bool, now: datetime) -> datetime:
    """When a user may be mailed: at once in their working hours or when the rung breaks quiet hours (the
    officer's and higher, or work stopped), else when they next work. The console is told at once."""
    return now if breaks_quiet_hours else calendar.next_open(now)


def worker_mail_at(*, calendar: BusinessCalendar, now: datetime) -> datetime:
    """When a worker may be mailed: between 07:00 and 19:00 of the site's working days."""
    daytime = (OpenSpan(start=time(7), end=time(19)),)
    week = tuple(daytime if spans else () for spans in calendar.week)
    return BusinessCalendar(zone=calendar.zone, week=week, holidays=calendar.holidays).next_open(now)
