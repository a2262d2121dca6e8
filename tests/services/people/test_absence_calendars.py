"""Absences out of a calendar that an office's server publishes, read again and again by the engine's pass."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.test import override_settings

from sentinel.engine.passes import read_calendars
from sentinel.people.absence_calendars import (
    absence_calendar_of,
    end_calendar,
    keep_calendar,
    read_soon,
    take_content,
    take_due,
)
from sentinel.people.errors import CalendarFileRefused
from sentinel.people.models import Absence, AbsenceCalendar, User
from sentinel.people.selectors import who_acts
from sentinel.people.services import end_absence, set_absence
from sentinel.timeline.models import Event
from tests.fakes.calendar_service import CalendarService, calendar, event
from tests.world import World

pytestmark = pytest.mark.django_db

WEEK = event("20260316", "20260321")
EASTER = event("20260403", "20260407", title="Easter")


@pytest.fixture
def office() -> Iterator[CalendarService]:
    """The office's server; addresses on this machine are allowed for it."""
    with CalendarService(calendar(WEEK, EASTER)) as service, override_settings(PRIVATE_TARGETS=True):
        yield service


def keep(world: World, office: CalendarService, *, words: str = "", deputy: User | None = None) -> None:
    keep_calendar(
        user=world.maria,
        url=office.address,
        words=words,
        deputy_id=deputy.pk if deputy else None,
        now=world.now,
    )


def read(world: World) -> AbsenceCalendar:
    """What the engine does when a calendar is due."""
    read_calendars.run(world.now)
    return AbsenceCalendar.objects.get(user=world.maria)


def later(world: World, **delta: float) -> AbsenceCalendar:
    world.clock.advance(**(delta or {"hours": 6}))
    return read(world)


def days(world: World) -> list[tuple[str, str]]:
    """The user's absences in their own days: from, and until before."""
    berlin = timedelta(hours=2)  # close enough for whole days
    rows = Absence.objects.filter(user=world.maria).order_by("starts_at")
    return [(f"{row.starts_at + berlin:%m%d}", f"{row.ends_at + berlin:%m%d}") for row in rows]


def by_hand(world: World, first: datetime, last: datetime) -> Absence:
    return set_absence(
        user_id=world.maria.pk,
        starts_at=first,
        ends_at=last,
        deputy_id=None,
        reason="Surgery",
        actor=world.maria,
        now=world.now,
    )


def test_its_events_become_absences_with_the_stand_in_that_was_named(
    world: World, office: CalendarService
) -> None:
    keep(world, office, deputy=world.tom)
    kept = read(world)
    assert days(world) == [("0316", "0321"), ("0403", "0407")]
    assert (kept.taken, kept.kept_back, kept.error, kept.read_at) == (2, 0, "", world.now)
    assert who_acts(world.maria.pk, datetime(2026, 3, 17, 9, tzinfo=UTC)) == world.tom.pk
    entered = Event.objects.filter(verb="user.absent", user_id=world.maria.pk)
    assert {row.actor_kind for row in entered} == {"engine"}


def test_reading_again_changes_nothing_and_asks_for_changes_only(
    world: World, office: CalendarService
) -> None:
    keep(world, office)
    read(world)
    before = list(Absence.objects.order_by("pk").values())
    assert later(world, hours=5).read_at == world.now - timedelta(hours=5), "not due yet"
    kept = later(world, hours=1)
    assert office.answered == [200, 304]
    assert kept.read_at == world.now
    read_soon(user=world.maria, now=world.now)
    read(world)
    assert office.answered == [200, 304, 200]
    assert list(Absence.objects.order_by("pk").values()) == before


def test_unchanged_content_is_read_as_a_whole_again_after_a_week(
    world: World, office: CalendarService
) -> None:
    keep(world, office)
    read(world)
    later(world, days=7)
    assert office.answered == [200, 200]


def test_what_moves_and_what_goes_is_followed_and_what_was_entered_by_hand_stays(
    world: World, office: CalendarService
) -> None:
    hand = by_hand(world, world.now + timedelta(days=40), world.now + timedelta(days=41))
    keep(world, office)
    read(world)
    first = Absence.objects.get(user=world.maria, starts_at__lt=datetime(2026, 3, 20, tzinfo=UTC))
    office.content = calendar(event("20260317", "20260325"))
    kept = later(world)
    assert days(world) == [("0317", "0325"), (f"{hand.starts_at:%m%d}", f"{hand.ends_at:%m%d}")]
    assert Absence.objects.get(pk=first.pk).starts_at.day == 16, "23:00 in UTC, the same absence"
    assert kept.taken == 1
    office.content = calendar()
    assert later(world).taken == 0
    assert list(Absence.objects.filter(user=world.maria)) == [hand]


