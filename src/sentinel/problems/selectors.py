"""Reading problems. Who may see and act is decided here, once, for every door."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from sentinel.accounts.models import Worker
from sentinel.accounts.selectors import accounts_visible_to
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.people.selectors import stood_in_for
from sentinel.problems.models import Cause, Problem
from sentinel.problems.rules import FEWEST_IN_STORM, OPEN_STATES, storm_around

_OPEN = [s.value for s in OPEN_STATES]


def problems_visible_to(user: User, now: datetime) -> QuerySet[Problem]:
    """Problems of the accounts the user may see, plus the ones handed to them, plus those for which they
    are accountable: nobody owes what they may not see."""
    visible = accounts_visible_to(user, now).values("pk")
    mine = Q(account__in=visible) | Q(owner=user) | Q(duty__accountable=user)
    return Problem.objects.filter(mine).select_related("worker", "site", "account", "owner")


def problems_to_act_on(user: User, now: datetime) -> QuerySet[Problem]:
    """What the user may act on: all they see with an acting role; otherwise where they are named on the
    account, or stand in for somebody named. Analysts and administrators as such only read."""
    rows = problems_visible_to(user, now)
    if user.has_role(Role.OWNER, Role.MANAGER, Role.EXECUTIVE, Role.OFFICER):
        return rows
    named = [user.pk, *stood_in_for(user.pk, now)]
    return rows.filter(
        Q(owner__in=named)
        | Q(account__owner__in=named)
        | Q(account__deputy__in=named)
        | Q(account__manager__in=named)
        | Q(account__focus_executive__in=named)
    )


def may_act_on(user: User, problem: Problem, now: datetime) -> bool:
    """Whether this problem is among those the user may act on (:func:`problems_to_act_on`)."""
    return problems_to_act_on(user, now).filter(pk=problem.pk).exists()


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
    return rows.filter(Q(site=problem.site) | Q(account=problem.account)).order_by("-opened_at", "-pk")[
        :limit
    ]


def reopenings_since(problem: Problem, since: datetime) -> int:
    """How often the worker said no since an instant."""
    count: int = problem.proposals.filter(confirmations__verdict="no", confirmations__at__gte=since).count()
    return count


#: A storm that goes on longer than this is looked at in pieces.
_LONGEST_STORM = timedelta(hours=24)


def storm_of(problem: Problem, user: User, now: datetime) -> QuerySet[Problem]:
    """The problems of the same site that were reported in the same storm, this one among them, as far as
    the user may see them; the oldest first."""
    near = Problem.objects.filter(
        site_id=problem.site_id,
        opened_at__gte=problem.opened_at - _LONGEST_STORM,
        opened_at__lte=problem.opened_at + _LONGEST_STORM,
    )
    ids = storm_around(list(near.values_list("pk", "opened_at")), about=problem.pk)
    return problems_visible_to(user, now).filter(pk__in=ids).order_by("opened_at", "pk")


def storms_of(rows: QuerySet[Problem], now: datetime) -> list[list[Problem]]:
    """Among ``rows``, the storms of the last day that nobody has taken wholly: each with its problems, the
    oldest first."""
    lately = rows.filter(opened_at__gte=now - _LONGEST_STORM).select_related("site", "account")
    by_site: dict[int, dict[int, Problem]] = {}
    for problem in lately.order_by("opened_at", "pk"):
        by_site.setdefault(problem.site_id, {})[problem.pk] = problem
    found = []
    for problems in by_site.values():
        reports = [(pk, problem.opened_at) for pk, problem in problems.items()]
        seen: set[int] = set()
        for pk in problems:
            if pk not in seen:
                ids = storm_around(reports, about=pk)
                seen.update(ids)
                if len(ids) >= FEWEST_IN_STORM:
                    found.append([problems[one] for one in ids])
    return found


def storms_among(problems: Iterable[Problem]) -> dict[int, int]:
    """For each of the problems that was reported in a storm with others of them (:func:`storm_of`), the id of
    the first of these, by id. One query per site."""
    by_site: dict[int, list[Problem]] = {}
    for problem in problems:
        by_site.setdefault(problem.site_id, []).append(problem)
    first: dict[int, int] = {}
    for site_id, known in by_site.items():
        if len(known) < FEWEST_IN_STORM:
            continue
        known.sort(key=lambda problem: (problem.opened_at, problem.pk))
        near = Problem.objects.filter(
            site_id=site_id,
            opened_at__gte=known[0].opened_at - _LONGEST_STORM,
            opened_at__lte=known[-1].opened_at + _LONGEST_STORM,
        )
        reports = list(near.values_list("pk", "opened_at"))
        waiting = {problem.pk: problem for problem in known}
        while waiting:
            about = next(iter(waiting.values()))
            span = [one for one in reports if abs(one[1] - about.opened_at) <= _LONGEST_STORM]
            together = [pk for pk in storm_around(span, about=about.pk) if waiting.pop(pk, None)]
            if len(together) >= FEWEST_IN_STORM:
                first |= dict.fromkeys(together, together[0])
    return first


def open_causes(user: User, now: datetime) -> QuerySet[Cause]:
    """Causes of which a problem that the user may see is still open, newest first."""
    visible = problems_visible_to(user, now).filter(state__in=_OPEN, cause__isnull=False)
    return Cause.objects.filter(pk__in=visible.values("cause")).order_by("-pk")


def problems_of_cause(cause: Cause, user: User, now: datetime) -> QuerySet[Problem]:
    """The cause's problems that the user may see, the oldest first."""
    return problems_visible_to(user, now).filter(cause=cause).order_by("opened_at", "pk")
