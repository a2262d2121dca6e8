"""A user's calendar for their own calendar program: an address that is a secret, and what stands there.

Whoever has the address reads it without signing in, so it shows the user's own shifts and absences and
nothing else: no note, no reason, no customer, no worker. Only a keyed hash of the secret is kept.
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from icalendar import Calendar, Event

from sentinel.people.models import Absence, CalendarFeed, OfficerShift, User
from sentinel.people.services import actor_of
from sentinel.timeline.services import About, record_event
from sentinel.timeline.verbs import Verb

#: What was so long ago is of no use in a calendar.
SHOWN_BACK = timedelta(days=31)


def make_feed(*, user: User, now: datetime) -> tuple[int, str]:
    """A new address for the user's calendar: its number and its secret, told once. The one before is void."""
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        feed, _ = CalendarFeed.objects.update_or_create(
            user=user, defaults={"digest": _digest(secret), "made_at": now}
        )
        _record(Verb.FEED_MADE, user, now)
    return feed.pk, secret


def end_feed(*, user: User, now: datetime) -> None:
    """Nobody reads the user's calendar from outside any more."""
    with transaction.atomic():
        if CalendarFeed.objects.filter(user=user).delete()[0]:
            _record(Verb.FEED_ENDED, user, now)


def feed_of(user: User) -> CalendarFeed | None:
    """The user's feed, if they made one."""
    return CalendarFeed.objects.filter(user=user).first()


def reader_of(*, feed_id: int, secret: str) -> CalendarFeed | None:
    """The feed at this address; None unless the secret is right and the user still works here.

    A feed that does not exist takes as long as a wrong secret.
    """
    feed = CalendarFeed.objects.select_related("user").filter(pk=feed_id).first()
    right = constant_time_compare(feed.digest if feed else _digest(""), _digest(secret))
    return feed if feed is not None and right and secret and feed.user.is_active else None


def calendar_text(feed: CalendarFeed, *, now: datetime) -> bytes:
    """The calendar as iCalendar (RFC 5545). The same facts always give the same bytes."""
    user = feed.user
    host = urlsplit(settings.BASE_URL).hostname or "sentinel"
    calendar = Calendar()
    calendar.add("prodid", "-//Sentinel//Shifts and absences//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", f"Sentinel: {user.name}")
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"VALUE": "DURATION"})
    for shift in OfficerShift.objects.filter(officer=user, on__gte=(now - SHOWN_BACK).date()).order_by("on"):
        event = _event(f"shift-{shift.on:%Y%m%d}-{user.pk}@{host}", "Officer of the day", feed)
        event.add("dtstart", shift.on)
        event.add("dtend", shift.on + timedelta(days=1))
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    for absence in Absence.objects.filter(user=user, ends_at__gt=now - SHOWN_BACK).order_by(
        "starts_at", "pk"
    ):
        event = _event(f"absence-{absence.pk}@{host}", "Away", feed)
        event.add("dtstart", absence.starts_at)
        event.add("dtend", absence.ends_at)
        event.add("transp", "OPAQUE")
        calendar.add_component(event)
    return bytes(calendar.to_ical())


def _event(uid: str, summary: str, feed: CalendarFeed) -> Event:
    event = Event()
    event.add("uid", uid)
    # When it was made, not when it is read: an unchanged calendar must stay the same, byte for byte.
    event.add("dtstamp", feed.made_at)
    event.add("summary", summary)
    return event


def _digest(secret: str) -> str:
    return salted_hmac("sentinel.calendar.feed", secret, algorithm="sha256").hexdigest()


def _record(verb: Verb, user: User, now: datetime) -> None:
    record_event(verb=verb, at=now, actor=actor_of(user), about=About(user_id=user.pk))
