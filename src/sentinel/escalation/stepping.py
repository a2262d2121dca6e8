"""One step of the ladder against the database: shared by the engine and the simulator.

Whatever the simulator predicts and the engine does comes from :func:`next_step`, hence they agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sentinel.accounts.models import Account, Site
from sentinel.escalation.rules import DutyKind, Firing, Heat, PolicyFacts, RungFacts, decide_firing, tell_at
from sentinel.escalation.selectors import accountable_for, hours_for, officer_for, people_on
from sentinel.kernel.calendars import BusinessCalendar, Hours
from sentinel.people.models import User
from sentinel.people.selectors import calendar_for_telling, calendar_of, who_acts


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
    """What one firing does: the decision, its rung, who hears of it and when, who is accountable then."""

    firing: Firing
    rung: RungFacts
    accountable: User
    why_accountable: str  # "", "absent" or "taken_over"
    people: tuple[User, ...]
    mail_at: tuple[datetime, ...]


def accountable_after(*, at_position: Position, rung: RungFacts, now: datetime) -> tuple[User, str]:
    """Who answers once a rung has fired: the officer when it takes over, the stand-in of an absent one.

    When the top repeats on a later day, the officer of that day answers: the one of the day before
    has handed over.
    """
    current = at_position.accountable
    has_taken_over = any(r.takes_over and r.position <= rung.position for r in at_position.policy.rungs)
    if has_taken_over:
        officer = officer_for(at_position.account, now)
        if officer is not None and (rung.takes_over or current.pk not in _staff_of(at_position)):
            acting = _present(officer, now)
            return (acting, "taken_over") if acting.pk != current.pk else (current, "")
    if who_acts(current.pk, now) != current.pk:
        stand_in = (
            accountable_for(owner=current, account=at_position.account, now=now)
            if current.pk == at_position.owner.pk
            else _present(current, now)
        )
        return (stand_in, "absent") if stand_in.pk != current.pk else (current, "")
    return current, ""


def _staff_of(position: Position) -> set[int]:
    account = position.account
    return {
        pk
        for pk in (position.owner.pk, account.deputy_id, account.manager_id, account.focus_executive_id)
        if pk
    }


def _present(user: User, now: datetime) -> User:
    acting = who_acts(user.pk, now)
    return user if acting == user.pk else User.objects.select_related("calendar").get(pk=acting)


def next_step(*, position: Position, now: datetime) -> TakenStep:
    """Take the step that is due at ``position.rung_at <= now``."""

    def hours_after(rung: RungFacts) -> Hours:
        answers, _ = accountable_after(at_position=position, rung=rung, now=now)
        return hours_for(kind=position.kind, accountable=answers, site=position.site)

    def days_after(rung: RungFacts) -> BusinessCalendar:
        answers, _ = accountable_after(at_position=position, rung=rung, now=now)
        return calendar_of(answers)

    firing = decide_firing(
        policy=position.policy,
        heat=position.heat,
        rung=position.rung,
        repeats=position.repeats,
        rung_at=position.rung_at,
        hours_after=hours_after,
        days_after=days_after,
        now=now,
    )
    rung = next(r for r in position.policy.rungs if r.position == firing.step.position)
    accountable, why = accountable_after(at_position=position, rung=rung, now=now)
    told = people_on(
        audience=rung.audience,
        account=position.account,
        owner=position.owner,
        accountable=accountable,
        now=now,
    )
    people = tuple({user.pk: user for user in (*told, accountable)}.values())
    breaks = rung.breaks_quiet_hours or position.heat.is_stopped
    return TakenStep(
        firing=firing,
        rung=rung,
        accountable=accountable,
        why_accountable=why,
        people=people,
        mail_at=tuple(
            tell_at(calendar=calendar_for_telling(u), breaks_quiet_hours=breaks, now=now) for u in people
        ),
    )
