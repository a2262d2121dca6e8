"""Absences out of a calendar file that a user exported elsewhere. Reads only; nothing is fetched.

The file is a stranger's: its size, the number of events, how rules repeat and how far they reach are all
bounded before anything is unfolded. Wall times without a zone, and whole days, are the user's own.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import recurring_ical_events
from icalendar import Calendar, Event
from icalendar.timezone import tzp

from sentinel.kernel.calendars import local_instant
from sentinel.people.errors import CalendarFileRefused

logger = logging.getLogger(__name__)

MOST_BYTES = 512 * 1024
MOST_EVENTS = 1_000
MOST_REPEATING = 20
MOST_FOUND = 100
#: So far ahead absences are taken, and so old may a repeating event be.
AHEAD = timedelta(days=400)
OLDEST_RULE = timedelta(days=3_650)
#: A shorter event is a meeting rather than a time away; the preview leaves it unticked.
LONG = timedelta(hours=4)
_RULES = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_PLAIN_RULE = re.compile(
    rb"^(?!.*INTERVAL=0*(;|$))(?!.*(HOUR|MINUTE|SECOND)).*FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)\b"
)
_parsing = threading.Lock()
_WEEKDAY = re.compile(r"([+-]?[1-5])?(MO|TU|WE|TH|FR|SA|SU)")
_PARTS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY"})


@dataclass(frozen=True, kw_only=True)
class FoundAbsence:
    """One event of the file, in UTC. ``is_likely``: it looks like a time away."""

    starts_at: datetime
    ends_at: datetime
    title: str
    is_likely: bool


def read_absences(
    content: bytes, *, zone: str, now: datetime, wanted: Callable[[FoundAbsence], bool] | None = None
) -> list[FoundAbsence]:
    """The events of a calendar file that are not over, by time; ``zone`` is the user's own. ``wanted``: which
    of them count.

    Raises CalendarFileRefused for what is no calendar and for what is more than a person's absences.
    """
    if len(content) > MOST_BYTES:
        raise CalendarFileRefused("file_too_big", f"At most {MOST_BYTES // 1024} kB, please.")
    try:
        found = _unfolded(content, zone=zone, now=now)
    except CalendarFileRefused:
        raise
    except Exception as error:
        # What a broken or hostile file makes two parsers raise has no end; to the user it is one thing.
        logger.info("a calendar file could not be read: %s", type(error).__name__)
        raise CalendarFileRefused(
            "file_no_calendar", "This is no calendar file (.ics), or a damaged one."
        ) from None
    if wanted is not None:
        found = [one for one in found if wanted(one)]
    if len(found) > MOST_FOUND:
        raise CalendarFileRefused(
            "file_too_many", f"More than {MOST_FOUND} events lie ahead; export your absences alone."
        )
    return found


def _unfolded(content: bytes, *, zone: str, now: datetime) -> list[FoundAbsence]:
    _require_plain_rules(content)
    # The parser keeps the time zones that a file describes for all files to come, by their names alone: the
    # next user's "Office" would be this one's.
    with _parsing:
        tzp.use_default()
        try:
            return _read(content, zone=zone, now=now)
        finally:
            tzp.use_default()


def _require_plain_rules(content: bytes) -> None:
    """Before anything is parsed: no rule by the hour, and none that never moves on. Reading a time in a zone
    with such a rule would already take for ever."""
    for line in re.sub(rb"\r?\n[ \t]", b"", content).splitlines():
        if b"RRULE" in line[:20].upper() and not _PLAIN_RULE.search(line.upper()):
            raise CalendarFileRefused(
                "rule_not_plain", "An event repeats in a way that is no absence; enter that one by hand."
            )


def _read(content: bytes, *, zone: str, now: datetime) -> list[FoundAbsence]:
    calendar = Calendar.from_ical(content)
    if not isinstance(calendar, Calendar):
        raise TypeError("this is one component, not a calendar")
    _require_bounded(calendar, list(calendar.walk("VEVENT")), now)
    series = recurring_ical_events.of(calendar, skip_bad_series=True)
    events = series.between(now - timedelta(days=60), now + AHEAD)
    found = {one for one in (_found(event, zone) for event in events) if one and one.ends_at > now}
    return sorted(found, key=lambda one: (one.starts_at, one.ends_at, one.title))


def _require_bounded(calendar: Calendar, events: list[Any], now: datetime) -> None:
    """Refuse what is not a person's absences, and rules that could be unfolded for ever."""
    if len(events) > MOST_EVENTS:
        raise CalendarFileRefused("file_too_many", f"At most {MOST_EVENTS} events, please.")
    repeating = [event for event in events if "RRULE" in event or "RDATE" in event or "EXRULE" in event]
    if len(repeating) > MOST_REPEATING:
        raise CalendarFileRefused("file_too_many", f"At most {MOST_REPEATING} repeating events, please.")
    zones = [*calendar.walk("STANDARD"), *calendar.walk("DAYLIGHT")]
    if len(zones) > MOST_EVENTS:
        raise CalendarFileRefused("file_too_many", "Too many descriptions of time zones.")
    for part in (*repeating, *zones):
        judge = _is_yearly if part in zones else _is_tame
        if "EXRULE" in part or not all(_holds(judge, rule) for rule in _each(part.get("RRULE"))):
            raise CalendarFileRefused(
                "rule_not_plain", "An event repeats in a way that is no absence; enter that one by hand."
            )
        if sum(len(getattr(listed, "dts", ())) for listed in _each(part.get("RDATE"))) > MOST_EVENTS:
            raise CalendarFileRefused("file_too_many", "An event repeats too often.")
    for event in repeating:
        first = getattr(event.get("DTSTART"), "dt", None)
        if first is None or _day_of(first) < (now - OLDEST_RULE).date():
            raise CalendarFileRefused("rule_too_old", "A repeating event began more than ten years ago.")


