"""Handing a problem over in two presses, for the phone: who can take it, the deputy chosen already."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse

from sentinel.escalation.selectors import officer_for
from sentinel.people.models import User
from sentinel.people.selectors import absences_at, calendar_of
from sentinel.problems.models import Problem
from sentinel.problems.selectors import may_act_on
from sentinel.web.access import ConsoleRequest, problem_for, screen, show
from sentinel.web.forms.fields import acting_users
from sentinel.web.reads import problem as reads


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """Somebody who can take it. ``part``: what they are to this account; empty for everybody else."""

    user: User
    part: str
    is_away: bool
    is_at_work: bool


@screen()
def pass_on(request: ConsoleRequest, problem_id: int) -> HttpResponse:
    """Whoever may act on the problem (403 otherwise). The form goes where every hand-over goes."""
    problem = problem_for(request, problem_id)
    if not may_act_on(request.user, problem, request.now):
        raise PermissionDenied("who only reads cannot hand over")
    people = _candidates(problem, request.now)
    near = [one for one in people if one.part and one.user != request.user]
    context = {
        "problem": problem,
        "duty": reads.duty_of(problem),
        "near": near,
        "others": [one for one in people if one not in near],
        "chosen": next((one.user.pk for one in near if not one.is_away), None),
    }
    return show(request, "web/problem/pass_on.html", context)


def _candidates(problem: Problem, now: datetime) -> list[Candidate]:
    """Everybody who may own problems and has not got this one: the account's own people first."""
    account, duty = problem.account, reads.duty_of(problem)
    parts: dict[int, str] = {}
    for user, part in (
        (account.deputy, "Deputy of the account"),
        (account.owner, "Account manager"),
        (account.manager, "Manager of the account"),
        (officer_for(account, now), "Officer of the day"),
        (account.focus_executive, "Focus executive"),
    ):
        if user is not None:
            parts.setdefault(user.pk, part)
    away = {absence.user_id for absence in absences_at(now)}
    has_it = duty.accountable_id if duty else problem.owner_id
    order = list(parts)
    found = [
        Candidate(
            user=user,
            part=parts.get(user.pk, ""),
            is_away=user.pk in away,
            is_at_work=calendar_of(user).is_open(now),
        )
        for user in acting_users().select_related("calendar").exclude(pk=has_it)
    ]
    return sorted(found, key=lambda one: order.index(one.user.pk) if one.part else len(order))
