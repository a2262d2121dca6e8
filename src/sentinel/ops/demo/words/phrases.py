"""The shape of what is said in one language."""

from __future__ import annotations

from dataclasses import dataclass

from sentinel.checkins.rules import Severity

ANNOYING, HINDERS, STOPPED = Severity.ANNOYING, Severity.HINDERS, Severity.STOPPED


@dataclass(frozen=True)
class Trouble:
    """One thing that goes wrong: the worker's words, what is promised, what was done, and the root cause."""

    words: str
    severity: Severity
    promise: str
    done: str
    cause: str


@dataclass(frozen=True, kw_only=True)
class Phrases:
    """Everything said in one language. ``moved``: why a promise moves. ``not_yet``, ``solved``: verdicts."""

    troubles: tuple[Trouble, ...]
    comments: tuple[str, ...]
    suggestions: tuple[str, ...]
    praise: tuple[str, ...]
    answers: tuple[str, ...]
    moved: tuple[str, ...]
    not_yet: tuple[str, ...]
    solved: tuple[str, ...]
    call_when: tuple[str, ...]
    again: str
    manager: str
