"""Was the promise kept? Only the worker's verdict tells. Runs in the caller's transaction."""

from __future__ import annotations

from datetime import datetime

from sentinel.accounts.selectors import calendar_of_site
from sentinel.problems.models import Commitment, Problem
from sentinel.problems.services import current_commitment, settle_commitment
from sentinel.timeline.bulk import Entry
from sentinel.timeline.services import ENGINE, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem


def miss_promise(problem: Problem, *, now: datetime) -> bool:
    """Mark the standing promise missed and count it. False when there is none to miss any more."""
    missed = settle_commitment(problem=problem, kept=False, now=now)
    if missed is None:
        return False
    problem.missed_promises += 1
    problem.save(update_fields=["missed_promises"])
    said = missed_entry(problem, missed)
    record_event(verb=said.verb, at=now, actor=ENGINE, about=said.about, data=said.data)
    return True


def missed_entry(problem: Problem, missed: Commitment) -> Entry:
    """What the timeline says of a missed promise."""
    data = {"due_on": missed.due_on.isoformat()}
    return Entry(verb=Verb.COMMITMENT_MISSED, about=about_problem(problem), data=data)


def judge_promise(problem: Problem, *, proposed_at: datetime, now: datetime) -> None:
    """The worker said yes: the promise is kept when what they confirmed was proposed by the promised day."""
    standing = current_commitment(problem)
    if standing is None:
        return
    if calendar_of_site(problem.site).localdate(proposed_at) > standing.due_on:
        miss_promise(problem, now=now)
        return
    kept = settle_commitment(problem=problem, kept=True, now=now)
    if kept is not None:
        data = {"due_on": kept.due_on.isoformat()}
        record_event(verb=Verb.COMMITMENT_KEPT, at=now, actor=ENGINE, about=about_problem(problem), data=data)


def miss_promise_if_over(problem: Problem, *, now: datetime) -> None:
    """The worker said no: a promise whose day has passed was not kept; one that lies ahead still stands."""
    standing = current_commitment(problem)
    if standing is not None and calendar_of_site(problem.site).localdate(now) > standing.due_on:
        miss_promise(problem, now=now)
