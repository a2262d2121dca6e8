"""The ladder simulator: who would hear what when, if nobody reacted. Reads only."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sentinel.accounts.models import Site
from sentinel.checkins.rules import Severity
from sentinel.escalation.models import Ladder
from sentinel.escalation.rules import DEFAULT_POLICY, DutyKind, PolicyFacts, acknowledge_due, tell_at
from sentinel.escalation.selectors import (
    accountable_for,
    heat_for,
    hours_for,
    ladder_for,
    people_on,
    policy_of_ladder,
)
from sentinel.escalation.stepping import Position, TakenStep, next_step
from sentinel.people.models import User
from sentinel.people.selectors import calendar_for_telling


@dataclass(frozen=True, kw_only=True)
class PredictedStep:
    """One person hears of it at one step. ``at``: the engine fires and the console shows it;
    ``mail_at``: the e-mail goes out (later than ``at`` in quiet hours). Instants in UTC."""

    at: datetime
    mail_at: datetime
    position: int
    repeat: int
    user: User
    zone: str
    is_accountable: bool
    takes_over: bool


def policy_in_force(site: Site) -> tuple[str, PolicyFacts]:
    """Name and numbers of the ladder that would govern a new problem at this site; writes nothing."""
    ladder: Ladder | None = ladder_for(site.account)
    return (ladder.name, policy_of_ladder(ladder)) if ladder else ("Standard", DEFAULT_POLICY)


def predict(
    *, site: Site, at: datetime, severity: Severity, steps: int = 8, owner: User | None = None
) -> list[PredictedStep]:
    """Everybody who hears of a frown at ``site`` at ``at`` when nobody reacts, over ``steps`` firings."""
    _, policy = policy_in_force(site)
    account = site.account
    owner = owner or account.owner
    heat = heat_for(account=account, severity=severity)
    accountable = accountable_for(owner=owner, account=account, now=at)
    hours = hours_for(kind=DutyKind.ACKNOWLEDGE, accountable=accountable, site=site)
    position = Position(
        account=account,
        site=site,
        owner=owner,
        accountable=accountable,
        kind=DutyKind.ACKNOWLEDGE,
        policy=policy,
        heat=heat,
        rung=0,
        repeats=0,
        rung_at=acknowledge_due(policy=policy, heat=heat, hours=hours, now=at),
    )
    found = _first_word(position, at=at)
    for _ in range(steps):
        taken = next_step(position=position, now=position.rung_at)
        found.extend(_told(taken, is_stopped=heat.is_stopped, at=position.rung_at))
        position = replace(
            position,
            accountable=taken.accountable,
            rung=taken.firing.step.position,
            repeats=taken.firing.step.repeat,
            rung_at=taken.firing.next_at,
        )
    return found


def _first_word(position: Position, *, at: datetime) -> list[PredictedStep]:
    first = position.policy.rungs[0]
    breaks = first.breaks_quiet_hours or position.heat.is_stopped
    told = people_on(
        audience=first.audience,
        account=position.account,
        owner=position.owner,
        accountable=position.accountable,
        now=at,
    )
    return [
        PredictedStep(
            at=at,
            mail_at=tell_at(calendar=calendar_for_telling(user), breaks_quiet_hours=breaks, now=at),
            position=first.position,
            repeat=0,
            user=user,
            zone=user.zone,
            is_accountable=user.pk == position.accountable.pk,
            takes_over=False,
        )
        for user in told
    ]


def _told(taken: TakenStep, *, is_stopped: bool, at: datetime) -> list[PredictedStep]:
    breaks = taken.rung.breaks_quiet_hours or is_stopped
    return [
        PredictedStep(
            at=at,
            mail_at=tell_at(calendar=calendar_for_telling(user), breaks_quiet_hours=breaks, now=at),
            position=taken.firing.step.position,
            repeat=taken.firing.step.repeat,
            user=user,
            zone=user.zone,
            is_accountable=user.pk == taken.accountable.pk,
            takes_over=taken.why_accountable == "taken_over" and user.pk == taken.accountable.pk,
        )
        for user in taken.people
    ]
