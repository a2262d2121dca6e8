"""Whether somebody can be reached, and in plain words why not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sentinel.kernel.calendars import BusinessCalendar
from sentinel.people.reach_rules import (
    PersonFacts,
    Reach,
    WayFacts,
    judge_reach,
    judge_way,
    rung_sentences,
    telephone_fault,
)

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
OFFICE = BusinessCalendar.office("Europe/Berlin")
MAIL = WayFacts(name="e-mail", is_verified=True, is_enabled=True)
LOST = WayFacts(name="e-mail", is_verified=True, is_enabled=True, refused_because="550 no such user")


def maria(*ways: WayFacts, at: datetime = NOW, **facts: Any) -> Reach:
    known: dict[str, Any] = {"works": OFFICE, "may_ring": OFFICE, "telephone": "", "is_active": True} | facts
    return judge_reach(PersonFacts(user_id=1, name="Maria", ways=ways or (MAIL,), **known), now=at)


def test_with_a_way_at_work_and_undisturbed_it_is_now() -> None:
    reach = maria()
    assert (reach.is_now, reach.has_way, reach.why_not_now) == (True, True, "")


@pytest.mark.parametrize(
    ("way", "why"),
    [
        (WayFacts(name="chat", is_verified=False, is_enabled=True), "its code was never typed back"),
        (WayFacts(name="chat", is_verified=True, is_enabled=False), "switched off"),
        (
            WayFacts(name="chat", is_verified=True, is_enabled=False, off_because="410 gone"),
            "switched off (410 gone)",
        ),
        (LOST, "refused by the mail server (550 no such user)"),
    ],
)
def test_a_way_that_does_not_work_says_why(way: WayFacts, why: str) -> None:
    verdict = judge_way(way)
    assert (verdict.works, verdict.why) == (False, why)
    assert why in maria(way).why_never
    assert not maria(way).has_way
    assert maria(way, MAIL).has_way


def test_a_failed_last_message_is_a_doubt_and_no_verdict() -> None:
    verdict = judge_way(WayFacts(name="chat", is_verified=True, is_enabled=True, failed="was refused (403)"))
    assert (verdict.works, verdict.why) == (True, "the last message was refused (403)")


def test_who_is_away_is_named_with_who_stands_in() -> None:
    assert maria(away_until=NOW, stand_in="Tom").why_not_now == "Maria is away; Tom stands in."
    assert maria(away_until=NOW).why_not_now == "Maria is away; nobody stands in."


def test_not_at_work_and_quiet_hours_are_told_apart() -> None:
    night = NOW.replace(hour=20)
    assert "is not at work" in maria(at=night).why_not_now
    mornings = BusinessCalendar.office(
        "Europe/Berlin", end=OFFICE.week[0][0].start.replace(hour=10, minute=30)
    )
    quiet = maria(at=NOW.replace(hour=11), may_ring=mornings)
    assert "has quiet hours" in quiet.why_not_now
    assert quiet.opens_at == datetime(2026, 3, 9, 8, tzinfo=UTC)


def test_a_calendar_without_hours_is_never() -> None:
    empty = BusinessCalendar("Europe/Berlin", ((),) * 7)
    assert maria(works=empty, may_ring=empty).why_never == "The calendar of Maria has no working hours."
    assert not maria(is_active=False).has_way


@pytest.mark.parametrize("number", ["", "+49 30 555-010", "+380445550101", "sip:anna@pbx.example.com"])
def test_a_good_number_and_none_are_no_fault(number: str) -> None:
    assert telephone_fault(number) == ""


@pytest.mark.parametrize("number", ["030 555010", "+49", "+49 30 extension 5", "0049305555"])
def test_a_number_that_cannot_be_dialled_says_so(number: str) -> None:
    assert number in telephone_fault(number)


def test_a_rung_that_reaches_nobody_is_refused_and_one_that_loses_somebody_warns() -> None:
    assert rung_sentences(position=2, audience=[maria(LOST)], where="Lindgren") == (
        ["Rung 2 (Lindgren) would reach nobody. " + maria(LOST).why_never],
        [],
    )
    refused, warned = rung_sentences(position=2, audience=[maria(LOST), maria()])
    assert not refused
    assert warned == [f"Rung 2: {maria(LOST).why_never}"]