def test_one_that_has_begun_ends_when_its_event_goes(world: World, office: CalendarService) -> None:
    office.content = calendar(event("20260306", "20260310"))
    keep(world, office)
    read(world)
    office.content = calendar()
    later(world)
    (absence,) = Absence.objects.filter(user=world.maria)
    assert absence.ends_at == world.now


def test_what_overlaps_one_entered_by_hand_is_left_out_and_taken_when_there_is_room(
    world: World, office: CalendarService
) -> None:
    hand = by_hand(world, datetime(2026, 3, 18, 8, tzinfo=UTC), datetime(2026, 3, 18, 12, tzinfo=UTC))
    keep(world, office)
    kept = read(world)
    assert (kept.taken, kept.kept_back) == (1, 1)
    end_absence(absence_id=hand.pk, actor=world.maria, now=world.now)
    kept = later(world)
    assert (kept.taken, kept.kept_back) == (2, 0)


@pytest.mark.parametrize("begun", [True, False])
def test_what_a_person_ended_or_took_off_does_not_come_back(
    world: World, office: CalendarService, begun: bool
) -> None:
    keep(world, office)
    read(world)
    if begun:
        world.clock.set(datetime(2026, 3, 17, 9, tzinfo=UTC))
    absence = Absence.objects.filter(user=world.maria).earliest("starts_at")
    end_absence(absence_id=absence.pk, actor=world.petra, now=world.now)
    for _ in range(2):
        read_soon(user=world.maria, now=world.now)
        assert later(world).taken == 1
    assert not Absence.objects.filter(
        user=world.maria, starts_at__lte=absence.starts_at, ends_at__gt=world.now
    ).exists()


def test_only_events_with_a_word_are_taken(world: World, office: CalendarService) -> None:
    keep(world, office, words="Easter, leave")
    read(world)
    assert days(world) == [("0403", "0407")]


def test_many_meetings_beside_the_absences_do_no_harm(world: World, office: CalendarService) -> None:
    meetings = [
        f"BEGIN:VEVENT\r\nUID:m{n}\r\nSUMMARY:Meeting\r\nDTSTART:202604{n % 28 + 1:02}T0800{n % 60:02}\r\n"
        f"DTEND:202604{n % 28 + 1:02}T090000\r\nEND:VEVENT\r\n"
        for n in range(300)
    ]
    office.content = calendar(WEEK, *meetings)
    keep(world, office)
    assert read(world).taken == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>Please sign in</html>", "no calendar"),
        (calendar(WEEK)[:-10], "only the beginning"),
        (b"", "no calendar"),
        (b"x" * (600 * 1024), "more than 512 kB"),
        (calendar(event("20260316", "20260317", lines="RRULE:FREQ=SECONDLY\r\n")), "repeats"),
    ],
)
def test_what_cannot_be_read_changes_no_absence_and_is_said(
    world: World, office: CalendarService, content: bytes, said: str
) -> None:
    keep(world, office)
    read(world)
    before = days(world)
    office.content = content
    kept = later(world)
    assert said in kept.error
    assert days(world) == before
    assert (kept.taken, kept.tried_at, kept.read_at) == (2, world.now, world.now - timedelta(hours=6))
    office.content = calendar(WEEK)
    assert later(world).error == ""
    assert days(world) == [("0316", "0321")]


@pytest.mark.parametrize(
    ("status", "said"), [(404, "there is no such calendar any more"), (403, "sign-in"), (500, "answered 500")]
)
def test_a_refusal_is_told_and_tried_later_and_later(
    world: World, office: CalendarService, status: int, said: str
) -> None:
    keep(world, office)
    read(world)
    office.status = status
    kept = later(world)
    waits = []
    for _ in range(5):
        assert said in kept.error
        waits.append(kept.next_at - world.now)
        world.clock.set(kept.next_at)
        kept = read(world)
    assert waits == [timedelta(minutes=minutes) for minutes in (30, 60, 120, 240, 360)]
    assert len(days(world)) == 2
    assert "secret" not in kept.error


