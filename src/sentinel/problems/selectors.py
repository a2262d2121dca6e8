"""Reading problems. Who may see and act is decided here, once, for every door."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Q, QuerySet

from sentinel.accounts.models import Worker
from sentinel.accounts.selectors import accounts_visible_to
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.people.selectors import stood_in_for
from sentinel.problems.models import Problem
from sentinel.problems.rules import OPEN_STATES

_OPEN = [s.value for s in OPEN_STATES]


def problems_visible_to(user: User, now: datetime) -> QuerySet[Problem]:
    """Problems of the accounts the user may see, plus the ones handed to them, plus those for which they
    are accountable: nobody owes what they may not see."""
    visible = accounts_visible_to(user, now).values("pk")
    mine = Q(account__in=visible) | Q(owner=user) | Q(duty__accountable=user)
    return Problem.objects.filter(mine).select_related("worker", "site", "account", "owner")


def may_act_on(user: User, problem: Problem, now: datetime) -> bool:
    """Whether the user may act: everybody who sees it and has an acting role, is named on the account, or
    stands in for somebody named. Analysts and administrators as such only read."""
    account = problem.account
    named = {
        problem.owner_id,
        account.owner_id,
        account.deputy_id,
        account.manager_id,
        account.focus_executive_id,
    }
    may = user.has_role(Role.OWNER, Role.MANAGER, Role.EXECUTIVE, Role.OFFICER) or not named.isdisjoint(
        {user.pk, *stood_in_for(user.pk, now)}
    )
    return may and problems_visible_to(user, now).filter(pk=problem.pk).exists()


def may_end(user: User, problem: Problem, now: datetime) -> bool:
    """Whether the user is a manager who may act on the problem."""
    return user.has_role(Role.MANAGER, Role.EXECUTIVE) and may_act_on(user, problem, now)


def open_problems() -> QuerySet[Problem]:
    """All open problems, longest suffering first."""
    return Problem.objects.filter(state__in=_OPEN).order_by("opened_at", "id")


def open_problem_of_worker(worker: Worker) -> Problem | None:
    """The worker's oldest open problem."""
    return Problem.objects.filter(worker=worker, state__in=_OPEN).order_by("opened_at", "id").first()


def similar_open_problems(
    problem: Problem, user: User, now: datetime, *, limit: int = 5
) -> QuerySet[Problem]:
    """Open problems at the same site, then account, that this user may see."""
    rows = problems_visible_to(user, now).filter(state__in=_OPEN).exclude(pk=problem.pk)
    return rows.filter(Q(site=problem.site) | Q(account=problem.account)).order_by("-opened_at")[:limit]


def reopenings_since(problem: Problem, since: datetime) -> int:
    """How often the worker said no since an instant."""
    count: int = problem.proposals.filter(confirmations__verdict="no", confirmations__at__gte=since).count()
    return count
