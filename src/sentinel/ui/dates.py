"""Dates and times as people in five languages write them in a letter, always in the reader's own zone."""

from __future__ import annotations

from datetime import date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time

# Babel's stock formats are made for tables; these read well inside a sentence.
_DAY = {
    "en": "EEEE d MMMM",
    "de": "EEEE, d. MMMM",
    "fr": "EEEE d MMMM",
    "es": "EEEE d 'de' MMMM",
    "ja": "M月d日(E)",
}
_DATE = {"en": "d MMMM", "de": "d. MMMM", "fr": "d MMMM", "es": "d 'de' MMMM", "ja": "M月d日"}
_TIME = {"en": "HH:mm", "de": "HH:mm 'Uhr'", "fr": "H 'h' mm", "es": "H:mm", "ja": "H:mm"}
_MOMENT = {
    "en": "{day}, {time}",
    "de": "{day}, {time}",
    "fr": "{day} à {time}",
    "es": "{day} a las {time}",
    "ja": "{day} {time}",
}


@lru_cache(maxsize=256)
def _known(language: str) -> str:
    base = language.split("-")[0]
    return base if base in _DAY else "en"


def local_day(day: date, language: str) -> str:
    """A date with its weekday: "Friday 12 June", "Freitag, 12. Juni", "6月12日(金)"."""
    return _day(day, _known(language))


def local_date(day: date, language: str) -> str:
    """A date alone: "12 June"."""
    known = _known(language)
    return format_date(day, format=_DATE[known], locale=Locale(known))


def local_time(at: datetime, zone: str, language: str) -> str:
    """The wall time of an instant in ``zone``: "16:50", "16:50 Uhr", "16 h 50"."""
    shown = at.astimezone(ZoneInfo(zone))
    return _time(shown.hour, shown.minute, _known(language))


def local_moment(at: datetime, zone: str, language: str) -> str:
    """Day and wall time of an instant in ``zone``: "Friday 12 June, 16:50"."""
    day = at.astimezone(ZoneInfo(zone)).date()
    shown = _MOMENT[_known(language)]
    return shown.format(day=local_day(day, language), time=local_time(at, zone, language))


# A rung tells many people the same few days and times, and Babel takes its time over each.
@lru_cache(maxsize=4_096)
def _day(day: date, known: str) -> str:
    return format_date(day, format=_DAY[known], locale=Locale(known))


@lru_cache(maxsize=8_192)
def _time(hour: int, minute: int, known: str) -> str:
    return format_time(time(hour, minute), format=_TIME[known], locale=Locale(known))
