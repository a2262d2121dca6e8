"""Setting the next duty after an act: whose, by when. Runs in the caller's transaction."""

from __future__ import annotations

from datetime import date, datetime, time

from sentinel.accounts.selectors import calendar_of_site
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import (
    DutyKind,
    call_again_due,
    call_due,
    next_ask,
    promise_due,
    scaled,
    solve_due,
)
from sentinel.escalation.selectors import heat_of, hours_for, policy_of
from sentinel.escalation.services import rearm, set_duty
from sentinel.kernel.calendars import Hours, local_instant
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.people.selectors import calendar_of
from sentinel.problems.models import Problem, Proposal
from sentinel.problems.services import current_proposal


def duty_of(problem: Problem) -> Duty:
    """The problem's one duty."""
    return Duty.objects.select_related("accountable__calendar").get(problem=problem)


def who_answers_after(duty: Duty, *, actor: User) -> User:
    """Who acts takes it: the next duty is theirs, unless a manager or executive only helped out."""
    if actor.has_role(Role.OWNER, Role.OFFICER):
        return actor
    return duty.accountable


def give_duty(problem: Problem, *, duty: Duty, to: User, now: datetime) -> Duty:
    """The same duty, owed by somebody else, who gets at least the time to acknowledge in their own hours.

    The ladder keeps its position.
    """
    duty.accountable = to
    if duty.rung_at is not None:
        hours = hours_for(kind=DutyKind(duty.kind), accountable=to, site=problem.site)
        soonest = hours.add(now, scaled(policy_of(problem).acknowledge_within, heat_of(problem)))
        duty.due_at = max(duty.due_at, soonest)
        duty.rung_at = max(duty.rung_at, soonest)
    rearm(duty=duty, rung_at=duty.rung_at, next_ask_at=_open_ask(problem))
    return duty


def _open_ask(problem: Problem) -> datetime | None:
    proposal = current_proposal(problem)
    return proposal.next_ask_at if proposal else None


def back_at_work(problem: Problem, now: datetime) -> datetime | None:
    """When a worker who is away works again, by the site's calendar; None when they are not away.

    Only what waits for the worker may wait until then: calls to them and questions to them.
    """
    until = problem.worker.away_until
    calendar = calendar_of_site(problem.site)
    if until is None or until <= calendar.localdate(now):
        return None
    return calendar.next_open(local_instant(until, time(0), calendar.zone))


def _when_back(problem: Problem, due: datetime, *, hours: Hours, now: datetime) -> datetime:
    back = back_at_work(problem, now)
    return due if back is None else max(due, hours.next_open(back))


def owe_call(problem: Problem, *, accountable: User, now: datetime) -> Duty:
    """The worker must be called: within the policy's time of the report, never sooner than the time
    somebody needs who has only just taken it, and not while the worker is away."""
    policy, heat = policy_of(problem), heat_of(problem)
    hours = hours_for(kind=DutyKind.CALL, accountable=accountable, site=problem.site)
    due = call_due(policy=policy, heat=heat, hours=hours, since=problem.opened_at, now=now)
    soonest = hours.add(now, scaled(policy.acknowledge_within, heat))
    return set_duty(
        problem=problem,
        kind=DutyKind.CALL,
        accountable=accountable,
        due_at=_when_back(problem, max(due, soonest), hours=hours, now=now),
        now=now,
        next_ask_at=_open_ask(problem),
    )


def owe_fresh_call(problem: Problem, *, accountable: User, now: datetime) -> Duty:
    """The worker said no (or wants the manager): call within the policy's time from now."""
    policy, heat = policy_of(problem), heat_of(problem)
    hours = hours_for(kind=DutyKind.CALL, accountable=accountable, site=problem.site)
    due = call_due(policy=policy, heat=heat, hours=hours, since=now, now=now)
    return set_duty(
        problem=problem,
        kind=DutyKind.CALL,
        accountable=accountable,
        due_at=due,
        now=now,
        next_ask_at=_open_ask(problem),
    )


def owe_call_again(
    problem: Problem, *, duty: Duty, accountable: User, at: datetime | None, now: datetime
) -> Duty:
    """The call did not reach the worker: again at the time they asked for, else after the retry delay."""
    hours = hours_for(kind=DutyKind.CALL, accountable=accountable, site=problem.site)
    failed = 0 if at is not None else duty.failed_calls + 1
    again = call_again_due(policy=policy_of(problem), failed_calls=failed, hours=hours, now=now)
    due = at or _when_back(problem, again, hours=hours, now=now)
    return set_duty(
        problem=problem,
        kind=DutyKind.CALL,
        accountable=accountable,
        due_at=due,
        now=now,
        failed_calls=failed,
        next_ask_at=_open_ask(problem),
    )


def owe_promise(problem: Problem, *, accountable: User, now: datetime) -> Duty:
    """The worker must be given a date."""
    due = promise_due(policy=policy_of(problem), calendar=calendar_of(accountable), now=now)
    return set_duty(problem=problem, kind=DutyKind.PROMISE, accountable=accountable, due_at=due, now=now)


def owe_solution(problem: Problem, *, accountable: User, due_on: date, now: datetime) -> Duty:
    """It must be solved, or at least proposed as solved, by the end of the promised day."""
    due = max(solve_due(due_on=due_on, calendar=calendar_of(accountable)), now)
    return set_duty(problem=problem, kind=DutyKind.SOLVE, accountable=accountable, due_at=due, now=now)


def owe_answer(problem: Problem, *, accountable: User, proposal: Proposal, now: datetime) -> Duty:
    """The worker is asked; the next ask is on the timer. There is always a next ask (L4)."""
    calendar = calendar_of_site(problem.site)
    if proposal.next_ask_at is None:
        at = next_ask(
            policy=policy_of(problem), asks=proposal.asks, proposed_at=proposal.at, calendar=calendar, now=now
        )
        proposal.next_ask_at = _when_back(problem, at, hours=calendar, now=now)
        proposal.save(update_fields=["next_ask_at"])
    return set_duty(
        problem=problem,
        kind=DutyKind.ASK,
        accountable=accountable,
        due_at=proposal.next_ask_at,
        now=now,
        next_ask_at=proposal.next_ask_at,
    )
