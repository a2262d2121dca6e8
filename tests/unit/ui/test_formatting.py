from datetime import UTC, datetime, timedelta

import pytest

from sentinel.ui.formatting import (
    Units,
    count_down,
    duration_text,
    initials,
    shows_date,
    telephone_text,
    zone_city,
)
from sentinel.ui.mail import public_number, tel_url

NOW = datetime(2026, 6, 12, 13, 50, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, ""),
        (59, ""),
        (60, "1 min"),
        (3599, "59 min"),
        (3600, "1 h 00"),
        (3 * 3600 + 5 * 60 + 59, "3 h 05"),
        (86399, "23 h 59"),
        (86400, "1 d"),
        (2 * 86400 + 4 * 3600, "2 d 4 h"),
        (-720, "12 min"),
    ],
)
def test_it_writes_a_duration_as_one_reads_it_at_a_glance(seconds: int, text: str) -> None:
    assert duration_text(seconds) == text


def test_it_writes_the_units_it_is_given() -> None:
    assert duration_text(2 * 86400 + 3600, Units("Min.", "Std.", "T")) == "2 T 1 Std."


@pytest.mark.parametrize(
    ("minutes", "tone"), [(31, "ok"), (30, "soon"), (0, "soon"), (-1, "late"), (-5000, "late")]
)
def test_it_turns_from_ok_through_soon_to_late(minutes: int, tone: str) -> None:
    assert count_down(NOW + timedelta(minutes=minutes), NOW).tone == tone


def test_half_a_second_past_the_due_time_is_late() -> None:
    late = count_down(NOW - timedelta(milliseconds=500), NOW)
    assert late.is_late
    assert late.text == ""


def test_the_caller_decides_what_soon_means() -> None:
    assert count_down(NOW + timedelta(hours=3), NOW, soon_minutes=240).tone == "soon"


def test_two_zones_do_not_disturb_a_countdown() -> None:
    kathmandu = datetime.fromisoformat("2026-06-12T19:47:00+05:45")
    assert count_down(kathmandu, NOW).text == "12 min"


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Marta Oliveira", "MO"),
        ("Anna-Lena Maria Groß", "AG"),
        ("山田太郎", "山"),
        ("佐藤 花子", "佐花"),
        ("élodie", "É"),
        ("  ", "?"),
        ("(none)", "?"),
    ],
)
def test_it_finds_the_initials_of_names_from_everywhere(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_it_names_a_zone_by_its_city() -> None:
    assert zone_city("America/Argentina/Buenos_Aires") == "Buenos Aires"
    assert zone_city("UTC") == "UTC"


def test_a_weekday_is_enough_within_six_days_only() -> None:
    assert not shows_date(NOW + timedelta(days=6), NOW)
    assert shows_date(NOW + timedelta(days=7), NOW)
    assert shows_date(NOW - timedelta(days=7), NOW)
    assert not shows_date(NOW + timedelta(days=300), None)


def test_numbers_are_written_as_people_read_them_aloud() -> None:
    assert telephone_text("+380445550101") == "+380 44 555 0101"
    assert telephone_text("ask reception") == "ask reception"


def test_an_address_on_our_own_exchange_is_no_number_for_the_world() -> None:
    assert (public_number("sip:anna@192.0.2.1:5062"), tel_url("sip:anna@192.0.2.1:5062")) == ("", "")
    assert (public_number("+49301234567"), tel_url("+49 30 1234567")) == ("+49301234567", "tel:+49301234567")
