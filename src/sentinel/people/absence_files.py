"""Absences out of a calendar file that a user exported elsewhere. Reads only; nothing is fetched.

The file is a stranger's: its size, the number of events, how rules repeat and how far they reach are all
bounded before anything is unfolded. Wall times without a zone, and whole days, are the user's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import recurring_ical_events
from icalendar import Calendar, Event

from sentinel.kernel.calendars import local_instant
from sentinel.people.errors import CalendarFileRefused

MOST_BYTES = 512 * 1024
MOST_EVENTS = 1_000
MOST_REPEATING = 50
MOST_FOUND = 100
#: So far ahead absences are taken, and so old may a repeating event be.
AHEAD = timedelta(days=400)
OLDEST_RULE = timedelta(days=3_650)
#: A shorter event is a meeting rather than a time away; the preview leaves it unticked.
LONG = timedelta(hours=4)
_RULES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_FINE = ("BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS")


@dataclass(frozen=True, kw_only=True)
class FoundAbsence:
    """One event of the file, in UTC. ``is_likely``: it looks like a time away."""

    starts_at: datetime
    ends_at: datetime
    title: str
    is_likely: bool


def read_absences(content: bytes, *, zone: str, now: datetime) -> list[FoundAbsence]:
    """The events of a calendar file that are not over, by time; ``zone`` is the user's own.

    Raises CalendarFileRefused for what is no calendar and for what is more than a person's absences.
    """
    if len(content) > MOST_BYTES:
        raise CalendarFileRefused("file_too_big", f"At most {MOST_BYTES // 1024} kB, please.")
    try:
        calendar = Calendar.from_ical(content)
        if not isinstance(calendar, Calendar):
            raise ValueError("this is one component, not a calendar")
        events = list(calendar.walk("VEVENT"))
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError):
        raise CalendarFileRefused(
            "file_no_calendar", "This is no calendar file (.ics), or a damaged one."
        ) from None
    _require_bounded(events, now)
    try:
        unfolded = recurring_ical_events.of(calendar, skip_bad_series=True).between(
            now - timedelta(days=60), now + AHEAD
        )
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, IndexError):
        raise CalendarFileRefused(
            "file_no_calendar", "An event in this calendar repeats in a way that cannot be understood."
        ) from None
    found = [one for one in (_found(event, zone) for event in unfolded) if one and one.ends_at > now]
    found.sort(key=lambda one: (one.starts_at, one.ends_at, one.title))
    if len(found) > MOST_FOUND:
        raise CalendarFileRefused(
            "file_too_many", f"More than {MOST_FOUND} events lie ahead; export your absences alone."
        )
    return list(dict.fromkeys(found))


def _require_bounded(events: list[Any], now: datetime) -> None:
    if len(events) > MOST_EVENTS:
        raise CalendarFileRefused("file_too_many", f"At most {MOST_EVENTS} events, please.")
    repeating = [event for event in events if "RRULE" in event or "RDATE" in event or "EXRULE" in event]
    if len(repeating) > MOST_REPEATING:
        raise CalendarFileRefused("file_too_many", f"At most {MOST_REPEATING} repeating events, please.")
    for event in repeating:
        _require_tame(event, now)


def _require_tame(event: Any, now: datetime) -> None:
    """Refuse a rule that could be unfolded for ever: by the hour, from a distant past, or a list of hours."""
    too_often = CalendarFileRefused(
        "rule_too_often", "An event repeats more often than daily; that is no absence."
    )
    for rule in _each(event.get("EXRULE")) + _each(event.get("RRULE")):
        if not {str(part).upper() for part in rule.get("FREQ", ())} <= _RULES:
            raise too_often
        if any(len(rule.get(part, ())) > 1 for part in _FINE):
            raise too_often
    dates = [part for listed in _each(event.get("RDATE")) for part in getattr(listed, "dts", ())]
    if len(dates) > MOST_EVENTS:
        raise too_often
    starts = event.get("DTSTART")
    first = getattr(starts, "dt", None)
    if first is None or _day_of(first) < (now - OLDEST_RULE).date():
        raise CalendarFileRefused("rule_too_old", "A repeating event began more than ten years ago.")


def _each(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _day_of(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _found(event: Any, zone: str) -> FoundAbsence | None:
    if not isinstance(event, Event) or str(event.get("STATUS", "")).upper() == "CANCELLED":
        return None
    try:
        starts, ends = event.start, event.end
    except (ValueError, TypeError):
        return None
    starts_at, ends_at = _instant(starts, zone), _instant(ends, zone)
    if ends_at <= starts_at:
        return None
    busy = str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper()
    is_free = str(event.get("TRANSP", "")).upper() == "TRANSPARENT"
    is_long = ends_at - starts_at >= LONG
    return FoundAbsence(
        starts_at=starts_at,
        ends_at=ends_at,
        title=" ".join(str(event.get("SUMMARY", "")).split())[:200],
        is_likely=busy == "OOF" or (is_long and not is_free),
    )


def _instant(moment: date | datetime, zone: str) -> datetime:
    """An instant in UTC; a whole day begins at the user's midnight, a wall time without zone is theirs."""
    if not isinstance(moment, datetime):
        return local_instant(moment, time(0), zone)
    if moment.tzinfo is None:
        return local_instant(moment.date(), moment.time(), zone)
    return moment.astimezone(UTC)


def joined(found: Iterable[FoundAbsence]) -> list[FoundAbsence]:
    """The same times, with what overlaps or touches as one: nobody can be away twice at once."""
    whole: list[FoundAbsence] = []
    for one in sorted(found, key=lambda one: one.starts_at):
        last = whole[-1] if whole else None
        if last is None or one.starts_at > last.ends_at:
            whole.append(one)
            continue
        titles = dict.fromkeys(part for part in (last.title, one.title) if part)
        whole[-1] = FoundAbsence(
            starts_at=last.starts_at,
            ends_at=max(last.ends_at, one.ends_at),
            title=", ".join(titles)[:200],
            is_likely=last.is_likely or one.is_likely,
        )
    return whole
