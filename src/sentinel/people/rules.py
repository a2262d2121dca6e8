"""Roles and the working hours of people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from sentinel.kernel.calendars import BusinessCalendar, OpenSpan


class Role(StrEnum):
    """What a user may be. One user can have several roles."""

    OWNER = "owner"  # account manager: owns accounts and their problems
    MANAGER = "manager"  # leads owners
    EXECUTIVE = "executive"  # focus executive of top accounts
    OFFICER = "officer"  # may stand on the officer-of-the-day rota
    ADMINISTRATOR = "administrator"  # set-up, people, programme, roster
    ANALYST = "analyst"  # reads everything, changes nothing


class ContactChannel(StrEnum):
    """Ways to reach a user."""

    EMAIL = "email"
    CONSOLE = "console"
    TELEPHONE = "telephone"
    PUSH = "push"  # a browser or phone that subscribed
    CHAT = "chat"  # a chat service or SMS, by an address of Apprise
    WEBHOOK = "webhook"  # a program of the user's own


class SwapState(StrEnum):
    """What became of the question whether somebody takes another's day."""

    ASKED = "asked"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"


#: Ways that users add themselves; what comes first here is tried first unless the user says otherwise.
ADDABLE = (ContactChannel.PUSH, ContactChannel.CHAT, ContactChannel.WEBHOOK)


@dataclass(frozen=True, kw_only=True)
class AbsenceFacts:
    """One absence: from ``starts_at`` until ``ends_at``, and who stands in."""

    user_id: int
    starts_at: datetime
    ends_at: datetime
    deputy_id: int | None


def stand_in(
    user_id: int, *, absences: Sequence[AbsenceFacts], now: datetime, default_deputy_id: int | None = None
) -> int:
    """The user who must act in place of ``user_id`` at ``now``: they themselves when present, else the
    deputy of the absence, else ``default_deputy_id``; followed at most five steps, and back to the
    user when everybody is away (somebody must always be accountable)."""
    seen = {user_id}
    current = user_id
    for _ in range(5):
        absence = next((a for a in absences if a.user_id == current and a.starts_at <= now < a.ends_at), None)
        if absence is None:
            return current
        following = absence.deputy_id if absence.deputy_id is not None else default_deputy_id
        if following is None or following in seen:
            return user_id
        seen.add(following)
        current = following
    return user_id


def parse_week(week: Mapping[str, Sequence[Sequence[str]]]) -> tuple[tuple[OpenSpan, ...], ...]:
    """``{"mon": [["09:00", "17:00"]], …}`` as stored → seven tuples of spans, Monday first.

    Raises ValueError with a plain sentence on a wrong day or time.
    """
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    for key in week:
        if key not in names:
            raise ValueError(f"{key!r} is not a day; use {', '.join(names)}")
    return tuple(tuple(_span(pair) for pair in week.get(name, ())) for name in names)


def _span(pair: Sequence[str]) -> OpenSpan:
    try:
        start, end = pair
        return OpenSpan(
            start=time.fromisoformat(start), end=time.fromisoformat("00:00" if end == "24:00" else end)
        )
    except (ValueError, TypeError):
        raise ValueError(f"{pair!r} is not a pair of times like ['09:00', '17:00']") from None


def business_calendar(
    *, zone: str, week: Mapping[str, Sequence[Sequence[str]]], holidays: Iterable[date]
) -> BusinessCalendar:
    """Working hours and holidays of a :class:`WorkCalendar`, seen from one time zone."""
    return BusinessCalendar(zone=zone, week=parse_week(week), holidays=frozenset(holidays))


#: So much of each working day must stay open for notices: nobody makes themselves unreachable by a setting.
LEAST_A_DAY = timedelta(hours=1)
_LOOKED_AT = 14
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def quiet_faults(*, work: BusinessCalendar, telling: BusinessCalendar, now: datetime) -> list[str]:
    """Why these hours cannot be somebody's hours for notices, in sentences; empty when they can.

    Looks at the two weeks after ``now``: on each working day an hour of work must be open for notices.
    """
    first = work.localdate(now)
    short: dict[str, None] = {}
    for day in (first + timedelta(days=step) for step in range(1, _LOOKED_AT + 1)):
        start, end = work.start_of_day(day), work.end_of_day(day)
        if start is None or end is None:
            continue
        worked = work.between(start, end)
        open_together = sum(
            (telling.between(max(start, a), min(end, b)) for a, b in work.stretches(start, end)), timedelta()
        )
        if open_together < min(LEAST_A_DAY, worked):
            short.setdefault(_DAYS[day.weekday()])
    if not short:
        return []
    return [f"Leave at least an hour of your work open on {', '.join(short)}; else nobody could reach you."]
