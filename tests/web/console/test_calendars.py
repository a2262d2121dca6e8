"""A user's calendar at a secret address, and absences out of a calendar file."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from icalendar import Calendar

from sentinel.engine.passes import read_calendars
from sentinel.kernel import clock
from sentinel.people.models import Absence, AbsenceCalendar, CalendarFeed, OfficerShift, User
from sentinel.people.services import set_absence
from tests.fakes.calendar_service import CalendarService
from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage

FILE = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n"
    "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Family <script>\r\n"
    "DTSTART;VALUE=DATE:20260420\r\nDTEND;VALUE=DATE:20260425\r\nEND:VEVENT\r\n"
    "BEGIN:VEVENT\r\nUID:2\r\nSUMMARY:Dentist\r\n"
    "DTSTART:20260402T080000\r\nDTEND:20260402T090000\r\nEND:VEVENT\r\n"
    "END:VCALENDAR\r\n"
)


def made(client: Client) -> str:
    """The path of a fresh calendar address, as the page shows it once."""
    page = client.post("/profile/hours/feed/make/").content.decode()
    found = re.search(r"<code[^>]*>(\S+?)</code>", page)
    assert found
    return urlsplit(found[1]).path


def upload(client: Client, content: str = FILE) -> str:
    file = SimpleUploadedFile("away.ics", content.encode(), content_type="text/calendar")
    return client.post("/profile/hours/file/", {"file-file": file}).content.decode()


def sealed(page: str) -> str:
    found = re.search(r'name="found" value="([^"]+)"', page)
    assert found
    return found[1]


# -- out --------------------------------------------------------------------------------------------


def test_a_calendar_program_reads_shifts_and_absences_and_no_customer(
    stage: Stage, as_user: SignedIn
) -> None:
    world = stage.world
    set_absence(
        user_id=world.ines.pk,
        starts_at=stage.at + timedelta(days=20),
        ends_at=stage.at + timedelta(days=25),
        deputy_id=world.henrik.pk,
        reason="Surgery",
        actor=world.ines,
        now=stage.at,
    )
    world.ines.shifts.filter(on=stage.at.date()).update(hand_over_note=f"Call {world.olena.name}")
    answer = Client().get(made(as_user(world.ines)))
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    text = answer.content.decode()
    assert not [w for w in ("Surgery", "Henrik", world.olena.name, "Lindgren", "Watch") if w in text]
    calendar = Calendar.from_ical(answer.content)
    assert isinstance(calendar, Calendar)
    assert calendar.errors == []
    events: list[Any] = calendar.walk("VEVENT")
    assert all({"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY"} <= set(event) for event in events)
    assert len({event["UID"] for event in events}) == len(events)
    days = [event["DTSTART"].dt for event in events if event["SUMMARY"] == "Officer of the day"]
    assert stage.at.date() in days
    assert all(type(day) is date for day in days)
    (away,) = [event for event in events if event["SUMMARY"] == "Away"]
    assert away["DTSTART"].dt == stage.at + timedelta(days=20)


def test_a_colleagues_days_stand_in_nobody_elses_calendar(stage: Stage, as_user: SignedIn) -> None:
    text = Client().get(made(as_user(stage.world.maria))).content.decode()
    assert "VEVENT" not in text


def test_an_unchanged_calendar_is_not_sent_again(stage: Stage, as_user: SignedIn) -> None:
    path = made(as_user(stage.world.ines))
    first = Client().get(path)
    again = Client().get(path, headers={"if-none-match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    stage.world.ines.shifts.filter(on=stage.at.date() + timedelta(days=3)).delete()
    changed = Client().get(path, headers={"if-none-match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_the_address_is_void_when_it_is_renewed_ended_wrong_or_of_somebody_who_left(
    stage: Stage, as_user: SignedIn
) -> None:
    client = as_user(stage.world.ines)
    first = made(client)
    second = made(client)
    assert first != second
    assert [Client().get(path).status_code for path in (first, second)] == [404, 200]
    number, secret = second.split("/")[2:4]
    assert Client().get(f"/calendar/{int(number) + 1}/{secret}/sentinel.ics").status_code == 404
    assert Client().get(f"/calendar/{number}/{secret[:-1]}x/sentinel.ics").status_code == 404
    User.objects.filter(pk=stage.world.ines.pk).update(is_active=False)
    assert Client().get(second).status_code == 404
    User.objects.filter(pk=stage.world.ines.pk).update(is_active=True)
    client.post("/profile/hours/feed/end/")
    assert Client().get(second).status_code == 404


def test_the_secret_is_not_kept_and_not_shown_again(stage: Stage, as_user: SignedIn) -> None:
    client = as_user(stage.world.ines)
    secret = made(client).split("/")[3]
    feed = CalendarFeed.objects.get(user=stage.world.ines)
    assert secret not in (feed.digest, "")
    assert secret not in client.get("/profile/hours/").content.decode()


@pytest.mark.parametrize("method", ["get", "head"])
def test_reading_a_calendar_writes_nothing(stage: Stage, as_user: SignedIn, method: str) -> None:
    path = made(as_user(stage.world.ines))
    with CaptureQueriesContext(connection) as seen:
        assert getattr(Client(), method)(path).status_code == 200
    assert all(query["sql"].startswith("SELECT") for query in seen)
    assert Client().post(path).status_code == 405


# -- in ---------------------------------------------------------------------------------------------


def test_a_file_is_shown_first_and_only_what_is_ticked_becomes_an_absence(
    stage: Stage, as_user: SignedIn
) -> None:
    client = as_user(stage.world.maria)
    page = upload(client)
    assert "Family &lt;script&gt;" in page
    assert not Absence.objects.filter(user=stage.world.maria).exists()
    # The week away is ticked, the dentist is not.
    assert len(re.findall(r"<input[^>]*\bchecked\b", page)) == 1
    typed = {"found": sealed(page), "take": ["1"], "deputy": str(stage.world.tom.pk)}
    assert client.post("/profile/hours/file/enter/", typed).status_code == 303
    absence = Absence.objects.get(user=stage.world.maria)
    # Midnight in Berlin, where clocks have gone forward in between.
    assert absence.starts_at.isoformat() == "2026-04-19T22:00:00+00:00"
    assert (absence.deputy, absence.reason) == (stage.world.tom, "From a calendar file")


def test_what_overlaps_an_absence_is_not_entered_and_says_so(stage: Stage, as_user: SignedIn) -> None:
    client = as_user(stage.world.maria)
    page = upload(client)
    typed = {"found": sealed(page), "take": ["0", "1"]}
    assert client.post("/profile/hours/file/enter/", typed).status_code == 303
    answer = client.post("/profile/hours/file/enter/", typed)
    assert answer.status_code == 422
    assert "already away" in answer.content.decode()
    assert Absence.objects.filter(user=stage.world.maria).count() == 2


def test_nobody_enters_what_was_shown_to_somebody_else_or_made_up(stage: Stage, as_user: SignedIn) -> None:
    preview = sealed(upload(as_user(stage.world.maria)))
    for found in (preview, preview[:-2] + "xx", ""):
        answer = as_user(stage.world.otto).post("/profile/hours/file/enter/", {"found": found, "take": ["0"]})
        assert answer.status_code == 422
    assert not Absence.objects.filter(user__in=(stage.world.otto, stage.world.maria)).exists()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("no calendar", "no calendar file"),
        ("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n", "nothing ahead"),
        ("BEGIN:VCALENDAR\r\n" + "X-A:" + "b" * 600_000, "At most 512 kB"),
    ],
)
def test_a_file_that_is_no_calendar_is_refused_in_words(
    stage: Stage, as_user: SignedIn, content: str, said: str
) -> None:
    assert said in upload(as_user(stage.world.maria), content)


# -- days on which one is officer -------------------------------------------------------------------


def test_the_preview_names_the_days_on_which_one_is_officer_and_leads_to_the_swap(
    stage: Stage, as_user: SignedIn
) -> None:
    client = as_user(stage.world.ines)
    page = upload(client)
    assert "You are officer of the day on 6 of these days" in page
    assert "Mon 20 Apr, Tue 21 Apr, Wed 22 Apr, Thu 23 Apr, Fri 24 Apr" in page, "beside the event itself"
    assert "officer of the day on Thu 2 Apr" in page
    link = re.search(r'href="(/rota/\?give=2026-04-20#give)"', page)
    assert link
    rota = client.get(link[1]).content.decode()
    assert 'id="give"' in rota
    chosen = re.search(r'<option value="(\d+)" selected>', rota.partition('id="give"')[2])
    assert chosen
    assert OfficerShift.objects.get(pk=chosen[1]).on == date(2026, 4, 20)


def test_it_warns_nobody_of_a_day_that_is_not_theirs(stage: Stage, as_user: SignedIn) -> None:
    assert "officer of the day" not in upload(as_user(stage.world.maria))
    OfficerShift.objects.filter(officer=stage.world.ines, on__month=4).delete()
    assert "officer of the day" not in upload(as_user(stage.world.ines))


def test_what_was_entered_all_the_same_is_said_until_the_day_is_given_away(
    stage: Stage, as_user: SignedIn
) -> None:
    client = as_user(stage.world.ines)
    page = upload(client)
    answer = client.post("/profile/hours/file/enter/", {"found": sealed(page), "take": ["0"]}, follow=True)
    text = answer.content.decode()
    assert "You are still officer of the day on Thu 2 Apr: ask somebody to take it." in text
    assert "/rota/?give=2026-04-02#give" in text
    OfficerShift.objects.filter(on=date(2026, 4, 2)).update(officer=stage.world.henrik)
    assert "/rota/?give=" not in client.get("/profile/").content.decode()


def test_an_absence_entered_by_hand_says_the_same(stage: Stage, as_user: SignedIn) -> None:
    typed = {"starts_at": "2026-03-20T23:30", "ends_at": "2026-03-22T00:00"}
    text = as_user(stage.world.ines).post("/profile/absence/", typed, follow=True).content.decode()
    assert "You are still officer of the day on Fri 20 Mar, Sat 21 Mar: ask" in text
    assert "You are officer of the day on 2 of these days" in text
    text = as_user(stage.world.maria).post("/profile/absence/", typed, follow=True).content.decode()
    assert "officer of the day on" not in text


def test_whoever_enters_it_for_an_officer_is_told_to_put_somebody_else_there(
    stage: Stage, as_user: SignedIn
) -> None:
    typed = {
        "absence-user": str(stage.world.ines.pk),
        "absence-starts_at": "2026-03-20T08:00",
        "absence-ends_at": "2026-03-20T18:00",
    }
    text = as_user(stage.world.ada).post("/rota/absence/", typed, follow=True).content.decode()
    assert "Ines Moreau is still officer of the day on Fri 20 Mar: put somebody else there." in text


def test_a_day_that_is_not_ones_own_is_not_chosen(stage: Stage, as_user: SignedIn) -> None:
    client = as_user(stage.world.ines)
    for wrong in ("x", "2026-99-99", "2020-01-01", "<b>"):
        answer = client.get("/rota/", {"give": wrong})
        assert answer.status_code == 200
        choices = answer.content.decode().partition('id="give"')[2].partition("</select>")[0]
        assert re.findall(r'<option value="(\d*)" selected>', choices) == [""]


# -- a calendar by its address ----------------------------------------------------------------------


def kept_calendar(client: Client, url: str, **typed: str) -> Any:
    data = {"calendar-url": url} | {f"calendar-{name}": value for name, value in typed.items()}
    return client.post("/profile/hours/calendar/", data, follow=True)


def test_a_calendar_is_named_by_its_address_and_the_profile_says_what_became_of_it(
    stage: Stage, as_user: SignedIn
) -> None:
    client = as_user(stage.world.maria)
    with CalendarService(FILE.encode()) as office, override_settings(PRIVATE_TARGETS=True):
        page = kept_calendar(client, office.address, deputy=str(stage.world.tom.pk)).content.decode()
        assert "not yet" in page
        assert "secret" not in page.partition("Read from")[2].partition("Read it no more")[0]
        read_calendars.run(clock.now())
        page = client.get("/profile/").content.decode()
        assert "1 absence ahead" in page
        assert "From your calendar" in page
        office.status = 500
        client.post("/profile/hours/calendar/read/")
        read_calendars.run(clock.now())
    page = client.get("/profile/").content.decode()
    assert "127.0.0.1 answered 500" in page
    assert "Your absences stay as they are" in page
    assert "1 absence ahead" in page
    client.post("/profile/hours/calendar/end/")
    page = client.get("/profile/").content.decode()
    assert "Read from" not in page
    assert Absence.objects.filter(user=stage.world.maria, reason="From your calendar").count() == 1


@pytest.mark.parametrize("url", ["", "https://10.0.0.1/a.ics", "http://example.com/a.ics", "nonsense"])
def test_an_address_that_is_not_called_is_refused_at_the_form(
    stage: Stage, as_user: SignedIn, url: str
) -> None:
    answer = kept_calendar(as_user(stage.world.maria), url)
    assert answer.status_code == 422
    assert not AbsenceCalendar.objects.exists()


def test_the_calendar_of_another_is_nobody_elses(stage: Stage, as_user: SignedIn) -> None:
    kept_calendar(as_user(stage.world.maria), "https://calendar.example.com/secret-of-maria/a.ics")
    other = as_user(stage.world.otto)
    for page in ("/profile/", "/profile/hours/"):
        assert "calendar.example.com" not in other.get(page).content.decode()
    other.post("/profile/hours/calendar/end/")
    assert AbsenceCalendar.objects.filter(user=stage.world.maria).exists()
    page = as_user(stage.world.maria).get("/profile/hours/").content.decode()
    assert "calendar.example.com" in page
    assert "secret-of-maria" not in page
