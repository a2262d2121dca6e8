"""Durations as people write and read them. Plain elapsed time: a day here is 24 hours."""

import re
from datetime import timedelta

from sentinel.kernel.errors import Refused

_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_PART = re.compile(r"([0-9]{1,6})\s*([wdhms])")
_WHOLE = re.compile(rf"\s*(?:{_PART.pattern}\s*)+")
_LENGTHS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


class BadDuration(Refused, ValueError):
    """The text is not a duration. Also a ValueError, which settings and argument parsers turn into words."""


def parse_duration(text: str) -> timedelta:
    """Read "2d 4h 30m", "90m" or "1w". Raises BadDuration, whose message lists the forms."""
    lowered = text.lower()
    parts = _PART.findall(lowered)
    units = [unit for _, unit in parts]
    if not _WHOLE.fullmatch(lowered) or len(set(units)) < len(units):
        raise BadDuration(
            "bad_duration",
            f"{text!r} is not a duration. Write whole numbers with w (weeks), d (days), h (hours),"
            ' m (minutes) or s (seconds), each unit at most once: "90m", "2d 4h 30m", "1w".',
            {"text": text},
        )
    return timedelta(**{_UNITS[unit]: int(number) for number, unit in parts})


def describe_duration(duration: timedelta) -> str:
    """English words without loss down to the second, largest unit first: "2 days 4 hours"."""
    if duration < timedelta(0):
        return f"minus {describe_duration(-duration)}"
    if timedelta(0) < duration < timedelta(seconds=1):
        return "less than a second"
    rest = duration // timedelta(seconds=1)
    words = []
    for name, length in _LENGTHS:
        count, rest = divmod(rest, length)
        if count:
            words.append(f"{count} {name}" if count == 1 else f"{count} {name}s")
    return " ".join(words) or "0 minutes"
