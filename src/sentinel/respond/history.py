"""The history of a problem as its worker may read it: their words and answers, our calls and promises.

Everything comes from tables that hold what the worker said or was told. Notes, hand-overs, rungs and root
causes live elsewhere and are never read here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from django.utils.translation import gettext as _

from sentinel.problems.models import Confirmation, Problem
from sentinel.problems.rules import CallOutcome, How, Verdict
from sentinel.respond.wording import spoken_day, spoken_time
from sentinel.timeline.selectors import events_of_problem
from sentinel.timeline.verbs import ActorKind, Verb


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line: when, what happened in plain words, and the worker's own words or our text to them."""

    at: datetime
    title: str
    when: str = ""
    own_words: str = ""
    our_words: str = ""
    language: str = ""


def history_of(problem: Problem, *, zone: str, now: datetime) -> list[Entry]:
    """All entries, newest first."""
    entries = [
        *_reports(problem),
        *_added(problem, told_at=frozenset(_refusal_times(problem))),
        *_letters(problem),
        *_calls(problem, zone=zone, now=now),
        *_promises(problem),
        *_proposals(problem),
        *_verdicts(problem),
    ]
    entries.sort(key=lambda entry: entry.at)
    return [replace(entry, when=spoken_time(entry.at, zone=zone, now=now)) for entry in reversed(entries)]


def _reports(problem: Problem) -> Iterator[Entry]:
    yield Entry(
        at=problem.opened_at, title=_("You reported it"), own_words=problem.words, language=problem.language
    )


def _added(problem: Problem, *, told_at: frozenset[datetime]) -> Iterator[Entry]:
    """What the worker said later. ``told_at``: when they answered "not yet", an entry of its own."""
    titles = {
        Verb.WORKER_WROTE: _("You added"),
        Verb.MANAGER_ASKED_FOR: _("You asked to talk to the manager"),
        Verb.PROBLEM_REOPENED: _("You told us that it came back"),
        Verb.CONFIRMATION_OBJECTED: _("You said that the note of our call is not right"),
    }
    events = events_of_problem(problem.pk).filter(
        verb__in=[verb.value for verb in titles],
        worker_id=problem.worker_id,
        actor_kind=ActorKind.WORKER.value,
    )
    for event in events:
        if event.verb == Verb.PROBLEM_REOPENED.value and event.at in told_at:
            continue
        words = str(event.data.get("words", ""))
        yield Entry(at=event.at, title=titles[Verb(event.verb)], own_words=words, language=problem.language)


def _letters(problem: Problem) -> Iterator[Entry]:
    """What users wrote to the worker by mail; they have read it already."""
    for event in events_of_problem(problem.pk).filter(verb=Verb.RESPONSE_ANSWERED.value):
        title = _("%(name)s wrote to you") % {"name": event.actor_name}
        yield Entry(at=event.at, title=title, our_words=str(event.data.get("text", "")))


def _calls(problem: Problem, *, zone: str, now: datetime) -> Iterator[Entry]:
    for call in problem.calls.select_related("caller"):
        name = {"name": str(call.caller)}
        match CallOutcome(call.outcome):
            case CallOutcome.REACHED:
                title = _("%(name)s spoke with you on the telephone") % name
            case CallOutcome.NO_ANSWER:
                title = _("%(name)s tried to call you") % name
            case CallOutcome.CALL_BACK:
                when = spoken_time(call.call_back_at, zone=zone, now=now) if call.call_back_at else ""
                title = _("%(name)s agreed to call you back: %(when)s") % (name | {"when": when})
            case CallOutcome.WRONG_NUMBER:
                title = _("%(name)s called a number that is not yours") % name
        yield Entry(at=call.at, title=title)


def _promises(problem: Problem) -> Iterator[Entry]:
    for promise in problem.commitments.select_related("made_by"):
        facts = {"name": str(promise.made_by), "day": spoken_day(promise.due_on)}
        if promise.reason:
            title = _("%(name)s moved the date to %(day)s") % facts
            yield Entry(at=promise.made_at, title=title, our_words=promise.reason)
        else:
            title = _("%(name)s promised a solution by %(day)s") % facts
            yield Entry(at=promise.made_at, title=title, our_words=promise.what)
        if promise.missed_at:
            yield Entry(at=promise.missed_at, title=_("We did not keep the date: %(day)s") % facts)


def _proposals(problem: Problem) -> Iterator[Entry]:
    for proposal in problem.proposals.select_related("by"):
        title = _("%(name)s told you that it is solved") % {"name": str(proposal.by)}
        yield Entry(at=proposal.at, title=title, our_words=proposal.what_was_done)


def _verdicts(problem: Problem) -> Iterator[Entry]:
    rows = Confirmation.objects.filter(proposal__problem=problem).select_related("recorded_by")
    for row in rows:
        yield Entry(at=row.at, title=_verdict_title(row), own_words=row.words, language=problem.language)


def _refusal_times(problem: Problem) -> Iterator[datetime]:
    refusals = Confirmation.objects.filter(proposal__problem=problem, verdict=Verdict.NO.value)
    yield from refusals.values_list("at", flat=True)


def _verdict_title(row: Confirmation) -> str:
    is_yes = row.verdict == Verdict.YES.value
    if row.how == How.TELEPHONE.value:
        name = {"name": str(row.recorded_by)}
        if is_yes:
            return _("%(name)s noted that you said on the telephone: solved") % name
        return _("%(name)s noted that you said on the telephone: not yet") % name
    return _("You answered: solved") if is_yes else _("You answered: not yet")
