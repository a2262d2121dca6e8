"""One picture of many problems: who, since when, how bad, who was called, whom to call next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from sentinel.checkins.rules import Severity
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind
from sentinel.people.models import User
from sentinel.problems.models import Call, Cause, Commitment, Problem
from sentinel.problems.selectors import storms_of
from sentinel.web import words
from sentinel.web.reads.problem import WorkerNow, worker_now
from sentinel.web.reads.today import my_duties

_BAD = (Severity.STOPPED.value, Severity.HINDERS.value, Severity.ANNOYING.value)
_TO_CALL = (DutyKind.ACKNOWLEDGE.value, DutyKind.CALL.value)


@dataclass(frozen=True, kw_only=True)
class Sufferer:
    """One problem in the picture: what is owed, the last call, the promise that stands."""

    problem: Problem
    duty: Duty | None
    call: Call | None
    promise: Commitment | None
    worker: WorkerNow

    @property
    def to_call(self) -> bool:
        """Whether a call to this worker is what comes next."""
        return self.problem.may_call and self.duty is not None and self.duty.kind in _TO_CALL


@dataclass(frozen=True, kw_only=True)
class Picture:
    """All of them: work stopped first, then whoever waits longest; closed ones last."""

    sufferers: list[Sufferer]
    causes: list[Cause]

    @property
    def since(self) -> datetime:
        """When the first of them reported."""
        return min(one.problem.opened_at for one in self.sufferers)

    @property
    def open(self) -> list[Sufferer]:
        """Whoever still waits."""
        return [one for one in self.sufferers if one.problem.is_open]

    @property
    def calls(self) -> list[Sufferer]:
        """Whom to call, in order."""
        return [one for one in self.open if one.to_call]

    @property
    def grades(self) -> list[tuple[str, int, str]]:
        """How many per severity: its word, the number, the tone."""
        counts = [(grade, sum(one.problem.severity == grade for one in self.sufferers)) for grade in _BAD]
        return [
            (words.SEVERITIES[grade][0], count, words.SEVERITIES[grade][1])
            for grade, count in counts
            if count
        ]

    @property
    def untaken(self) -> list[Sufferer]:
        """Whom nobody has acknowledged yet."""
        return [one for one in self.open if one.duty and one.duty.kind == DutyKind.ACKNOWLEDGE.value]


def picture_of(rows: QuerySet[Problem], now: datetime) -> Picture:
    """The picture of these problems; a fixed number of queries, however many they are."""
    problems = list(rows.select_related("site__calendar", "worker", "account", "owner", "cause"))
    ids = [problem.pk for problem in problems]
    duties = {
        duty.problem_id: duty for duty in Duty.objects.filter(problem__in=ids).select_related("accountable")
    }
    calls = {
        call.problem_id: call
        for call in Call.objects.filter(problem__in=ids).select_related("caller").order_by("pk")
    }
    promises = {
        one.problem_id: one for one in Commitment.objects.filter(problem__in=ids, superseded_at__isnull=True)
    }
    there = {problem.site_id: worker_now(problem, now) for problem in problems}
    sufferers = [
        Sufferer(
            problem=problem,
            duty=duties.get(problem.pk),
            call=calls.get(problem.pk),
            promise=promises.get(problem.pk),
            worker=there[problem.site_id],
        )
        for problem in sorted(problems, key=_order)
    ]
    causes = {problem.cause.pk: problem.cause for problem in problems if problem.cause}
    return Picture(sufferers=sufferers, causes=list(causes.values()))


def _order(problem: Problem) -> tuple[bool, bool, datetime, int]:
    return (
        not problem.is_open,
        problem.severity != Severity.STOPPED.value,
        problem.opened_at,
        problem.pk,
    )


@dataclass(frozen=True, kw_only=True)
class StormLine:
    """A storm on somebody's Today: its first problem, how many report, how many nobody has taken."""

    first: Problem
    count: int
    untaken: int
    stopped: int


def storms_today(user: User, now: datetime) -> list[StormLine]:
    """Storms of the last day among what is this user's to move, while somebody in them still waits."""
    mine = Problem.objects.filter(pk__in=my_duties(user, now).values("problem"))
    return [_line(problems) for problems in storms_of(mine, now)]


def _line(problems: Iterable[Problem]) -> StormLine:
    rows = list(problems)
    return StormLine(
        first=rows[0],
        count=len(rows),
        untaken=sum(row.acknowledged_at is None for row in rows),
        stopped=sum(row.severity == Severity.STOPPED.value for row in rows),
    )
