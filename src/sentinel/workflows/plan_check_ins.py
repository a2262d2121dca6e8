"""Everybody who may be asked has exactly one next check-in; this pass sees to it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max

from sentinel.accounts.models import Worker
from sentinel.accounts.selectors import calendar_of_site
from sentinel.checkins.models import CheckIn
from sentinel.checkins.rules import Beat, CadenceRules, CheckInState, Plan, plan_next
from sentinel.checkins.selectors import (
    History,
    active_programme,
    cadence_of,
    histories,
    window_of,
    workers_without_plan,
)
from sentinel.checkins.services import forget_plans, plan_next_check_in, store_plans
from sentinel.kernel.calendars import NeverOpen, SendWindow
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.check_in_facts import ProblemFacts, cadence_facts, problem_facts

#: What makes a plan stale: the worker chose, moved, came back, is away, answered, or was helped.
_CHANGES = (
    Verb.WORKER_SET_PREFERENCES,
    Verb.WORKER_RESUBSCRIBED,
    Verb.WORKER_MOVED,
    Verb.WORKER_RETURNED,
    Verb.WORKER_ANSWERED_HAPPY,
    Verb.WORKER_COMMENTED,
    Verb.WORKER_AWAY,
    Verb.PROBLEM_OPENED,
    Verb.PROBLEM_CONFIRMED,
    Verb.CONFIRMATION_RECORDED_BY_TELEPHONE,
)
#: How many of the newest events are looked at; older changes are caught when the check-in falls due.
_RECENT_EVENTS = 5_000
#: A site without any sending day is looked at again after this time.
_PATIENCE = timedelta(days=30)


def plan_check_ins(*, now: datetime, limit: int = 500) -> int:
    """Plan the next check-in of up to ``limit`` workers who have none, and of those whose plan is stale.

    Returns how many were planned; 0 means that everybody has one. Several engines may run it at once:
    rows are claimed, and the database allows one planned check-in per worker.
    """
    programme = active_programme()
    if programme is None:
        return 0
    with transaction.atomic():
        _forget_stale_plans(limit)
        workers = list(
            workers_without_plan(now).select_for_update(of=("self",), skip_locked=True, no_key=True)[:limit]
        )
        ids = [worker.pk for worker in workers]
        past, problems = histories(ids, now), problem_facts(ids)
        rules, window = cadence_of(programme), window_of(programme)
        plans = []
        for worker in workers:
            facts = problems[worker.pk]
            plan = _next(worker, past[worker.pk], facts, rules, window, now)
            plans.append(
                plan_next_check_in(
                    worker=worker,
                    programme=programme,
                    plan=plan,
                    about_problem_id=facts.about_problem_id,
                    now=now,
                )
            )
        return store_plans(plans)


def _next(
    worker: Worker,
    history: History,
    problems: ProblemFacts,
    rules: CadenceRules,
    window: SendWindow,
    now: datetime,
) -> Plan:
    """The rules' plan; a site without any sending day gets a far one, so that it holds nobody else up."""
    facts = cadence_facts(worker, history, problems)
    try:
        plan = plan_next(facts, rules=rules, window=window, calendar=calendar_of_site(worker.site), now=now)
    except NeverOpen:
        plan = None
    return plan or Plan(at=now + _PATIENCE, beat=Beat.MONTHLY)


def _forget_stale_plans(limit: int) -> None:
    newest = Event.objects.aggregate(newest=Max("pk"))["newest"] or 0
    changed = (
        Event.objects.filter(
            pk__gt=newest - _RECENT_EVENTS,
            verb__in=[verb.value for verb in _CHANGES],
            worker_id__isnull=False,
        )
        .values_list("worker_id")
        .annotate(at=Max("at"))
        .order_by()
    )
    changes = dict(changed)
    if not changes:
        return
    planned = CheckIn.objects.filter(worker__in=list(changes), state=CheckInState.PLANNED.value)
    stale = [pk for pk, at in planned.values_list("worker_id", "created_at") if at < changes[pk]]
    forget_plans(stale[:limit])
