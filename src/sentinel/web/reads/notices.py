"""The lines of the bell: each notice alone, and those of one storm as one line. It only reads; every notice
stays a row of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sentinel.outbox.selectors import MessageView
from sentinel.people.models import User
from sentinel.problems.models import Problem
from sentinel.problems.selectors import problems_visible_to, storms_among

#: So many names stand in the line of a storm; the storm's screen shows all.
_NAMES = 3


@dataclass(frozen=True, kw_only=True)
class BellLine:
    """One line: a notice, or all notices of one storm, newest first. ``problems``: of the storm, those that
    the notices tell of, in the order in which they were reported; empty for a single notice."""

    notices: tuple[MessageView, ...]
    problems: tuple[Problem, ...] = ()

    @property
    def newest(self) -> MessageView:
        """The notice that gives the line its place and time."""
        return self.notices[0]

    @property
    def unread(self) -> int:
        """How many of its notices were not read."""
        return sum(notice.read_at is None for notice in self.notices)

    @property
    def first(self) -> Problem:
        """The problem whose storm screen the line opens."""
        return self.problems[0]

    @property
    def others(self) -> str:
        """The ids of the notices beside the newest, for the button that opens all at once."""
        return ",".join(str(notice.id) for notice in self.notices[1:])

    @property
    def names(self) -> str:
        """Who reports, the first few."""
        names = [problem.worker.name for problem in self.problems]
        more = len(names) - _NAMES
        return ", ".join(names[:_NAMES]) + (f" and {more} more" if more > 0 else "")


def bell_lines(notices: Sequence[MessageView], *, user: User, now: datetime) -> list[BellLine]:
    """The lines for notices that come newest first. Only first words and what is late are put together, as
    on every other way; what a worker answered or asked for is a line of its own. So is what tells of a
    problem that the user may no longer see: the storm's screen would not show it."""
    told = {one.problem_id for one in notices if one.problem_id and one.payload.get("series")}
    problems = {one.pk: one for one in problems_visible_to(user, now).filter(pk__in=told)}
    storms = storms_among(problems.values())
    together: dict[int, list[MessageView]] = {}
    lines: list[tuple[list[MessageView], bool]] = []
    for notice in notices:
        storm = storms.get(notice.problem_id or 0) if notice.payload.get("series") else None
        if storm is not None and storm in together:
            together[storm].append(notice)
            continue
        line = [notice]
        lines.append((line, storm is not None))
        if storm is not None:
            together[storm] = line
    return [_line(line, problems if is_storm else {}) for line, is_storm in lines]


def _line(notices: Sequence[MessageView], problems: dict[int, Problem]) -> BellLine:
    told = {notice.problem_id for notice in notices}
    mine = [problem for pk, problem in problems.items() if pk in told]
    return BellLine(
        notices=tuple(notices),
        problems=tuple(sorted(mine, key=lambda problem: (problem.opened_at, problem.pk))),
    )
