"""The small print of a notice: since when it is known, what was tried, who else was told.

In the language that is switched on, and on the reader's clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_noop

from sentinel.problems.rules import CallOutcome
from sentinel.ui.dates import local_moment
from sentinel.ui.words import gettext as _


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A call somebody made, and what came of it."""

    at: datetime
    outcome: CallOutcome
    caller: str


@dataclass(frozen=True, kw_only=True)
class Told:
    """Somebody else who knows of it, since when."""

    name: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Pointer:
    """Another problem of the same cause, told in the same notice."""

    problem_id: int
    worker_name: str
    words: str


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """Rungs that were not told one by one, because the engine was late; ``since``: when the first was due."""

    first: int
    last: int
    since: datetime


@dataclass(frozen=True, kw_only=True)
class Reader:
    """On whose clock, and in which language."""

    zone: str
    language: str

    def moment(self, at: datetime) -> str:
        return local_moment(at, self.zone, self.language)


_OUTCOMES = {
    CallOutcome.REACHED: gettext_noop("reached"),
    CallOutcome.NO_ANSWER: gettext_noop("no answer"),
    CallOutcome.CALL_BACK: gettext_noop("wants to be called back"),
    CallOutcome.WRONG_NUMBER: gettext_noop("wrong number"),
}


def small_print(
    reader: Reader,
    *,
    opened_at: datetime,
    tried: Sequence[Tried] = (),
    told: Sequence[Told] = (),
    others: Sequence[Pointer] = (),
    skipped: Skipped | None = None,
) -> tuple[str, ...]:
    """One line each, most wanted first."""
    lines = [_("Reported %(moment)s.") % {"moment": reader.moment(opened_at)}]
    if tried:
        calls = [f"{reader.moment(one.at)}, {_(_OUTCOMES[one.outcome])} ({one.caller})" for one in tried]
        lines.append(_("Tried so far: %(lines)s") % {"lines": "; ".join(calls)})
    if told:
        # One entry per person, the latest: at the top of a ladder the list would grow every day.
        latest = {one.name: one.at for one in sorted(told, key=lambda one: one.at)}
        names = ", ".join(f"{name} ({reader.moment(at)})" for name, at in latest.items())
        lines.append(_("Also told: %(names)s") % {"names": names})
    lines += [
        _("Same cause: %(worker)s, “%(words)s”") % {"worker": other.worker_name, "words": short(other.words)}
        for other in others
    ]
    if skipped:
        lines.append(_skipped(skipped, reader))
    return tuple(lines)


def _skipped(skipped: Skipped, reader: Reader) -> str:
    words = {"first": skipped.first, "last": skipped.last, "since": reader.moment(skipped.since)}
    if skipped.first == skipped.last:
        return _("Rung %(first)s was due on %(since)s, while the engine was late.") % words
    return (
        _("Rungs %(first)s to %(last)s were due from %(since)s on, while the engine was late: told once.")
        % words
    )


def short(words: str, limit: int = 60) -> str:
    """One line of somebody's words, for titles and lists."""
    line = " ".join(words.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"
