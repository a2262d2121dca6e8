"""The engine's deciding step for many at once: the due duties fire together, in one transaction (L3).

A step of a ladder needs a few dozen facts, and nearly all of them are shared: who is away today, whose
calendar is which, what an account's manager is called. So a batch reads each kind of fact once, decides in
memory by the same rules as a duty that fires alone (:mod:`sentinel.workflows.climbing`), and writes messages,
timeline and timers with one statement each. Everything commits together or nothing does.

What is not a plain step of a ladder (the worker is asked again) and whatever cannot be decided is handed
back, untouched, to be fired alone: there a poison row is found out and put aside by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import F

from sentinel.accounts.models import Account, Site, Worker
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind, PolicyFacts
from sentinel.escalation.selectors import policies_of
from sentinel.escalation.services import arm, save_climbs
from sentinel.escalation.stepping import TakenStep, next_step
from sentinel.kernel.errors import SentinelError
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people.models import User
from sentinel.people.presence import PeopleAt
from sentinel.people.reach import without_mail
from sentinel.people.selectors import usable_ways
from sentinel.problems.models import Commitment, Problem, Proposal
from sentinel.timeline.bulk import Entry, record_events
from sentinel.timeline.services import ENGINE
from sentinel.workflows.climbing import climb, entries_of, news_of, position_of
from sentinel.workflows.fire_duty import due_problems, is_due
from sentinel.workflows.notices import Background, background, notices
from sentinel.workflows.promises import missed_entry
from sentinel.workflows.reach import Hearers

logger = logging.getLogger(__name__)
_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What became of a batch, as ids of problems: those whose duties fired, and those whose duties must
    fire alone, of which nothing was written."""

    fired: tuple[int, ...]
    apart: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One due duty with everything its step depends on. ``missed``: the promise that passes with it."""

    problem: Problem
    duty: Duty
    policy: PolicyFacts
    proposal: Proposal | None
    missed: Commitment | None


@dataclass(frozen=True, kw_only=True)
class _Step:
    """A case and the step it takes; in memory its duty stands there already."""

    case: _Case
    taken: TakenStep
    before: User


@dataclass(frozen=True, kw_only=True)
class _Written:
    """All that one firing writes."""

    step: _Step
    messages: list[NewMessage]
    entries: list[Entry]


def fire_due_duties(*, now: datetime, most: int) -> Batch:
    """Fire up to ``most`` due duties that no other engine holds, most overdue first, in one transaction.

    An error of the database fails the whole batch and nothing is written; any other error concerns one
    duty, which is then among those to be fired alone.
    """
    with transaction.atomic():
        problems = list(due_problems(now)[:most])
        if not problems:
            return Batch(fired=(), apart=())
        people = PeopleAt(now)
        steps = _each(_cases(problems, people), lambda case: _step(case, people))
        known = background([step.case.problem.pk for step in steps])
        reach = _reach_of(user for step in steps for user in step.taken.people)
        written = _each(steps, lambda step: _write_up(step, known, reach, now))
        _save(written, now)
    fired = {one.step.case.problem.pk for one in written}
    return Batch(
        fired=tuple(problem.pk for problem in problems if problem.pk in fired),
        apart=tuple(problem.pk for problem in problems if problem.pk not in fired),
    )


def _each(items: Iterable[_In], do: Callable[[_In], _Out]) -> list[_Out]:
    """What comes of each item, without those that fail: they fire alone, and fail there by name."""
    found = []
    for item in items:
        try:
            found.append(do(item))
        except (DatabaseError, InterfaceError):
            raise
        except Exception:
            logger.info("a duty does not fire with the others; it fires alone", exc_info=True)
    return found


def _cases(problems: Sequence[Problem], people: PeopleAt) -> list[_Case]:
    """The plain steps among the duties of these problems, whose rows are ours."""
    now, ids = people.now, [problem.pk for problem in problems]
    duties = Duty.objects.in_bulk(ids)
    policies = policies_of(ids)
    asked = {row.problem_id: row for row in Proposal.objects.filter(problem__in=ids, settled_at__isnull=True)}
    solving = [pk for pk, duty in duties.items() if duty.kind == DutyKind.SOLVE.value]
    _introduce(problems, duties.values(), people)
    missed = {row.problem_id: row for row in _open_promises(solving)}
    return [
        _Case(
            problem=problem,
            duty=duties[problem.pk],
            policy=policies[problem.pk],
            proposal=asked.get(problem.pk),
            missed=missed.get(problem.pk),
        )
        for problem in problems
        if problem.pk in duties
        and problem.pk in policies
        and is_due(problem, duties[problem.pk], now)
        and _is_plain_step(duties[problem.pk], asked.get(problem.pk), now)
    ]


def _is_plain_step(duty: Duty, proposal: Proposal | None, now: datetime) -> bool:
    is_asked = proposal is not None and proposal.next_ask_at is not None and proposal.next_ask_at <= now
    return not is_asked and duty.rung_at is not None and duty.rung_at <= now


def _open_promises(problem_ids: Sequence[int]) -> Iterable[Commitment]:
    """The promises that pass when these duties to solve are late; see ``settle_commitment``."""
    if not problem_ids:
        return ()
    return Commitment.objects.filter(
        problem__in=problem_ids, superseded_at__isnull=True, kept_at__isnull=True, missed_at__isnull=True
    )


def _introduce(problems: Sequence[Problem], duties: Iterable[Duty], people: PeopleAt) -> None:
    """Give each problem and duty its worker, site, account and people; equal ones are read once."""
    workers = Worker.objects.in_bulk({problem.worker_id for problem in problems})
    sites = Site.objects.select_related("calendar").in_bulk({problem.site_id for problem in problems})
    accounts = Account.objects.in_bulk({problem.account_id for problem in problems})
    named = [(a.deputy_id, a.manager_id, a.focus_executive_id) for a in accounts.values()]
    people.load(
        [pk for ids in named for pk in ids]
        + [problem.owner_id for problem in problems]
        + [duty.accountable_id for duty in duties]
    )
    people.load(people.user(problem.owner_id).manager_id for problem in problems)
    for problem in problems:
        problem.worker, problem.site = workers[problem.worker_id], sites[problem.site_id]
        problem.account, problem.owner = accounts[problem.account_id], people.user(problem.owner_id)
    for duty in duties:
        duty.accountable = people.user(duty.accountable_id)


def _step(case: _Case, people: PeopleAt) -> _Step:
    """Decide the step, and move the duty there in memory."""
    now, duty, problem = people.now, case.duty, case.problem
    if case.missed is not None:
        problem.missed_promises += 1
    position = position_of(problem, duty=duty, policy=case.policy, now=now)
    taken, before = next_step(position=position, now=now, people=people), duty.accountable
    climb(duty, taken=taken, now=now)
    arm(duty=duty, rung_at=duty.rung_at, next_ask_at=case.proposal.next_ask_at if case.proposal else None)
    if duty.fire_at <= now:
        # It would fire again at once and for ever; alone it is put aside, where people see it.
        raise SentinelError(f"firing left the timer of problem {problem.pk} at {duty.fire_at}")
    return _Step(case=case, taken=taken, before=before)


def _reach_of(users: Iterable[User]) -> Hearers:
    """Everybody of the batch with their ways; :func:`_heard` picks those of one firing."""
    people = list({user.pk: user for user in users if user.is_active}.values())
    return Hearers(people=people, ways=usable_ways(people), silent=without_mail(people))


def _heard(people: Iterable[User], reach: Hearers) -> Hearers:
    """Who hears of one firing. Refuses when somebody must be replaced, for that is written (``hearers``)."""
    heard = [user for user in people if user.is_active]
    for user in heard:
        if user.pk in reach.silent and not reach.ways.get(user.pk):
            raise SentinelError(f"{user} cannot be reached: the next person must be found")
    return replace(reach, people=heard)


def _write_up(step: _Step, known: Background, reach: Hearers, now: datetime) -> _Written:
    case, taken = step.case, step.taken
    problem, duty = case.problem, case.duty
    news = news_of(duty, taken=taken, is_missed_promise=case.missed is not None)
    heard = _heard(taken.people, reach)
    entries = entries_of(problem, duty=duty, taken=taken, before=step.before, told=heard.people, now=now)
    if case.missed is not None:
        entries.insert(0, missed_entry(problem, case.missed))
    messages = notices(problem, heard=heard, duty=duty, news=news, known=known, now=now)
    return _Written(step=step, messages=messages, entries=entries)


def _save(written: Sequence[_Written], now: datetime) -> None:
    """The streams of the timeline come last: nobody waits for them longer than the commit takes."""
    missed = [one.step.case.missed for one in written if one.step.case.missed is not None]
    if missed:
        Commitment.objects.filter(pk__in=[row.pk for row in missed]).update(missed_at=now)
        late = Problem.objects.filter(pk__in=[row.problem_id for row in missed])
        late.update(missed_promises=F("missed_promises") + 1)
    save_climbs([one.step.case.duty for one in written])
    enqueue([message for one in written for message in one.messages], now=now)
    record_events([entry for one in written for entry in one.entries], at=now, actor=ENGINE)
