"""Reading people: their hours, who stands in for whom, who is officer of the day."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from sentinel.kernel import clock
from sentinel.kernel.calendars import BusinessCalendar
from sentinel.people.models import Absence, ContactMethod, OfficerShift, User, WorkCalendar
from sentinel.people.rules import ADDABLE, AbsenceFacts, Role, business_calendar, stand_in

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_FOR_EVER = datetime(9999, 1, 1, tzinfo=UTC)


def calendar_of(user: User) -> BusinessCalendar:
    """When the user works, seen from their own zone; Monday to Friday, nine to five, without a calendar.

    Absences are not part of it: a person who is away is replaced (:func:`who_acts`), not waited for.
    """
    if user.calendar is None:
        return _office(user.zone)
    return seen_from(user.calendar, user.zone)


def calendar_for_telling(user: User) -> BusinessCalendar:
    """When the user may be disturbed: in the hours they chose themselves, on a holiday of theirs never;
    without a choice in their working hours.

    For :func:`sentinel.escalation.rules.tell_at` alone: who owes what by when goes by :func:`calendar_of`.
    """
    if not user.reach_week:
        return calendar_of(user)
    return _chosen(user.reach_zone or user.zone, json.dumps(user.reach_week), calendar_of(user).holidays)


def seen_from(calendar: WorkCalendar, zone: str) -> BusinessCalendar:
    """The hours of ``calendar`` in one zone, with holidays from last year to two years ahead.

    Remembered by value, so that an edited calendar counts at once in every process.
    """
    return _built(
        zone,
        json.dumps(calendar.week),
        calendar.country,
        calendar.subdivision,
        tuple(calendar.extra_holidays),
        tuple(calendar.working_holidays),
        clock.now().year,
    )


@lru_cache(maxsize=256)
def _office(zone: str) -> BusinessCalendar:
    return BusinessCalendar.office(zone)


@lru_cache(maxsize=1_024)
def _chosen(zone: str, week: str, holidays: frozenset[date]) -> BusinessCalendar:
    return business_calendar(zone=zone, week=json.loads(week), holidays=holidays)


@lru_cache(maxsize=1_024)
def _built(
    zone: str,
    week: str,
    country: str,
    subdivision: str,
    extra: tuple[date, ...],
    working: tuple[date, ...],
    year: int,
) -> BusinessCalendar:
    days = (legal_holidays(country, subdivision, year) | frozenset(extra)) - frozenset(working)
    return business_calendar(zone=zone, week=json.loads(week), holidays=days)


@lru_cache(maxsize=256)
def legal_holidays(country: str, subdivision: str, year: int) -> frozenset[date]:
    """Public holidays of a country (ISO 3166, empty: none) from the year before to two years after ``year``.

    A country or subdivision that the library does not know has none here; the calendar's own list counts.
    """
    if not country:
        return frozenset()
    import holidays  # why: a second of start-up and 20 MB that most processes never need

    years = range(year - 1, year + 3)
    for part in (subdivision or None, None):
        try:
            return frozenset(holidays.country_holidays(country, subdiv=part, years=years))
        except NotImplementedError:
            continue
    return frozenset()


def absences_at(now: datetime) -> list[AbsenceFacts]:
    """Everybody who is away at ``now``. A deactivated user counts as away for good, without a deputy."""
    rows = Absence.objects.filter(starts_at__lte=now, ends_at__gt=now).order_by("starts_at", "id")
    away = [
        AbsenceFacts(user_id=user_id, starts_at=starts_at, ends_at=ends_at, deputy_id=deputy_id)
        for user_id, starts_at, ends_at, deputy_id in rows.values_list(
            "user_id", "starts_at", "ends_at", "deputy_id"
        )
    ]
    gone = User.objects.filter(is_active=False).values_list("id", flat=True)
    return away + [
        AbsenceFacts(user_id=user_id, starts_at=_LONG_AGO, ends_at=_FOR_EVER, deputy_id=None)
        for user_id in gone
    ]


def who_acts(user_id: int, now: datetime, default_deputy_id: int | None = None) -> int:
    """Who must act at ``now`` where ``user_id`` should: themselves, or whoever stands in for them."""
    return stand_in(user_id, absences=absences_at(now), now=now, default_deputy_id=default_deputy_id)


def stood_in_for(user_id: int, now: datetime) -> frozenset[int]:
    """The ids of the users for whom ``user_id`` stands in at ``now`` because of an absence."""
    absences = absences_at(now)
    return frozenset(
        away.user_id
        for away in absences
        if away.user_id != user_id and stand_in(away.user_id, absences=absences, now=now) == user_id
    )


def officer_on(now: datetime) -> User | None:
    """The officer of the day at ``now``, or whoever stands in for them; None when nobody is on the rota.

    A shift is a date in its officer's own zone, so for some hours two officers of far zones can both
    have "today": then the one at work counts, and if that settles nothing, the one whose day began last.
    """
    today = now.astimezone(UTC).date()
    near = (today - timedelta(days=1), today + timedelta(days=1))
    shifts = OfficerShift.objects.filter(on__range=near).select_related("officer__calendar").order_by("-on")
    current = [
        shift.officer for shift in shifts if now.astimezone(ZoneInfo(shift.officer.zone)).date() == shift.on
    ]
    if not current:
        return None
    officer = next((user for user in current if calendar_of(user).is_open(now)), current[0])
    acting = who_acts(officer.pk, now)
    found = officer if acting == officer.pk else User.objects.select_related("calendar").get(pk=acting)
    return found if found.is_active else None


def active_users() -> QuerySet[User]:
    """Everybody who works for the provider today, by name."""
    return User.objects.filter(is_active=True).select_related("calendar", "manager")


def active_users_with_role(*roles: Role) -> QuerySet[User]:
    """The active users who have one of the roles, by name."""
    return active_users().filter(roles__overlap=[role.value for role in roles])


def user_by_id(pk: int | None) -> User | None:
    """One user of a row that keeps only the id; None for no id."""
    return users_by_id([pk]).get(pk) if pk else None


def users_by_id(ids: Iterable[int]) -> dict[int, User]:
    """The users of these ids with their calendars, for code that needs many at once."""
    return {
        user.pk: user for user in User.objects.filter(pk__in=set(ids)).select_related("calendar", "manager")
    }


def usable_ways(users: Iterable[User]) -> dict[int, list[ContactMethod]]:
    """The verified ways of these users that are switched on, in the order in which each wants them tried."""
    rows = ContactMethod.objects.filter(
        user__in=list(users), is_enabled=True, verified_at__isnull=False, channel__in=ADDABLE
    ).exclude(sealed="")
    found: dict[int, list[ContactMethod]] = {}
    for method in rows.order_by("rank", "pk"):
        found.setdefault(method.user_id, []).append(method)
    return found


def absences_of(user: User, now: datetime) -> QuerySet[Absence]:
    """The user's absences that are not over yet, the nearest first."""
    return Absence.objects.filter(user=user, ends_at__gt=now).select_related("deputy")


def rota_from(first: date, days: int = 14) -> QuerySet[OfficerShift]:
    """The officer-of-the-day rota of some days from ``first`` on."""
    return OfficerShift.objects.filter(on__range=(first, first + timedelta(days=days - 1))).select_related(
        "officer"
    )
