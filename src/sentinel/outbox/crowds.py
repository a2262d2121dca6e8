"""When many notices to one target become one picture, and how many a target takes. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

#: Notices of one crowd within this time of each other are about one storm.
CROWD_WITHIN = timedelta(minutes=10)
#: From this many reports on they are told in one picture.
FEWEST_IN_CROWD = 3
#: The next picture comes when the number has doubled, or after this time when it has changed at all …
AGAIN_AFTER = timedelta(minutes=5)
#: … but two pictures never come faster than this, however many report.
LEAST_GAP = timedelta(seconds=30)

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A notice that waits at the gate. ``rank``: how bad what it tells of is, higher is worse."""

    message_id: int
    problem_id: int
    rank: int


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What this target heard of the storm: the ranks per problem, and the last picture's time and count."""

    ranks: Mapping[int, int]
    picture_at: datetime | None = None
    picture_count: int = 0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Ids of messages: which go alone, which become one picture, which wait until ``until``."""

    alone: tuple[int, ...] = ()
    merged: tuple[int, ...] = ()
    put_off: tuple[int, ...] = ()
    until: datetime | None = None


def next_count(told: int) -> int:
    """The number of reports at which the next picture is due: 3, 6, 12, 24 …"""
    count = FEWEST_IN_CROWD
    while count <= told:
        count *= 2
    return count


def judge_crowd(*, waiting: Sequence[Waiting], heard: Heard, now: datetime) -> Verdict:
    """Decide what becomes of the waiting notices of one crowd to one target.

    The first two go alone. From the third on there are pictures, at growing numbers. Once there was one,
    whatever is worse than everything heard before goes at once and alone.
    """
    everything = set(heard.ranks) | {one.problem_id for one in waiting}
    if len(everything) < FEWEST_IN_CROWD:
        return Verdict(alone=tuple(one.message_id for one in waiting))
    if heard.picture_at is None:
        return Verdict(merged=tuple(one.message_id for one in waiting))
    worst = max(waiting, key=lambda one: one.rank)
    severer = worst.rank > max(heard.ranks.values(), default=worst.rank)
    alone = (worst.message_id,) if severer else ()
    rest = tuple(one.message_id for one in waiting if one.message_id not in alone)
    due_at = heard.picture_at + (
        LEAST_GAP if len(everything) >= next_count(heard.picture_count) else AGAIN_AFTER
    )
    if now >= due_at:
        return Verdict(alone=alone, merged=rest)
    return Verdict(alone=alone, put_off=rest, until=due_at)


def room(
    *, limits: Sequence[tuple[timedelta, int]], passed: Sequence[datetime], now: datetime
) -> tuple[int | None, datetime | None]:
    """How many more a target takes now (None: any number), and when it takes one again if that is none.

    ``limits``: at most so many (one or more) within a time; ``passed``: when earlier notices
    went, in any order.
    """
    left: int | None = None
    free_at: datetime | None = None
    for span, most in limits:
        within = sorted(at for at in passed if at > now - span)
        here = max(0, most - len(within))
        left = here if left is None else min(left, here)
        if here == 0:
            # The oldest of the last ``most`` must leave the window first.
            leaves = within[len(within) - most] + span
            free_at = leaves if free_at is None else max(free_at, leaves)
    return left, free_at
