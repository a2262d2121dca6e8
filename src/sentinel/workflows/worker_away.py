"""A worker's own absence note: what waits for the worker waits until they are back; staff's duties never do.

Postponed are a call that is owed (never earlier than before, with its rung) and the next question whether
it is solved. Acknowledging, promising and solving stay due when they were: the ladder is not weakened,
and every open problem keeps exactly one duty with a due time (L1).
"""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from sentinel.accounts.models import Worker
from sentinel.accounts.selectors import calendar_of_site
from sentinel.accounts.services.reachability import mark_away
from sentinel.escalation.messages import Reason
from sentinel.escalation.models import Duty
from sentinel.escalation.people_messages import worker_away_words
from sentinel.escalation.rules import DutyKind
from sentinel.escalation.selectors import hours_for
from sentinel.escalation.services import rearm
from sentinel.inbound.rules import is_sane_return
from sentinel.problems.models import Problem
from sentinel.problems.rules import OPEN_STATES
from sentinel.problems.services import current_proposal, lock_problem
from sentinel.timeline.services import record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem, worker_actor
from sentinel.workflows.duties import back_at_work, duty_of
from sentinel.workflows.notices import News, tell_users


def worker_is_away(*, worker: Worker, back_on: date | None, now: datetime) -> bool:
    """Believe an absence note whose day of return lies ahead, at most 180 days: the next check-in is planned
    for after it, and what waits for the worker on their open problems is postponed. False otherwise."""
    today = calendar_of_site(worker.site).localdate(now)
    if back_on is None or not is_sane_return(back_on, today=today):
        return False
    if worker.away_until == back_on:
        return True
    with transaction.atomic():
        open_ids = Problem.objects.filter(
            worker=worker, state__in=[state.value for state in OPEN_STATES]
        ).order_by("pk")
        # All problems' rows before the worker's and the first event: the stream is locked last, everywhere.
        problems = [lock_problem(pk) for pk in open_ids.values_list("pk", flat=True)]
        mark_away(worker_id=worker.pk, until=back_on, now=now)
        for problem in problems:
            problem.worker.away_until = back_on
            _postpone(problem, back_on=back_on, now=now)
    return True


def _postpone(problem: Problem, *, back_on: date, now: datetime) -> None:
    duty, back = duty_of(problem), back_at_work(problem, now)
    if back is None:
        return
    moved = _postpone_ask(problem, duty=duty, back=back)
    if duty.kind == DutyKind.CALL.value:
        hours = hours_for(kind=DutyKind.CALL, accountable=duty.accountable, site=problem.site)
        at = hours.next_open(back)
        if duty.due_at < at:
            duty.due_at = at
            duty.rung_at = max(duty.rung_at or at, at)
            moved = True
    if not moved:
        return
    proposal = current_proposal(problem)
    rearm(duty=duty, rung_at=duty.rung_at, next_ask_at=proposal.next_ask_at if proposal else None)
    event = record_event(
        verb=Verb.WORKER_AWAY,
        at=now,
        actor=worker_actor(problem.worker),
        about=about_problem(problem),
        data={"until": back_on.isoformat(), "duty": duty.kind, "due_at": duty.due_at.isoformat()},
    )
    tell_users(
        problem,
        users=(duty.accountable,),
        duty=duty,
        news=News(
            reason=Reason.DUE,
            key=f"event:{event.pk}",
            note=worker_away_words(problem.worker.name, back_on=back_on, language=duty.accountable.language),
            rung=duty.rung,
        ),
        now=now,
    )


def _postpone_ask(problem: Problem, *, duty: Duty, back: datetime) -> bool:
    proposal = current_proposal(problem)
    if proposal is None or proposal.next_ask_at is None or proposal.next_ask_at >= back:
        return False
    proposal.next_ask_at = back
    proposal.save(update_fields=["next_ask_at"])
    if duty.kind == DutyKind.ASK.value:
        duty.due_at = back
    return True