def _holds(judge: Callable[[Any], bool], rule: Any) -> bool:
    """What cannot even be judged holds nothing."""
    try:
        return judge(rule)
    except (ValueError, TypeError, AttributeError, KeyError):
        return False


def _is_yearly(rule: Any) -> bool:
    """Whether a rule of a time zone comes once a year, or every few years."""
    often = [str(value).upper() for value in rule.get("FREQ", ())]
    return often == ["YEARLY"] and all(int(value) >= 1 for value in rule.get("INTERVAL", ()))


def _is_tame(rule: Any) -> bool:
    """Whether a rule comes around again for certain, and at most daily.

    One that never does (30 February, every nought days) is looked for until the year 9999.
    """
    parts = {str(name).upper(): list(values) for name, values in rule.items()}
    often = {str(value).upper() for value in parts.get("FREQ", ())}
    month_days = [abs(int(value)) for value in parts.get("BYMONTHDAY", ())]
    by = {name for name in parts if name.startswith("BY")}
    is_daily = bool(often & {"DAILY", "WEEKLY"})
    return (
        len(often) == 1
        and often <= _RULES
        and parts.keys() <= _PARTS
        and all(1 <= int(value) <= MOST_EVENTS for value in parts.get("INTERVAL", ()))
        and (not month_days or (min(month_days) >= 1 and max(month_days) <= 28 and "BYDAY" not in by))
        and not (is_daily and month_days)
        and not ("DAILY" in often and by and parts.get("INTERVAL", [1]) != [1])
        and all(1 <= int(value) <= 12 for value in parts.get("BYMONTH", ()))
        and all(_WEEKDAY.fullmatch(str(value).upper()) for value in parts.get("BYDAY", ()))
    )


def _each(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _day_of(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _found(event: Any, zone: str) -> FoundAbsence | None:
    if not isinstance(event, Event) or str(event.get("STATUS", "")).upper() == "CANCELLED":
        return None
    starts_at, ends_at = _instant(event.start, zone), _instant(event.end, zone)
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
