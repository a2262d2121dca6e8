"""What reading a calendar again changes: which absences of it to enter, to move, to take away. Pure.

Only absences that came from the calendar are ever touched; what was entered by hand stands, and where both
would overlap, the calendar's is kept back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sentinel.people.absence_files import FoundAbsence

#: From when until when.
Span = tuple[datetime, datetime]


@dataclass(frozen=True, kw_only=True)
class Known:
    """An absence that was taken from the calendar before and is not over."""

    absence_id: int
    span: Span


@dataclass(frozen=True, kw_only=True)
class Plan:
    """``drop``: ids of absences whose event is gone; ``move``: new times by id; ``kept_back``: what overlaps
    an absence entered by hand."""

    add: tuple[Span, ...] = ()
    move: tuple[tuple[int, Span], ...] = ()
    drop: tuple[int, ...] = ()
    kept_back: tuple[Span, ...] = ()


def is_wanted(found: FoundAbsence, words: Collection[str]) -> bool:
    """Whether an event is a time away: one of the words stands in its title; without words, whatever looks
    like it."""
    if not words:
        return found.is_likely
    title = found.title.casefold()
    return any(word in title for word in words)


def words_of(text: str) -> list[str]:
    """The words of a list with commas, as they are compared."""
    return [word for part in re.split(r"[,;\n]", text) if (word := " ".join(part.split()).casefold())]


def plan_reading(
    *,
    wanted: Sequence[Span],
    known: Iterable[Known],
    by_hand: Collection[Span],
    dismissed: Collection[Span],
    now: datetime,
) -> Plan:
    """What to change so that the absences of the calendar are those that it holds now.

    ``wanted``: its times away, none overlapping another. ``dismissed``: times that somebody took off the list
    or ended; what lies within one stays off.
    """
    ours = [span for span in wanted if not any(_within(span, other) for other in dismissed)]
    kept_back = tuple(span for span in ours if any(_overlap(span, other) for other in by_hand))
    ours = [span for span in ours if span not in kept_back]
    rest = sorted(known, key=lambda one: one.span)
    new = [span for span in ours if not any(_same(span, one.span, now) for one in rest)]
    rest = [one for one in rest if not any(_same(span, one.span, now) for span in ours)]
    move: list[tuple[int, Span]] = []
    add: list[Span] = []
    for span in new:
        moved = next((one for one in rest if _overlap(one.span, span)), None)
        if moved is None:
            add.append(span)
        else:
            rest.remove(moved)
            move.append((moved.absence_id, span))
    return Plan(
        add=tuple(add),
        move=tuple(move),
        drop=tuple(one.absence_id for one in rest),
        kept_back=kept_back,
    )


def _overlap(one: Span, other: Span) -> bool:
    return one[0] < other[1] and one[1] > other[0]


def _within(one: Span, other: Span) -> bool:
    return other[0] <= one[0] and one[1] <= other[1]


def _same(one: Span, other: Span, now: datetime) -> bool:
    """When it began is past: of two events that were joined, the first may be over by now."""
    return one == other or (one[1] == other[1] and one[0] <= now and other[0] <= now)
