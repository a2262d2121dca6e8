"""What the problem's page and the call brief show beside the problem itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Min, QuerySet

from sentinel.accounts.selectors import calendar_of_site
from sentinel.calls.models import PlacedCall
from sentinel.checkins.models import Response
from sentinel.checkins.rules import Evidence
from sentinel.escalation import rules
from sentinel.escalation.models import Duty, FrozenPolicy
from sentinel.escalation.rules import DutyKind, RungFacts
from sentinel.escalation.selectors import heat_of, hours_for, policy_of
from sentinel.kernel.calendars import NeverOpen
from sentinel.outbox.rules import WAYS
from sentinel.outbox.selectors import messages_about_problem
from sentinel.people.models import User
from sentinel.problems.models import Call, Problem
from sentinel.problems.rules import (
    CALLS_BEFORE_END,
    FEWEST_IN_STORM,
    MAILS_BEFORE_END,
    CallOutcome,
    ProblemState,
)
from sentinel.problems.selectors import problems_of_cause, problems_visible_to, storm_of
from sentinel.timeline.selectors import events_of_problem
from sentinel.timeline.verbs import Verb
from sentinel.ui.formatting import duration_text
from sentinel.web.reads.conversations import clock_text
from sentinel.web.reads.history import Moment, tell, with_messages
from sentinel.web.words import way_words


@dataclass(frozen=True, kw_only=True)
class RungView:
    """One rung of the frozen ladder: ``after`` at the problem's pace; ``at``: when it was reached, fires
    next, or (``is_estimate``) would fire if nothing moves and the same person answers."""

    position: int
    after: timedelta
    audience: list[str]
    takes_over: bool
    is_reached: bool
    is_next: bool
    is_estimate: bool
    at: datetime | None


@dataclass(frozen=True, kw_only=True)
class WorkerNow:
    """Whether the worker is at work at this instant, and when next; never, when the calendar is empty."""

    is_at_work: bool
    next_at_work: datetime | None
    until: datetime | None


def duty_of(problem: Problem) -> Duty | None:
    """What is owed next; None once the problem is closed."""
    return Duty.objects.filter(problem=problem).select_related("accountable").first()


def story_of(problem: Problem) -> list[Moment]:
    """Everything that happened, newest first. New duties are shown where they stand, not as history."""
    events = events_of_problem(problem.pk).exclude(verb=Verb.DUTY_SET.value)
    moments = tell(events, language=problem.language)
    told = with_messages(moments, messages_about_problem(problem.pk), worker_name=problem.worker.name)
    return told[::-1]


def path_of(problem: Problem) -> list[tuple[str, datetime, str]]:
    """From the frown to the talk: (what, when, how long after the frown). Only what has happened."""
    calls = PlacedCall.objects.filter(problem=problem)
    dialled = Call.objects.filter(problem=problem)
    told = next(
        (
            (f"told by {way_words(m.channel)}", m.settled_at)
            for m in sorted(messages_about_problem(problem.pk), key=lambda m: m.settled_at or m.created_at)
            if m.recipient_kind == "user" and m.channel in WAYS and m.state in ("accepted", "delivered")
        ),
        ("", None),
    )
    called = (calls.aggregate(at=Min("requested_at"))["at"], dialled.aggregate(at=Min("at"))["at"])
    steps = (
        told,
        ("acknowledged", problem.acknowledged_at),
        ("call", min((at for at in called if at is not None), default=None)),
        ("connected", calls.aggregate(at=Min("bridged_at"))["at"]),
    )
    found = [(what, at) for what, at in steps if at is not None and at >= problem.opened_at]
    return [
        (what, at, _distance(at - problem.opened_at)) for what, at in sorted(found, key=lambda step: step[1])
    ]


def _distance(after: timedelta) -> str:
    seconds = int(after.total_seconds())
    return clock_text(seconds) if after < timedelta(hours=1) else duration_text(seconds)


def ladder_of(problem: Problem, duty: Duty | None) -> list[RungView]:
    """The frozen ladder with what was reached and when the next rung fires."""
    if not FrozenPolicy.objects.filter(problem=problem).exists():
        return []
    policy, heat = policy_of(problem), heat_of(problem)
    reached = duty.rung if duty else -1
    following = (
        rules.following(policy=policy, position=reached, repeat=0)[0] if duty and duty.rung_at else None
    )
    fired = _rungs_fired(problem)

    def clock_time(rung: RungFacts) -> datetime | None:
        if duty is not None and rung == following:
            return duty.rung_at
        if rung.position <= reached or duty is None:
            return fired.get(rung.position)
        if duty.rung_at is None or following is None:
            return None
        hours = hours_for(kind=DutyKind(duty.kind), accountable=duty.accountable, site=problem.site)
        try:
            return hours.add(duty.rung_at, rules.scaled(rung.after - following.after, heat))
        except NeverOpen:
            return None

    return [
        RungView(
            position=rung.position,
            after=rules.scaled(rung.after, heat),
            audience=[a.value for a in rung.audience],
            takes_over=rung.takes_over,
            is_reached=rung.position <= reached,
            is_next=rung == following,
            is_estimate=rung.position > reached and rung != following,
            at=clock_time(rung),
        )
        for rung in policy.rungs
    ]


def _rungs_fired(problem: Problem) -> dict[int, datetime]:
    """When each rung was reached for the first time; the report itself is rung 0."""
    fired = {0: problem.opened_at}
    for event in events_of_problem(problem.pk).filter(verb=Verb.DUTY_FIRED.value):
        fired.setdefault(int(event.data.get("rung", 0)), event.at)
    return fired


def worker_now(problem: Problem, now: datetime) -> WorkerNow:
    """Whether calling makes sense right now, by the calendar of the worker's site."""
    hours = calendar_of_site(problem.site)
    try:
        is_open = hours.is_open(now)
        return WorkerNow(
            is_at_work=is_open,
            next_at_work=None if is_open else hours.next_open(now),
            until=hours.next_close(now) if is_open else None,
        )
    except NeverOpen:
        return WorkerNow(is_at_work=False, next_at_work=None, until=None)


