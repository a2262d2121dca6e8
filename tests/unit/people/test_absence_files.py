"""Absences out of a stranger's calendar file: time zones right, everything bounded."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sentinel.people.absence_files import (
    MOST_BYTES,
    MOST_EVENTS,
    MOST_FOUND,
    FoundAbsence,
    joined,
    read_absences,
)
from sentinel.people.errors import CalendarFileRefused

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
BERLIN_RULES = """BEGIN:VTIMEZONE
TZID:Amt Berlin
BEGIN:DAYLIGHT
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""


def file(*events: str, zone: str = "") -> bytes:
    """A calendar of these events, each given as the lines between BEGIN and END."""
    body = "".join(f"BEGIN:VEVENT\nUID:u{n}\n{lines}\nEND:VEVENT\n" for n, lines in enumerate(events))
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//t//t//EN\n{zone}{body}END:VCALENDAR\n"
    return text.replace("\n", "\r\n").encode()


def read(*events: str, zone: str = "", own: str = "Europe/Berlin") -> list[FoundAbsence]:
    return read_absences(file(*events, zone=zone), zone=own, now=NOW)


def test_whole_days_are_the_users_own_and_end_before_the_named_day() -> None:
    (found,) = read("DTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260330\nSUMMARY:Away")
    # Over the night in which Berlin's clocks go forward: 47 hours.
    assert found.starts_at == datetime(2026, 3, 27, 23, tzinfo=UTC)
    assert found.ends_at - found.starts_at == timedelta(hours=47)
    assert (found.title, found.is_likely) == ("Away", True)


def test_times_are_read_in_the_zone_that_the_file_describes() -> None:
    (found,) = read(
        "DTSTART;TZID=Amt Berlin:20260330T080000\nDTEND;TZID=Amt Berlin:20260330T160000",
        zone=BERLIN_RULES,
        own="Asia/Tokyo",
    )
    assert found.starts_at == datetime(2026, 3, 30, 6, tzinfo=UTC)


def test_times_without_a_zone_are_the_users_own() -> None:
    (found,) = read("DTSTART:20260330T080000\nDTEND:20260330T160000", own="Asia/Tokyo")
    assert found.starts_at == datetime(2026, 3, 29, 23, tzinfo=UTC)


def test_a_rule_is_unfolded_at_the_same_wall_time_through_the_clock_change() -> None:
    found = read(
        "DTSTART;TZID=Europe/Berlin:20260327T080000\nDTEND;TZID=Europe/Berlin:20260327T170000\n"
        "RRULE:FREQ=WEEKLY;COUNT=2"
    )
    assert [one.starts_at.hour for one in found] == [7, 6]


def test_an_exception_to_a_rule_counts() -> None:
    found = read(
        "DTSTART;VALUE=DATE:20260309\nRRULE:FREQ=WEEKLY;COUNT=3\nEXDATE;VALUE=DATE:20260316",
    )
    assert [one.starts_at.day for one in found] == [8, 22]  # midnight in Berlin is 23:00 in UTC


def test_what_is_over_cancelled_or_without_length_is_left_out() -> None:
    assert not read(
        "DTSTART:20260301T080000Z\nDTEND:20260302T080000Z",
        "DTSTART:20260401T080000Z\nDTEND:20260402T080000Z\nSTATUS:CANCELLED",
        "DTSTART:20260401T080000Z",
    )


def test_a_meeting_and_a_free_day_are_not_likely_absences_but_out_of_office_is() -> None:
    found = read(
        "DTSTART:20260401T080000Z\nDTEND:20260401T090000Z",
        "DTSTART;VALUE=DATE:20260402\nTRANSP:TRANSPARENT",
        "DTSTART:20260403T080000Z\nDTEND:20260403T090000Z\nX-MICROSOFT-CDO-BUSYSTATUS:OOF",
    )
    assert [one.is_likely for one in found] == [False, False, True]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\xff\xfe",
        b"BEGIN:VCALENDAR\r\n",
        b"BEGIN:VEVENT\r\nEND:VEVENT\r\n",
        b"<html></html>",
        b"x" * (MOST_BYTES + 1),
    ],
)
def test_what_is_no_calendar_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(CalendarFileRefused):
        read_absences(content, zone="UTC", now=NOW)


