"""Dates and times on the worker's pages: in the language of the page, in the worker's own zone."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.utils.translation import get_language

from sentinel.ui import dates


def spoken_time(at: datetime, *, zone: str, now: datetime) -> str:
    """``10:40`` today, ``Monday 23 November, 10:40`` on another day."""
    if local_day(at, zone=zone) == local_day(now, zone=zone):
        return dates.local_time(at, zone, _language())
    return dates.local_moment(at, zone, _language())


def spoken_day(day: date) -> str:
    """``Monday 23 November``."""
    return dates.local_day(day, _language())


def spoken_date(at: datetime, *, zone: str) -> str:
    """The day of an instant, where the worker is."""
    return spoken_day(local_day(at, zone=zone))


def local_day(at: datetime, *, zone: str) -> date:
    """The date on the worker's wall."""
    return at.astimezone(ZoneInfo(zone)).date()


def _language() -> str:
    return get_language() or "en"