def times_to_call_back(problem: Problem, now: datetime) -> list[tuple[datetime, str]]:
    """Likely answers to "when shall I call again?": (instant, the worker's wall time as forms write it).

    In an hour, in two, and when the site opens next, as far as somebody is there then.
    """
    hours, zone = calendar_of_site(problem.site), ZoneInfo(problem.site.zone)
    half_hour = timedelta(minutes=30)
    round_now = now.replace(minute=now.minute // 30 * 30, second=0, microsecond=0)
    found = [round_now + after for after in (half_hour * 2, half_hour * 4)]
    try:
        closes = hours.next_close(hours.next_open(now))
        found = [at for at in found if hours.is_open(at)]
        if closes is not None:
            found.append(hours.next_open(closes))
    except NeverOpen:
        return []
    return [(at, at.astimezone(zone).strftime("%Y-%m-%dT%H:%M")) for at in found]


def latest_words(problem: Problem) -> list[tuple[datetime, str, str]]:
    """What the worker said, newest first: (when, words, language)."""
    said = [
        (moment.at, moment.verbatim, moment.language or problem.language)
        for moment in tell(events_of_problem(problem.pk), language=problem.language)
        if moment.verbatim
    ]
    if problem.words and all(text != problem.words for _, text, _ in said):
        said.insert(0, (problem.opened_at, problem.words, problem.language))
    return said[::-1]


def reached_calls(problem: Problem) -> QuerySet[Call]:
    """Calls in which the worker can have given a verdict: reached, since the proposal."""
    calls = Call.objects.filter(problem=problem, outcome=CallOutcome.REACHED.value).select_related("caller")
    if problem.proposed_at is not None:
        calls = calls.filter(at__gte=problem.proposed_at)
    return calls.order_by("-id")


def before_end(problem: Problem) -> list[tuple[str, bool]]:
    """What must be on record before the problem may be ended, and whether it is."""
    calls = Call.objects.filter(problem=problem).count()
    mails = sum(
        1
        for m in messages_about_problem(problem.pk)
        if m.recipient_kind == "worker" and m.channel == "email" and m.state in ("accepted", "delivered")
    )
    return [
        (f"{calls} of {CALLS_BEFORE_END} call attempts", calls >= CALLS_BEFORE_END),
        (f"{mails} of {MAILS_BEFORE_END} mails sent to the worker", mails >= MAILS_BEFORE_END),
    ]


def earlier_problems(problem: Problem, user: User, now: datetime) -> QuerySet[Problem]:
    """Other problems of this worker that the viewer may see."""
    return (
        problems_visible_to(user, now)
        .filter(worker=problem.worker)
        .exclude(pk=problem.pk)
        .order_by("-opened_at", "-pk")[:5]
    )


def site_history(problem: Problem, now: datetime) -> dict[str, int]:
    """The site's last 90 days in three numbers."""
    rows = Problem.objects.filter(site=problem.site, opened_at__gte=now - timedelta(days=90))
    return {
        "reported": rows.count(),
        "confirmed": rows.filter(state=ProblemState.CONFIRMED.value).count(),
        "open": rows.exclude(state__in=[ProblemState.CONFIRMED.value, ProblemState.ENDED.value]).count(),
    }


def earlier_voices(problem: Problem) -> QuerySet[Response]:
    """What this worker said before in other answers."""
    rows = Response.objects.filter(worker=problem.worker, evidence=Evidence.VERIFIED.value).exclude(text="")
    return rows.exclude(problem_id=problem.pk).order_by("-received_at", "-pk")[:3]


def is_waiting_for_worker(duty: Duty | None) -> bool:
    """Whether only the worker can move it now."""
    return duty is not None and duty.kind == DutyKind.ASK.value


def count_of_cause(problem: Problem, user: User, now: datetime) -> int:
    """How many other problems of the same cause the user may see."""
    if problem.cause is None:
        return 0
    return problems_of_cause(problem.cause, user, now).exclude(pk=problem.pk).count()


def count_of_storm(problem: Problem, user: User, now: datetime) -> int:
    """How many others reported in the same storm; 0 when that makes no storm."""
    count = storm_of(problem, user, now).count()
    return count - 1 if count >= FEWEST_IN_STORM else 0
