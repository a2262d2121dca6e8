"""An exchange that does not answer: callers read it before they press, whoever runs Sentinel on Health."""

from __future__ import annotations

from typing import Any

import pytest

from sentinel.calls.exchanges import note_exchange
from sentinel.calls.rules import CallState
from tests.fakes.telephone import FakeTelephone
from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage
from tests.web.console.test_calls import brief, exchange, press


@pytest.fixture
def telephone(stage: Stage, settings: Any) -> FakeTelephone:
    return exchange(stage, settings)


def says(stage: Stage, *, answers: bool) -> None:
    detail = "200 OK" if answers else "408 no response"
    note_exchange(
        provider="sip",
        host="engine-1",
        peer="pbx.example:5060",
        answers=answers,
        detail=detail,
        milliseconds=12,
        now=stage.world.now,
    )


def test_a_caller_is_told_before_they_press_and_may_press_all_the_same(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    owner = as_user(stage.world.maria)
    says(stage, answers=False)
    page = owner.get(brief(stage)).content.decode()
    assert "The exchange has not answered since" in page
    assert "Use your own telephone" in page
    assert page.count('href="tel:+380445550101"') == 1
    assert page.index("Dial yourself") < page.index("Try all the same")
    says(stage, answers=True)
    page = owner.get(brief(stage)).content.decode()
    assert "has not answered" not in page
    assert page.index("Call now") < page.index("Dial yourself")
    says(stage, answers=False)
    press(stage, owner, telephone)
    telephone.comes_to(CallState.OWNER_RINGS, at=stage.world.now)
    page = owner.get(brief(stage)).content.decode()
    assert "has not answered" not in page, "it rings, whatever was said before"


def test_health_says_who_places_calls_and_whether_they_answer(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone, settings: Any
) -> None:
    ada = as_user(stage.world.ada)
    assert "Calls: pbx" not in ada.get("/health/").content.decode()
    says(stage, answers=True)
    page = ada.get("/health/").content.decode()
    assert "Calls: pbx.example:5060, asked from engine-1" in page
    assert "after 12 ms" in page
    says(stage, answers=False)
    page = ada.get("/health/").content.decode()
    assert "no answer since" in page
    assert "408 no response" in page
