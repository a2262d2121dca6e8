"""Whether a person can be reached: which of their ways work, whether now, in plain words why not. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sentinel.kernel.calendars import BusinessCalendar, NeverOpen

_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_SPACE = re.compile(r"[\s()./-]")


@dataclass(frozen=True, kw_only=True)
class WayFacts:
    """One way of a user as it is stored. ``failed``: why the last message along it did not arrive."""

    name: str
    is_verified: bool
    is_enabled: bool
    off_because: str = ""
    refused_because: str = ""
    failed: str = ""


class WayFault(StrEnum):
    """Why no notice goes along a way."""

    UNVERIFIED = "unverified"
    OFF = "off"
    REFUSED = "refused"


_FAULTS = {
    WayFault.UNVERIFIED: "its code was never typed back",
    WayFault.OFF: "switched off",
    WayFault.REFUSED: "refused by the mail server",
}


@dataclass(frozen=True, kw_only=True)
class WayVerdict:
    """Whether notices go along a way: not with a ``fault``. ``detail``: what a service said about that;
    ``doubt``: what is doubtful about a way that works."""

    name: str
    fault: WayFault | None = None
    detail: str = ""
    doubt: str = ""

    @property
    def works(self) -> bool:
        """Whether notices go along it."""
        return self.fault is None

    @property
    def why(self) -> str:
        """Why not, or what is doubtful about it; else empty."""
        if self.fault is None:
            return self.doubt
        return f"{_FAULTS[self.fault]} ({self.detail})" if self.detail else _FAULTS[self.fault]


@dataclass(frozen=True, kw_only=True)
class PersonFacts:
    """What the verdict about a person needs. ``works``: their working hours; ``may_ring``: when they may be
    disturbed (their own choice, else the same)."""

    user_id: int
    name: str
    telephone: str
    is_active: bool
    ways: tuple[WayFacts, ...]
    works: BusinessCalendar
    may_ring: BusinessCalendar
    away_until: datetime | None = None
    stand_in: str = ""


@dataclass(frozen=True, kw_only=True)
class Reach:
    """The verdict. ``opens_at``: when notices that are not urgent go out, None: at once. ``telephone_fault``:
    what is wrong with the number; an empty number is no fault."""

    user_id: int
    name: str
    ways: tuple[WayVerdict, ...]
    is_active: bool
    is_at_work: bool
    opens_at: datetime | None
    is_never_open: bool
    away_until: datetime | None
    stand_in: str
    telephone_fault: str

    @property
    def has_way(self) -> bool:
        """Whether any notice arrives at all, at whatever hour."""
        return self.is_active and not self.is_never_open and any(way.works for way in self.ways)

    @property
    def is_now(self) -> bool:
        """Whether a notice that is not urgent would arrive now, with this very person."""
        return self.has_way and self.away_until is None and self.opens_at is None

    @property
    def why_never(self) -> str:
        """Why nothing arrives, as one sentence; empty when something does."""
        if not self.is_active:
            return f"{self.name} no longer works here."
        if self.is_never_open:
            return f"The calendar of {self.name} has no working hours."
        if self.has_way:
            return ""
        return f"{self.name} has no way that works: {'; '.join(_said(way) for way in self.ways)}."

    @property
    def why_not_now(self) -> str:
        """Why a notice would not arrive with them now; empty when it would."""
        if self.why_never:
            return self.why_never
        if self.away_until is not None:
            who = f"{self.stand_in} stands in" if self.stand_in else "nobody stands in"
            return f"{self.name} is away; {who}."
        if self.opens_at is not None:
            where = "has quiet hours" if self.is_at_work else "is not at work"
            return f"{self.name} {where} now; only what is urgent rings before then."
        return ""


def judge_reach(facts: PersonFacts, *, now: datetime) -> Reach:
    """The verdict about one person at ``now``."""
    opens_at, is_never_open = _opens_at(facts.may_ring, now)
    return Reach(
        user_id=facts.user_id,
        name=facts.name,
        ways=tuple(judge_way(way) for way in facts.ways),
        is_active=facts.is_active,
        is_at_work=facts.works.is_open(now),
        opens_at=opens_at,
        is_never_open=is_never_open,
        away_until=facts.away_until,
        stand_in=facts.stand_in,
        telephone_fault=telephone_fault(facts.telephone),
    )


def judge_way(way: WayFacts) -> WayVerdict:
    """Whether notices go along a way. A failed last message is a doubt, not a verdict: the service may have
    been down, and when nothing arrives at all the notice itself is passed on."""
    if not way.is_verified:
        return WayVerdict(name=way.name, fault=WayFault.UNVERIFIED)
    if not way.is_enabled:
        return WayVerdict(name=way.name, fault=WayFault.OFF, detail=way.off_because)
    if way.refused_because:
        return WayVerdict(name=way.name, fault=WayFault.REFUSED, detail=way.refused_because)
    return WayVerdict(name=way.name, doubt=f"the last message {way.failed}" if way.failed else "")


def telephone_fault(number: str) -> str:
    """What is wrong with a telephone number, in a sentence; empty for none and for a good one.

    An address on the own exchange (``sip:``) is judged where it is entered, and again by each call.
    """
    if not number or number.lower().startswith("sip:") or _NUMBER.fullmatch(_SPACE.sub("", number)):
        return ""
    return f"“{number}” is no telephone number with its country code, like +4930123456."


def rung_sentences(
    *, position: int, audience: Sequence[Reach], where: str = ""
) -> tuple[list[str], list[str]]:
    """What to say about one rung's people: why nobody of them hears of it (refuse), and what to warn of.

    ``where``: the account, when a ladder governs several.
    """
    place = f" ({where})" if where else ""
    lost = [reach for reach in audience if not reach.has_way]
    if audience and len(lost) == len(audience):
        said = " ".join(reach.why_never for reach in lost)
        return [f"Rung {position}{place} would reach nobody. {said}"], []
    warnings = [f"Rung {position}{place}: {reach.why_never}" for reach in lost]
    warnings += [
        f"Rung {position}{place}, now: {reach.why_not_now}"
        for reach in audience
        if reach.has_way and not reach.is_now
    ]
    return [], warnings


def _said(way: WayVerdict) -> str:
    return f"{way.name} {way.why}".strip()


def _opens_at(calendar: BusinessCalendar, now: datetime) -> tuple[datetime | None, bool]:
    try:
        opens = calendar.next_open(now)
    except NeverOpen:
        return None, True
    return (None if opens <= now else opens), False
