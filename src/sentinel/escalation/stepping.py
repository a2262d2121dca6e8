"""One step of the ladder against the database: shared by the engine and the simulator.

Whatever the simulator predicts and the engine does comes from :func:`next_step`, hence they agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sentinel.accounts.models import Account, Site
from sentinel.escalation.rules import DutyKind, Firing, Heat, PolicyFacts, RungFacts, decide_firing
from sentinel.escalation.selectors import hours_for, officer_for, people_on
from sentinel.kernel.calendars import BusinessCalendar, Hours
from sentinel.people.models import User
from sentinel.people.presence import PeopleAt


@dataclass(frozen=True, kw_only=True)
class Position:
    """Where a problem stands on its ladder."""

    account: Account
    site: Site
    owner: User
    accountable: User
    kind: DutyKind
    policy: PolicyFacts
    heat: Heat
    rung: int
    repeats: int
    rung_at: datetime


@dataclass(frozen=True, kw_only=True)
class TakenStep:
    """What one firing does: the decision, its rung, who hears of it, who is accountable then."""

    firing: Firing
    rung: RungFacts
    accountable: User
    why_accountable: str  # "", "absent" or "taken_over"
    people: tuple[User, ...]


def accountable_after(*, at_position: Position, rung: RungFacts, people: PeopleAt) -> tuple[User, str]:
    """Who answers once a rung has fired: the officer when it takes over, the stand-in of an absent one.

    When the top repeats on a later day, the officer of that day answers: the one of the day before
    has handed over.
    """
    current = at_position.accountable
    has_taken_over = any(r.takes_over and r.position <= rung.position for r in at_position.policy.rungs)
    if has_taken_over:
        officer = officer_for(at_position.account, people.now, people)
        if officer is not None and (rung.takes_over or current.pk not in _staff_of(at_position)):
            acting = people.acting(officer)
            return (acting, "taken_over") if acting.pk != current.pk else (current, "")
    if people.who_acts(current.pk) != current.pk:
        is_owner = current.pk == at_position.owner.pk
        deputy = at_position.account.deputy_id if is_owner else None
        stand_in = people.acting(current, default_deputy_id=deputy)
        return (stand_in, "absent") if stand_in.pk != current.pk else (current, "")
    return current, ""


def _staff_of(position: Position) -> set[int]:
    account = position.account
    return {
        pk
        for pk in (position.owner.pk, account.deputy_id, account.manager_id, account.focus_executive_id)
        if pk
    }


def next_step(*, position: Position, now: datetime, people: PeopleAt | None = None) -> TakenStep:
    """Take the step that is due at ``position.rung_at <= now``. ``people``: as they are at ``now``."""
    people = people or PeopleAt(now)
    policy, heat = position.policy, position.heat

    def hours_after(rung: RungFacts) -> Hours:
        answers, _ = accountable_after(at_position=position, rung=rung, people=people)
        return hours_for(kind=position.kind, accountable=answers, site=position.site, people=people)

    def days_after(rung: RungFacts) -> BusinessCalendar:
        answers, _ = accountable_after(at_position=position, rung=rung, people=people)
        return people.hours_of(answers)

    firing = decide_firing(
        policy=policy,
        heat=heat,
        rung=position.rung,
        repeats=position.repeats,
        rung_at=position.rung_at,
        hours_after=hours_after,
        days_after=days_after,
        now=now,
    )
    rung = next(r for r in policy.rungs if r.position == firing.step.position)
    accountable, why = accountable_after(at_position=position, rung=rung, people=people)
    told = people_on(
        audience=rung.audience,
        account=position.account,
        owner=position.owner,
        accountable=accountable,
        now=now,
        people=people,
    )
    return TakenStep(
        firing=firing,
        rung=rung,
        accountable=accountable,
        why_accountable=why,
        people=tuple({user.pk: user for user in (*told, accountable)}.values()),
    )
