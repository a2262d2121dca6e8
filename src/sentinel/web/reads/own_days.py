"""What to say to somebody who will be away on a day on which they are officer of the day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.utils.formats import date_format

from sentinel.people.models import OfficerShift, User
from sentinel.people.rota import own_days_within

#: So many days are named; the rota shows all.
_NAMED = 5


def days_words(days: Iterable[OfficerShift]) -> str:
    """The days, as people say them: "Mon 16 Mar, Tue 17 Mar and 3 more"."""
    named = [date_format(day.on, "D j M") for day in days]
    more = len(named) - _NAMED
    return ", ".join(named[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def still_officer_words(
    user: User, *, times: Iterable[tuple[datetime, datetime]], viewer: User, now: datetime
) -> str:
    """That the user is officer of the day within the times (from, until), and what to do; else nothing."""
    days = own_days_within(user, times, now)
    if not days:
        return ""
    if user == viewer:
        return f"You are still officer of the day on {days_words(days)}: ask somebody to take it."
    return f"{user} is still officer of the day on {days_words(days)}: put somebody else there."