@pytest.mark.parametrize(
    "rule",
    [
        "RRULE:FREQ=SECONDLY",
        "RRULE:FREQ=HOURLY",
        "RRULE:FREQ=DAILY;BYHOUR=1,2,3;BYMINUTE=1,2",
        "RRULE:FREQ=DAILY;BYSECOND=0,1",
        "RRULE:FREQ=DAILY;INTERVAL=0",
        "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "RRULE:FREQ=DAILY;INTERVAL=7;BYDAY=TU",
        "RRULE:FREQ=MONTHLY;BYDAY=MO;BYSETPOS=300",
        "RRULE:FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=20",
        "EXRULE:FREQ=DAILY;INTERVAL=0",
    ],
)
def test_a_rule_without_measure_is_refused_before_it_is_unfolded(rule: str) -> None:
    with pytest.raises(CalendarFileRefused):
        read(f"DTSTART:20260401T080000Z\nDTEND:20260401T090000Z\n{rule}")


@pytest.mark.parametrize(
    ("rule", "times"),
    [
        ("RRULE:FREQ=WEEKLY;BYDAY=FR;COUNT=3", 3),
        ("RRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20260731T000000Z", 4),
        ("RRULE:FREQ=YEARLY", 2),
        ("RRULE:FREQ=MONTHLY;BYMONTHDAY=15;COUNT=2", 3),  # its first day counts, whatever the rule says
    ],
)
def test_the_rules_that_people_use_are_unfolded(rule: str, times: int) -> None:
    assert len(read(f"DTSTART:20260403T060000Z\nDTEND:20260403T160000Z\n{rule}")) == times


def test_a_zone_that_is_described_without_measure_is_refused() -> None:
    for rule in ("FREQ=SECONDLY", "FREQ=YEARLY;INTERVAL=0"):
        hostile = BERLIN_RULES.replace("FREQ=YEARLY", rule, 1)
        with pytest.raises(CalendarFileRefused):
            read("DTSTART;TZID=Amt Berlin:20260330T080000", zone=hostile)


def test_a_zone_of_one_file_means_nothing_to_the_next() -> None:
    event = "DTSTART;TZID=Amt Berlin:20260330T080000\nDTEND;TZID=Amt Berlin:20260330T160000"
    other = BERLIN_RULES.replace("+0200", "+0900").replace("+0100", "+0800")
    assert read(event, zone=other)[0].starts_at != read(event, zone=BERLIN_RULES)[0].starts_at


def test_times_beyond_the_end_of_time_are_refused_in_words() -> None:
    with pytest.raises(CalendarFileRefused):
        read("DTSTART:99991231T235959Z\nDURATION:P1D")


def test_a_rule_from_a_distant_past_is_refused() -> None:
    with pytest.raises(CalendarFileRefused):
        read("DTSTART:00010101T080000Z\nDTEND:00010101T090000Z\nRRULE:FREQ=DAILY")


def test_too_many_events_are_refused_however_they_come() -> None:
    one = "DTSTART:20260401T080000Z\nDTEND:20260401T090000Z"
    with pytest.raises(CalendarFileRefused):
        read(*[one] * (MOST_EVENTS + 1))
    with pytest.raises(CalendarFileRefused):
        read(f"{one}\nRRULE:FREQ=DAILY;COUNT={MOST_FOUND + 1}")


def test_what_overlaps_or_touches_is_one_time_away() -> None:
    day = timedelta(days=1)

    def at(first: int, last: int, title: str) -> FoundAbsence:
        return FoundAbsence(
            starts_at=NOW + first * day, ends_at=NOW + last * day, title=title, is_likely=True
        )

    assert joined([at(5, 6, "c"), at(1, 2, "a"), at(2, 3, "b")]) == [at(1, 3, "a, b"), at(5, 6, "c")]
