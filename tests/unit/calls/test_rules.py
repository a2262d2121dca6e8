"""When a call may be placed, what counts as a try, and which numbers can be called at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sentinel.calls import messages
from sentinel.calls.errors import sentence
from sentinel.calls.messages import LONGEST_ABOUT, Ended, EndFacts, end_words, whisper
from sentinel.calls.numbers import callable_number
from sentinel.calls.rules import (
    CallState,
    EndReason,
    Leg,
    PlaceFacts,
    Provider,
    WhyNot,
    rank,
    was_tried,
    why_not,
)
from sentinel.kernel.calendars import BusinessCalendar

FRIDAY = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
OFFICE = BusinessCalendar.office("Europe/Kyiv")
GOOD = PlaceFacts(
    provider=Provider.SIP,
    is_open=True,
    may_call=True,
    worker_number="+380445550101",
    owner_number="+4930555010",
    hours=OFFICE,
    wished_at=None,
    is_talking=False,
)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, None),
        ({"is_open": False}, WhyNot.CLOSED),
        ({"may_call": False}, WhyNot.UNWANTED),
        ({"worker_number": ""}, WhyNot.NO_WORKER_NUMBER),
        ({"provider": Provider.TEL}, WhyNot.NO_PROVIDER),
        ({"owner_number": ""}, WhyNot.NO_OWNER_NUMBER),
        ({"is_talking": True}, WhyNot.TALKING),
        ({"away_until": FRIDAY + timedelta(days=3)}, WhyNot.OUTSIDE_HOURS),
        ({"away_until": FRIDAY}, None),
        ({"away_until": FRIDAY + timedelta(days=3), "wished_at": FRIDAY}, None),
    ],
)
def test_what_stands_against_a_call(changes: dict[str, object], why: WhyNot | None) -> None:
    assert why_not(replace(GOOD, **changes), now=FRIDAY) is why  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("minutes", "may"), [(-31, False), (-30, True), (0, True), (30, True), (31, False), (600, False)]
)
def test_a_wished_time_is_kept_within_half_an_hour(minutes: int, may: bool) -> None:
    night = FRIDAY.replace(hour=20)
    facts = replace(GOOD, wished_at=night + timedelta(minutes=minutes))
    assert (why_not(facts, now=night) is None) is may


def test_an_exchange_rings_nobody_at_night_or_on_a_holiday() -> None:
    assert why_not(GOOD, now=FRIDAY + timedelta(days=1)) is WhyNot.OUTSIDE_HOURS
    holiday = BusinessCalendar.office("Europe/Kyiv", holidays=frozenset({FRIDAY.date()}))
    assert why_not(replace(GOOD, hours=holiday), now=FRIDAY) is WhyNot.OUTSIDE_HOURS


def test_every_refusal_has_a_sentence_for_people() -> None:
    assert len({sentence(why) for why in WhyNot}) == len(WhyNot)


def test_states_have_an_order() -> None:
    assert [rank(state) for state in CallState] == list(range(len(CallState)))


def test_only_the_workers_telephone_makes_a_try() -> None:
    tried = {(reason, leg) for reason in EndReason for leg in (None, *Leg) if was_tried(reason, leg)}
    assert {leg for _, leg in tried} == {Leg.WORKER}
    assert {reason for reason, _ in tried} == set(EndReason) - {
        EndReason.COMPLETED,
        EndReason.CANCELLED,
        EndReason.FAILED,
        EndReason.LOST,
        EndReason.UNHEARD,
    }


HOSTS = frozenset({"pbx.example", "2001:db8::1"})


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("+49 30 555-010", "", "+4930555010"),
        ("030 555010", "DE", "+4930555010"),
        ("030 555010", "", ""),
        ("tomorrow", "DE", ""),
        ("", "DE", ""),
        ("sip:olena@pbx.example", "", "sip:olena@pbx.example"),
        ("SIP:olena@PBX.example:5062;transport=tcp", "", "SIP:olena@PBX.example:5062;transport=tcp"),
        ("sip:olena@[2001:db8::1]", "", "sip:olena@[2001:db8::1]"),
        ("sip:olena@elsewhere.example", "", ""),
        ("sip:olena@pbx.example@elsewhere.example", "", ""),
        ("sip:olena@elsewhere.example;x=@pbx.example", "", ""),
        ("sip:ole na@pbx.example", "", ""),
        ("sip:pbx.example", "", ""),
        ("sip:olena@pbx.example\r\nX: y", "", ""),
    ],
)
def test_which_numbers_can_be_called(text: str, country: str, number: str) -> None:
    assert callable_number(text, country=country, sip_hosts=HOSTS) == number


def test_without_an_exchange_no_address_can_be_called() -> None:
    assert callable_number("sip:olena@pbx.example") == ""


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "ja", "de-CH", "nl"])
def test_a_caller_hears_and_reads_their_own_language(language: str) -> None:
    said = whisper(language=language, worker="Olena", site="Kyiv", words="The lift\nis  stuck " * 20)
    assert "Olena" in said
    assert "Kyiv" in said
    assert "\n" not in said
    assert len(said) < LONGEST_ABOUT + 60
    assert whisper(language=language, worker="Olena", site="Kyiv", words=" ").count("Olena") == 1
    for ended in set(Ended) - {Ended.REFUSED}:
        for reason in EndReason:
            facts = EndFacts(
                ended=ended, reason=reason, language=language, worker="Olena", number="+380445550101"
            )
            title, text = end_words(facts)
            assert "Olena" in title
            assert "{" not in title + text
            assert ("+380445550101" in text) is (ended in (Ended.NOTHING, Ended.LOST))
    english = end_words(replace(facts, language="en"))
    assert (end_words(facts) == english) is (language in ("en", "nl"))
    good, bad = (
        messages.test_words(language, reason=r, detail="x") for r in (EndReason.COMPLETED, EndReason.BUSY)
    )
    assert good != bad


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "ja"])
@pytest.mark.parametrize("why", [WhyNot.CLOSED, WhyNot.UNWANTED, WhyNot.OUTSIDE_HOURS])
def test_who_may_not_call_any_more_is_told_why_and_not_to_dial(language: str, why: WhyNot) -> None:
    facts = EndFacts(
        ended=Ended.REFUSED,
        reason=EndReason.CANCELLED,
        language=language,
        worker="Olena",
        number="+380445550101",
        why=why,
    )
    title, text = end_words(facts)
    assert "Olena" in title
    assert "+380445550101" not in text
    assert text != end_words(replace(facts, why=None))[1]


def test_a_whisper_holds_nothing_that_a_voice_service_could_not_read() -> None:
    said = whisper(language="en", worker="O\x01lena", site="Kyiv\r\n", words='a\x1b[2J\ufffe <b>&" lift')
    assert said == 'Call with O lena, Kyiv. About: a [2J <b>&" lift'