def test_an_address_that_leads_inside_is_refused_and_said(world: World, office: CalendarService) -> None:
    keep(world, office)
    office.leads_to = {office.path: "https://10.0.0.1/inside"}
    with override_settings(PRIVATE_TARGETS=False):
        kept = read(world)
    assert "cannot be read" in kept.error
    assert kept.read_at is None
    assert not office.asked, "a private address is not even asked"


@pytest.mark.parametrize(
    "url",
    [
        "https://10.1.2.3/a.ics",
        "https://localhost/a.ics",
        "https://2130706433/a.ics",
        "http://example.com/a.ics",
        "https://user:pw@example.com/a.ics",
        "file:///etc/passwd",
        "calendar",
        "",
        "https://example.com:99999/a.ics",
    ],
)
def test_an_address_that_must_not_be_called_is_refused_when_it_is_entered(world: World, url: str) -> None:
    with pytest.raises(CalendarFileRefused):
        keep_calendar(user=world.maria, url=url, words="", deputy_id=None, now=world.now)
    assert absence_calendar_of(world.maria) is None


def test_the_address_rests_sealed_and_is_shown_without_its_secret(world: World) -> None:
    kept = keep_calendar(
        user=world.maria,
        url="webcal://calendar.example.com/ical/private-0123456789/basic.ics",
        words="",
        deputy_id=None,
        now=world.now,
    )
    assert kept.shown.startswith("https://calendar.example.com/")
    for text in (kept.shown, kept.sealed, str(Event.objects.filter(verb="calendar.kept").values())):
        assert "private-0123456789" not in text
    due = take_due(world.now)
    assert due is not None
    assert due.url == "https://calendar.example.com/ical/private-0123456789/basic.ics"
    assert "private" not in repr(due)


def test_two_engines_read_it_once_and_one_that_was_overtaken_changes_nothing(
    world: World, office: CalendarService
) -> None:
    keep(world, office)
    slow = take_due(world.now)
    assert slow is not None
    assert take_due(world.now) is None
    world.clock.advance(minutes=6)  # it seems to be dead
    read(world)
    old = calendar(event("20260501", "20260502"))
    assert not take_content(slow, content=old, etag="", modified="", now=world.now)
    assert days(world) == [("0316", "0321"), ("0403", "0407")]


def test_another_address_replaces_what_the_first_had_brought(world: World, office: CalendarService) -> None:
    keep(world, office)
    read(world)
    office.content = calendar(EASTER)
    keep(world, office)
    read(world)
    assert days(world) == [("0403", "0407")]


def test_what_was_taken_stays_when_it_is_read_no_more(world: World, office: CalendarService) -> None:
    keep(world, office)
    read(world)
    end_calendar(user=world.maria, now=world.now)
    assert len(days(world)) == 2
    assert not Absence.objects.filter(calendar__isnull=False).exists()
    assert take_due(world.now + timedelta(days=1)) is None


def test_of_somebody_who_left_nothing_is_read(world: World, office: CalendarService) -> None:
    keep(world, office)
    User.objects.filter(pk=world.maria.pk).update(is_active=False)
    read_calendars.run(world.now)
    assert not office.asked


def test_days_on_the_clock_change_begin_at_the_users_midnight(world: World, office: CalendarService) -> None:
    office.content = calendar(event("20260328", "20260331"))
    keep(world, office)
    read(world)
    (absence,) = Absence.objects.filter(user=world.maria)
    assert absence.starts_at == datetime(2026, 3, 27, 23, tzinfo=UTC)
    assert absence.ends_at == datetime(2026, 3, 30, 22, tzinfo=UTC)


def test_an_address_that_cannot_be_opened_any_more_is_said_and_stops_nobody_else(
    world: World, office: CalendarService
) -> None:
    keep(world, office)
    keep_calendar(
        user=world.otto, url="https://calendar.example.com/a.ics", words="", deputy_id=None, now=world.now
    )
    earlier = world.now - timedelta(minutes=1)
    AbsenceCalendar.objects.filter(user=world.otto).update(sealed="bm90IG91cnM=", next_at=earlier)
    while read_calendars.handle_one(world.now):
        pass
    assert "enter it again" in AbsenceCalendar.objects.get(user=world.otto).error
    assert len(days(world)) == 2
