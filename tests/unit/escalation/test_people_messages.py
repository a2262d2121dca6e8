"""What is said about people who cannot be reached: the screens' words in English, and four more languages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.conf import settings

from sentinel.escalation.people_messages import (
    Missed,
    Undelivered,
    out_of_reach_words,
    passed_on_words,
    why_missed,
)
from sentinel.kernel.calendars import BusinessCalendar
from sentinel.people.reach_rules import PersonFacts, Reach, WayFacts, judge_reach

OFFICE = BusinessCalendar.office("Europe/Berlin")
LOST = WayFacts(name="e-mail", is_verified=True, is_enabled=True, refused_because="550 no such user")
OTHERS = [code for code, _name in settings.LANGUAGES if code != "en"]


def maria(*ways: WayFacts, **facts: Any) -> Reach:
    known: dict[str, Any] = {"works": OFFICE, "may_ring": OFFICE, "telephone": "", "is_active": True} | facts
    now = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
    return judge_reach(PersonFacts(user_id=1, name="Maria", ways=ways, **known), now=now)


EVERY = [
    maria(LOST),
    maria(LOST, WayFacts(name="chat", is_verified=False, is_enabled=True)),
    maria(WayFacts(name="push", is_verified=True, is_enabled=False)),
    maria(WayFacts(name="My mobile", is_verified=True, is_enabled=False, off_because="410 gone")),
    maria(may_ring=BusinessCalendar("Europe/Berlin", ((),) * 7)),
    maria(is_active=False),
]


@pytest.mark.parametrize("reach", EVERY)
def test_in_english_it_is_what_the_screens_say(reach: Reach) -> None:
    assert why_missed(Missed(reach=reach), "en") == reach.why_never


@pytest.mark.parametrize("reach", EVERY)
@pytest.mark.parametrize("language", OTHERS)
def test_every_reason_is_said_in_every_language(reach: Reach, language: str) -> None:
    said = why_missed(Missed(reach=reach), language)
    assert said != reach.why_never
    assert "Maria" in said
    assert "%(" not in said


@pytest.mark.parametrize("language", OTHERS)
def test_what_a_service_said_and_what_people_called_their_way_stays_as_it_is(language: str) -> None:
    said = why_missed(Missed(reach=EVERY[3]), language)
    assert "My mobile" in said
    assert "(410 gone)" in said


@pytest.mark.parametrize("by_mail", [True, False])
@pytest.mark.parametrize("language", OTHERS)
def test_a_failed_delivery_names_the_address_and_the_reason(by_mail: bool, language: str) -> None:
    failed = Undelivered(by_mail=by_mail, address="m@example.com", reason="550 nobody")
    missed = Missed(reach=EVERY[0], failed=failed)
    title, text = out_of_reach_words(missed, instead="Petra", language=language)
    for said in (passed_on_words(missed, language), text):
        assert "m@example.com" in said
        assert "550 nobody" in said
    assert "Petra" in text
    assert "Maria" in title
    assert "failed" not in text
