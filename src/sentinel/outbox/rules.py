"""The outbox's decisions: states, what an outcome leads to, how long to back off. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum

from sentinel.kernel.ids import seeded_fraction


class State(StrEnum):
    """States of a message."""

    PENDING = "pending"  # waits for its time or for its next try
    SENDING = "sending"  # leased by one engine until ``visible_at``
    ACCEPTED = "accepted"  # a provider took it
    DELIVERED = "delivered"  # the provider says it arrived
    FAILED = "failed"  # refused for good by the provider
    UNKNOWN = "unknown"  # unclear result on a channel that must not repeat
    BUNDLED = "bundled"  # told in another message, see ``bundle_id``
    CANCELLED = "cancelled"  # became needless before it was sent
    DEAD = "dead"  # out of tries


LIVE = (State.PENDING, State.SENDING)
SETTLED = tuple(state for state in State if state not in LIVE)


class Priority(IntEnum):
    """Lower goes first."""

    ALARM = 0  # first word of a problem
    LADDER = 1  # a rung of the ladder
    ANSWER = 2  # about the worker's own problem
    NOTICE = 5  # good to know
    CHECK_IN = 9  # the monthly question


class Result(StrEnum):
    """What one attempt came to."""

    ACCEPTED = "accepted"
    TRANSIENT = "transient"
    PERMANENT = "permanent"
    UNKNOWN = "unknown"


#: Back-off after the n-th transient failure, in seconds; the last one repeats.
BACK_OFF = (5, 15, 45, 120, 300)
#: While nobody answers at the provider at all, the pauses grow no longer than this for an hour: when it is
#: back, what waited leaves within a lease.
AWAY_PAUSE = 15
AWAY_FOR = timedelta(hours=1)
#: A channel keeps trying this long after the message was first due; then the message is dead …
GIVE_UP_AFTER = timedelta(days=3)
#: … but never before this many tries: after a long downtime every message is old at its first one.
FEWEST_TRIES = 6
#: Notices to one person within this time of an earlier one may be merged.
BUNDLE_WITHIN = timedelta(minutes=2)
#: Fewer than this stay notices of their own.
FEWEST_TO_BUNDLE = 2
#: How long notices to users may be muted for a test.
LONGEST_MUTE = timedelta(hours=4)
#: The channels that reach users away from the console.
WAYS = ("email", "push", "chat", "webhook")


@dataclass(frozen=True, kw_only=True)
class Settlement:
    """What to write after an attempt: the new state and, when pending, when to try again."""

    state: State
    visible_at: datetime


def back_off(*, attempts: int, key: str, at_most: int = BACK_OFF[-1]) -> timedelta:
    """Delay before try ``attempts + 1``, within 20 % of the table (jitter is stable per key and try)."""
    base = min(at_most, BACK_OFF[min(attempts, len(BACK_OFF)) - 1]) if attempts > 0 else 0
    return timedelta(seconds=base * (0.8 + 0.4 * seeded_fraction(key, attempts)))


def settle(
    *,
    result: Result,
    attempts: int,
    key: str,
    first_due_at: datetime,
    now: datetime,
    is_away: bool = False,
) -> Settlement:
    """Decide what becomes of a message after its attempt number ``attempts`` (counted from 1).

    ``is_away``: nobody answered at the provider, so the failure says nothing about this message.
    """
    if result is Result.ACCEPTED:
        return Settlement(state=State.ACCEPTED, visible_at=now)
    if result is Result.PERMANENT:
        return Settlement(state=State.FAILED, visible_at=now)
    if result is Result.UNKNOWN:
        return Settlement(state=State.UNKNOWN, visible_at=now)
    if attempts >= FEWEST_TRIES and now - first_due_at > GIVE_UP_AFTER:
        return Settlement(state=State.DEAD, visible_at=now)
    longest = AWAY_PAUSE if is_away and now - first_due_at < AWAY_FOR else BACK_OFF[-1]
    return Settlement(
        state=State.PENDING, visible_at=now + back_off(attempts=attempts, key=key, at_most=longest)
    )
