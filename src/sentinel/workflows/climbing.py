"""What one step of a ladder comes to: where the duty stands then, the news, the timeline. Reads and writes
nothing by itself, so that duties which fire alone and duties which fire together say the same."""

from __future__ import annotations

from datetime import datetime

from sentinel.escalation.messages import Reason
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind, PolicyFacts, Step, why_collapsed
from sentinel.escalation.selectors import heat_of
from sentinel.escalation.small_print import Skipped
from sentinel.escalation.stepping import Position, TakenStep
from sentinel.people.models import User
from sentinel.problems.models import Problem
from sentinel.timeline.bulk import Entry
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem
from sentinel.workflows.notices import News


def position_of(problem: Problem, *, duty: Duty, policy: PolicyFacts, now: datetime) -> Position:
    """Where a problem stands on its ladder."""
    return Position(
        account=problem.account,
        site=problem.site,
        owner=problem.owner,
        accountable=duty.accountable,
        kind=DutyKind(duty.kind),
        policy=policy,
        heat=heat_of(problem),
        rung=duty.rung,
        repeats=duty.repeats,
        rung_at=duty.rung_at or now,
    )


def climb(duty: Duty, *, taken: TakenStep, now: datetime) -> None:
    """Move the duty to the step, in memory."""
    step = taken.firing.step
    duty.accountable = taken.accountable
    # Re-planned onto a shorter ladder, it stays as high as it was: the top of the new one repeats (L4).
    duty.rung = max(duty.rung, step.position)
    duty.repeats = step.repeat
    duty.last_fired_at = now
    duty.rung_at = taken.firing.next_at


def news_of(duty: Duty, *, taken: TakenStep, is_missed_promise: bool) -> News:
    """What the people of the step are told, and the key that makes each notice unique."""
    step, collapsed = taken.firing.step, taken.firing.collapsed
    reason = Reason.TAKEN_OVER if taken.why_accountable == "taken_over" else Reason.LATE
    return News(
        reason=Reason.PROMISE_MISSED if is_missed_promise else reason,
        key=f"duty:{duty.problem_id}:{duty.generation}:{step.position}:{step.repeat}:{step.at:%Y%m%d%H%M%S}",
        rung=step.position,
        repeat=step.repeat,
        breaks_quiet_hours=taken.rung.breaks_quiet_hours,
        skipped=_skipped(collapsed) if collapsed else None,
    )


def _skipped(collapsed: tuple[Step, ...]) -> Skipped:
    return Skipped(first=collapsed[0].position, last=collapsed[-1].position, since=collapsed[0].at)


def entries_of(
    problem: Problem, *, duty: Duty, taken: TakenStep, before: User, told: list[User], now: datetime
) -> list[Entry]:
    """What the timeline says of the step. ``before``: who answered for the duty until now."""
    about, firing = about_problem(problem), taken.firing
    entries = []
    if firing.collapsed:
        steps = [[s.position, s.repeat, s.at.isoformat()] for s in firing.collapsed]
        why = why_collapsed(collapsed=firing.collapsed, now=now)
        entries.append(Entry(verb=Verb.DUTY_COLLAPSED, about=about, data={"steps": steps, "reason": why}))
    fired = {
        "duty": duty.kind,
        "rung": firing.step.position,
        "repeat": firing.step.repeat,
        "scheduled_at": firing.step.at.isoformat(),
        "told": [str(user) for user in told],
        "next_at": firing.next_at.isoformat(),
    }
    entries.append(Entry(verb=Verb.DUTY_FIRED, about=about, data=fired))
    if taken.why_accountable:
        moved = {"from": str(before), "to": str(taken.accountable), "why": taken.why_accountable}
        about = about_problem(problem, user=taken.accountable)
        entries.append(Entry(verb=Verb.DUTY_TAKEN_OVER, about=about, data=moved))
    return entries
