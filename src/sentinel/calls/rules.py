"""How far a call can come, why it ends, and when one may be placed at all. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sentinel.kernel.calendars import Hours


class CallState(StrEnum):
    """How far a call has come, in the order of the definitions; see :func:`rank`.

    Dialling is what we asked for; that a telephone rings is what its exchange says. Some never say it.
    """

    REQUESTED = "requested"
    DIALING_OWNER = "dialing_owner"
    OWNER_RINGS = "owner_rings"
    OWNER_ANSWERED = "owner_answered"
    DIALING_WORKER = "dialing_worker"
    WORKER_RINGS = "worker_rings"
    BRIDGED = "bridged"
    ENDED = "ended"


_RANKS = {state: position for position, state in enumerate(CallState)}


def rank(state: CallState) -> int:
    """The place of a state in its order: an event of a lower rank than what is known is old news."""
    return _RANKS[state]


class EndReason(StrEnum):
    """Why a call ended. Only ``COMPLETED`` means that two people were connected."""

    COMPLETED = "completed"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    MACHINE = "machine"
    LOST = "lost"  # nobody knows: the process that placed it is gone, and the provider cannot be asked
    UNHEARD = "unheard"  # the provider took it, and not one of its reports ever reached us


class Leg(StrEnum):
    """One of the two telephones of a call."""

    OWNER = "owner"
    WORKER = "worker"


@dataclass(frozen=True, kw_only=True)
class CallEvent:
    """Something happened to a call. ``event_id`` is unique per provider; a repeat carries the same one.

    ``leg`` says whose telephone it was about, where it was about one. ``reason`` and ``talk_seconds``
    come with ``ENDED``. ``detail`` is the exchange's own words, for people.
    """

    key: str
    ref: str
    event_id: str
    state: CallState
    at: datetime
    leg: Leg | None = None
    reason: EndReason | None = None
    detail: str = ""
    talk_seconds: int = 0


class Provider(StrEnum):
    """Who places calls: nobody (the owner dials), an exchange by SIP, a voice service by HTTP."""

    TEL = "tel"
    SIP = "sip"
    HTTP_VOICE = "http_voice"


#: A call that is not under way after this time came too late: the owner has dialled or gone on.
PLACED_WITHIN = timedelta(seconds=45)
#: The worker asked for a time; a call this long before or after it keeps the word.
AROUND_WISH = timedelta(minutes=30)


#: A test is over after this time, whatever its provider says or does not: its user wants to call people.
TEST_LASTS = timedelta(seconds=90)


class WhyNot(StrEnum):
    """Why no call may be placed now."""

    CLOSED = "closed"
    UNWANTED = "unwanted"  # the worker does not want to be called
    NO_WORKER_NUMBER = "no_worker_number"
    NO_OWNER_NUMBER = "no_owner_number"
    OUTSIDE_HOURS = "outside_hours"
    TALKING = "talking"  # this user, or somebody else about this problem, is on the telephone already
    NO_PROVIDER = "no_provider"  # the owner dials


@dataclass(frozen=True, kw_only=True)
class PlaceFacts:
    """What decides whether a call may be placed. Numbers are E.164 or ``sip:`` addresses, empty: none.

    ``wished_at``: when the worker asked to be called. ``hours`` are the worker's; until ``away_until`` they
    are not at work at all.
    """

    provider: Provider
    is_open: bool
    may_call: bool
    worker_number: str
    owner_number: str
    hours: Hours
    wished_at: datetime | None
    is_talking: bool
    away_until: datetime | None = None


def why_not(facts: PlaceFacts, *, now: datetime) -> WhyNot | None:
    """What stands against a call now; None when it may be placed."""
    if not facts.is_open:
        return WhyNot.CLOSED
    if not facts.may_call:
        return WhyNot.UNWANTED
    if not facts.worker_number:
        return WhyNot.NO_WORKER_NUMBER
    if facts.provider is Provider.TEL:
        return WhyNot.NO_PROVIDER
    if not facts.owner_number:
        return WhyNot.NO_OWNER_NUMBER
    is_wished = facts.wished_at is not None and abs(now - facts.wished_at) <= AROUND_WISH
    is_away = facts.away_until is not None and now < facts.away_until
    if not is_wished and (is_away or not facts.hours.is_open(now)):
        return WhyNot.OUTSIDE_HOURS
    return WhyNot.TALKING if facts.is_talking else None


def was_tried(reason: EndReason, leg: Leg | None) -> bool:
    """Whether the end of an unconnected call counts as a try to reach the worker.

    It does when the worker's telephone was the one that did not answer; not when the owner's own was.
    """
    return leg is Leg.WORKER and reason in (
        EndReason.BUSY,
        EndReason.NO_ANSWER,
        EndReason.DECLINED,
        EndReason.UNREACHABLE,
        EndReason.MACHINE,
    )


def end_unreported(reason: EndReason, leg: Leg | None, *, is_test: bool) -> EndReason:
    """How a call ended of which its provider never said anything by itself, only when it was asked.

    People who talked have talked. Otherwise no report reaches us, which is worth more to know than how a
    telephone ended on which nobody heard what they had to: a test that was answered like that has failed.
    """
    is_certain = reason is EndReason.CANCELLED or (reason is EndReason.COMPLETED and not is_test)
    return reason if is_certain or leg is Leg.WORKER else EndReason.UNHEARD
