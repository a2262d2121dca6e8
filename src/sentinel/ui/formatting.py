"""Pure text arithmetic behind the template tags: no Django, no translation, no clock of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import phonenumbers

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


@dataclass(frozen=True, slots=True)
class Units:
    """The written units of a duration, so that a caller can pass translated ones."""

    minute: str = "min"
    hour: str = "h"
    day: str = "d"


ENGLISH_UNITS = Units()


@dataclass(frozen=True, slots=True)
class Countdown:
    """The distance of a due time: `seconds` left (negative when late), `tone`, and the duration as `text`."""

    seconds: int
    tone: str
    text: str

    @property
    def is_late(self) -> bool:
        return self.seconds < 0


def telephone_text(number: str) -> str:
    """A number as people read it aloud: +380 44 555 0101; unreadable ones as they are."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def duration_text(seconds: int, units: Units = ENGLISH_UNITS) -> str:
    """Write a duration the way a person reads it at a glance: `12 min`, `3 h 05`, `2 d 4 h`.

    Seconds are rounded down to whole minutes, the sign is ignored, and below one minute the text is empty:
    the caller says "now" in its own words.
    """
    left = abs(seconds)
    if left < _MINUTE:
        return ""
    if left < _HOUR:
        return f"{left // _MINUTE} {units.minute}"
    if left < _DAY:
        return f"{left // _HOUR} {units.hour} {left % _HOUR // _MINUTE:02d}"
    days, hours = left // _DAY, left % _DAY // _HOUR
    return f"{days} {units.day} {hours} {units.hour}" if hours else f"{days} {units.day}"


def count_down(
    due_at: datetime, now: datetime, *, soon_minutes: int = 30, units: Units = ENGLISH_UNITS
) -> Countdown:
    """Compare an aware due time with an aware `now`: `late`, `soon` (within `soon_minutes`) or `ok`."""
    seconds = int((due_at - now).total_seconds() // 1)
    tone = "late" if seconds < 0 else "soon" if seconds <= soon_minutes * _MINUTE else "ok"
    return Countdown(seconds=seconds, tone=tone, text=duration_text(seconds, units))


def initials(name: str) -> str:
    """First and last initial of a personal name; one character where no spaces are (`山田太郎` -> `山`)."""
    words = [word for word in name.replace("-", " ").split() if word[0].isalnum()]
    if not words:
        return "?"
    if len(words) == 1:
        return words[0][0].upper()
    return (words[0][0] + words[-1][0]).upper()


def zone_city(zone_key: str) -> str:
    """The city a reader recognises in an IANA zone: `America/Argentina/Buenos_Aires` -> `Buenos Aires`."""
    return zone_key.rsplit("/", 1)[-1].replace("_", " ")


def shows_date(moment: datetime, now: datetime | None) -> bool:
    """Whether a weekday alone would mislead: the moment is not within six days of `now`, both in one zone."""
    return now is not None and abs((moment.date() - now.date()).days) > 6
