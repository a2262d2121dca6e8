"""Who acts on what: actors for the timeline, and the one door to a problem for a user's act."""

from __future__ import annotations

from datetime import datetime

from sentinel.accounts.models import Worker
from sentinel.kernel.errors import NotAllowed, NotFound
from sentinel.outbox.services import withdraw_further
from sentinel.people.models import User
from sentinel.problems.models import Problem
from sentinel.problems.selectors import may_act_on, problems_visible_to
from sentinel.problems.services import lock_problem
from sentinel.timeline.services import About, Actor
from sentinel.timeline.verbs import ActorKind


def user_actor(user: User) -> Actor:
    """A user, for the timeline."""
    return Actor(kind=ActorKind.USER, id=user.pk, name=str(user))


def worker_actor(worker: Worker) -> Actor:
    """A worker, for the timeline."""
    return Actor(kind=ActorKind.WORKER, id=worker.pk, name=worker.name)


def about_problem(problem: Problem, *, user: User | None = None) -> About:
    """A problem with its worker, site and account."""
    return About(
        account_id=problem.account_id,
        site_id=problem.site_id,
        worker_id=problem.worker_id,
        problem_id=problem.pk,
        user_id=user.pk if user else None,
    )


def about_worker(worker: Worker) -> About:
    """A worker with site and account."""
    return About(account_id=worker.site.account_id, site_id=worker.site_id, worker_id=worker.pk)


def lock_for_user(*, problem_id: int, user: User, now: datetime) -> Problem:
    """The locked problem when the user may act on it. NotFound when they may not even see it, NotAllowed
    when they may only look."""
    problem = lock_problem(problem_id)
    if not problems_visible_to(user, now).filter(pk=problem_id).exists():
        raise NotFound("problem_unknown", "There is no such problem.")
    if not may_act_on(user, problem, now):
        raise NotAllowed("problem_read_only", "Your role may look at problems, but not act on them.")
    # Whoever acts has heard of it; no further way needs to tell them.
    withdraw_further(user_id=user.pk, problem_id=problem_id, now=now)
    return problem
