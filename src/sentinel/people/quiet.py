"""When a user may be disturbed: their own choice, else their working hours.

Quiet hours redirect and never pause: the console tells at once, the ladder climbs by working hours, and from
the officer's rung up, or when work stopped, every way is taken at any hour. What waits is only the ringing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db import transaction

from sentinel.kernel.calendars import BusinessCalendar
from sentinel.people.errors import QuietHoursRefused
from sentinel.people.models import User, validate_zone
from sentinel.people.rules import parse_week, quiet_faults
from sentinel.people.selectors import calendar_of
from sentinel.people.services import actor_of
from sentinel.timeline.services import About, record_event
from sentinel.timeline.verbs import Verb

Week = Mapping[str, Sequence[Sequence[str]]]


def set_quiet_hours(*, user_id: int, week: Week | None, zone: str, now: datetime) -> User:
    """A user says outside of which hours they are not to be disturbed; None: outside of their working hours.

    ``week`` as a calendar's, in ``zone`` (empty: their own). Raises QuietHoursRefused for hours that cannot
    be read and for hours that would leave less than an hour of a working day.
    """
    with transaction.atomic():
        user = User.objects.select_for_update(of=("self",)).select_related("calendar").get(pk=user_id)
        chosen = {day: [list(pair) for pair in spans] for day, spans in (week or {}).items() if spans}
        if week is not None:
            _require_open(user, chosen, zone, now)
        user.reach_week = chosen or None
        user.reach_zone = zone if chosen else ""
        user.save(update_fields=["reach_week", "reach_zone"])
        record_event(
            verb=Verb.USER_QUIET_HOURS,
            at=now,
            actor=actor_of(user),
            about=About(user_id=user.pk),
            data={"hours": user.reach_week, "zone": user.reach_zone or user.zone},
        )
    return user


def _require_open(user: User, week: Week, zone: str, now: datetime) -> None:
    if not week:
        raise QuietHoursRefused("quiet_always", "Name at least one time in which you may be disturbed.")
    try:
        if zone:
            validate_zone(zone)
        telling = BusinessCalendar(zone=zone or user.zone, week=parse_week(week))
    except ValidationError as error:
        raise QuietHoursRefused("quiet_zone", " ".join(error.messages)) from None
    except ValueError as error:
        raise QuietHoursRefused("quiet_unreadable", str(error)) from None
    faults = quiet_faults(work=calendar_of(user), telling=telling, now=now.astimezone(ZoneInfo(user.zone)))
    if faults:
        raise QuietHoursRefused("quiet_too_long", " ".join(faults))
