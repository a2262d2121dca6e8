"""Which notices tell of the same storm: many workers of one site in trouble at once, told to one person.

The outbox decides at the last moment what goes alone and what becomes one picture
(:mod:`sentinel.outbox.gate`); here each notice gets the facts for it. Only notices of first words and of what
is late are merged: what a worker answered, or asked for by name, is always told alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sentinel.checkins.rules import Severity
from sentinel.escalation.messages import Reason
from sentinel.kernel.ids import dedupe_key
from sentinel.outbox.digests import told_by_digest
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage
from sentinel.people.models import User
from sentinel.problems.models import Problem

_SERIES = {
    Reason.NEW: "new",
    Reason.DUE: "late",
    Reason.LATE: "late",
    Reason.TAKEN_OVER: "late",
    Reason.PROMISE_MISSED: "late",
}
_RANK = {Severity.ANNOYING: 0, Severity.HINDERS: 1, Severity.STOPPED: 2}
#: How bad it is, by rank, in the languages of notices.
_GRADES = {
    "en": ("annoying", "hinders", "work stopped"),
    "de": ("ärgerlich", "behindert", "Arbeit steht still"),
    "fr": ("gênant", "ralentit le travail", "travail arrêté"),
    "es": ("molesto", "dificulta el trabajo", "trabajo parado"),
    "ja": ("煩わしい", "支障あり", "業務停止"),
}
#: A picture repeats only the beginning of what each of them said.
_LONGEST_WORDS = 300


def in_crowd(
    messages: Iterable[NewMessage], *, problem: Problem, users: Iterable[User], reason: Reason, rung: int
) -> list[NewMessage]:
    """The same messages, those of a person's ways marked with the storm they would belong to; the console's
    say only of which series they are, because nothing is merged there but in the list that people look at.

    Every rung is a series of its own: who is told that it is late is told anew.
    """
    series = _SERIES.get(reason)
    if series is None:
        return _not_in_digest(messages)
    key = dedupe_key("site", problem.site_id, problem.owner_id, series, rung)
    facts = {user.pk: _facts(problem, user=user, series=series) for user in users}
    return [_marked(message, key=key, facts=facts) for message in messages]


def _not_in_digest(messages: Iterable[NewMessage]) -> list[NewMessage]:
    """Without what is not urgent along the ways of whoever wants that in the morning mail only."""
    known = list(messages)
    quiet = {one.recipient_id for one in known if one.priority >= Priority.NOTICE}
    if not (quiet := told_by_digest(quiet) if quiet else set()):
        return known
    return [
        one
        for one in known
        if one.channel == "console" or one.priority < Priority.NOTICE or one.recipient_id not in quiet
    ]


def _marked(message: NewMessage, *, key: str, facts: Mapping[int, Mapping[str, Any]]) -> NewMessage:
    if message.channel == "console":
        series = facts[message.recipient_id]["series"]
        return message.but(payload={**message.payload, "series": series})
    return message.but(crowd=key, payload={**message.payload, "crowd": facts[message.recipient_id]})


def _facts(problem: Problem, *, user: User, series: str) -> dict[str, Any]:
    severity = Severity(problem.severity)
    return {
        "about": problem.pk,
        "name": problem.worker.name,
        "words": problem.words[:_LONGEST_WORDS],
        "grade": _grade(severity, user.language),
        "rank": _RANK[severity],
        "opened_at": problem.opened_at.isoformat(),
        "where": f"{problem.account.name}, {problem.site.name}",
        "zone": user.zone,
        "series": series,
    }


def _grade(severity: Severity, language: str) -> str:
    return _GRADES.get(language.split("-")[0], _GRADES["en"])[_RANK[severity]]
