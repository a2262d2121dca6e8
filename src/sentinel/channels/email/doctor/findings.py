"""A finding, and all rules together: facts in, findings out. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum

from sentinel.channels.email.doctor.facts import Facts


class Grade(StrEnum):
    """How a check came out, worst last."""

    GOOD = "good"
    UNKNOWN = "unknown"  # could not be looked at from here
    NOTE = "note"  # works, and could be better
    BAD = "bad"  # mail will be refused, lost or mistrusted


_ORDER = (Grade.GOOD, Grade.UNKNOWN, Grade.NOTE, Grade.BAD)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one check found. ``title`` says it, ``what_to_do`` (empty when good) how to change it, in plain
    words with the exact record; ``evidence`` is what was seen, for whoever checks it."""

    check: str
    grade: Grade
    title: str
    what_to_do: str = ""
    evidence: str = ""

    def as_dict(self) -> dict[str, str]:
        """As it is stored and printed."""
        return {name: str(value) for name, value in asdict(self).items()}


Rule = Callable[[Facts], Finding | None]


def worst(findings: list[Finding]) -> Grade:
    """The worst grade among findings; good without any."""
    return max((finding.grade for finding in findings), key=_ORDER.index, default=Grade.GOOD)


def good(check: str, title: str, evidence: str = "") -> Finding:
    return Finding(check=check, grade=Grade.GOOD, title=title, evidence=evidence)


def note(check: str, title: str, what_to_do: str, evidence: str = "") -> Finding:
    return Finding(check=check, grade=Grade.NOTE, title=title, what_to_do=what_to_do, evidence=evidence)


def bad(check: str, title: str, what_to_do: str, evidence: str = "") -> Finding:
    return Finding(check=check, grade=Grade.BAD, title=title, what_to_do=what_to_do, evidence=evidence)


def unknown(check: str, title: str, what_to_do: str, evidence: str = "") -> Finding:
    return Finding(check=check, grade=Grade.UNKNOWN, title=title, what_to_do=what_to_do, evidence=evidence)


def not_asked(check: str, what: str, why: str) -> Finding:
    """The name server did not answer: that says nothing about us."""
    return unknown(
        check,
        f"{what} could not be looked up",
        "The name server did not answer. Try again; if it stays so, name another one in"
        " SENTINEL_NAME_SERVER.",
        why,
    )


def record(name: str, kind: str, value: str) -> str:
    """A DNS record as administrators write it, on a line of its own."""
    return f'\n    {name}. {kind} "{value}"' if kind == "TXT" else f"\n    {name}. {kind} {value}"
