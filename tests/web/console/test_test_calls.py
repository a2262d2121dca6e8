"""A test call as its user sees it: live on the profile, with a script and without."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import CallState, EndReason, Leg
from tests.fakes.telephone import FakeTelephone
from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage
from tests.web.console.test_calls import HTMX, brief, exchange, ring

LINE = "/profile/telephone/line/"


@pytest.fixture
def telephone(stage: Stage, settings: Any) -> FakeTelephone:
    return exchange(stage, settings)


def press(stage: Stage, owner: Client) -> None:
    """Maria presses "Call me as a test"."""
    pressed = owner.post("/profile/telephone/test/")
    assert (pressed.status_code, pressed["Location"]) == (303, "/profile/#telephone")


def test_a_test_call_goes_by_on_the_profile_and_only_news_is_drawn(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    owner = as_user(stage.world.maria)
    press(stage, owner)
    page = owner.get("/profile/").content.decode()
    assert "every 1s" in page
    assert "How far is it?" in page, "without a script there is a button to look again"
    ring(stage, telephone)
    seen = ""
    for state, words in (
        (None, "Your telephone rings in a moment"),
        (CallState.DIALING_OWNER, "Calling your telephone …"),
        (CallState.OWNER_RINGS, "Your telephone rings: pick up"),
        (CallState.OWNER_ANSWERED, "You picked up"),
    ):
        if state is not None:
            telephone.comes_to(state, at=stage.world.now)
        drawn = owner.get(LINE, {"tested": seen}, headers=HTMX)
        assert (drawn.status_code, words in drawn.content.decode()) == (200, True)
        assert "<html" not in drawn.content.decode()
        seen = drawn.context["test"].fingerprint
        assert owner.get(LINE, {"tested": seen}, headers=HTMX).status_code == 204
    telephone.ends(EndReason.COMPLETED, at=stage.world.now)
    drawn = owner.get(LINE, {"tested": seen}, headers=HTMX)
    assert (drawn.status_code, "Your telephone works" in drawn.content.decode()) == (286, True)
    page = owner.get("/profile/").content.decode()
    assert "Last test" in page
    assert "every 1s" not in page
    assert owner.get(LINE)["Location"] == "/profile/#telephone", "without a script"


def test_a_test_that_no_engine_takes_says_so(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    owner = as_user(stage.world.maria)
    press(stage, owner)
    seen = owner.get(LINE, headers=HTMX).context["test"].fingerprint
    stage.world.clock.advance(seconds=11)
    drawn = owner.get(LINE, {"tested": seen}, headers=HTMX)
    assert "No engine has taken the test yet" in drawn.content.decode()


def test_what_went_wrong_is_told_in_the_users_language(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    stage.world.maria.language = "de"
    stage.world.maria.save()
    owner = as_user(stage.world.maria)
    press(stage, owner)
    ring(stage, telephone)
    telephone.ends(EndReason.UNHEARD, at=stage.world.now, detail="asked")
    page = owner.get("/profile/").content.decode()
    assert 'lang="de">Der Testanruf ist fehlgeschlagen</span>' in page
    assert "SENTINEL_BASE_URL" in page
    assert "asked" not in page


def test_a_test_and_a_call_are_one_telephone(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    owner = as_user(stage.world.maria)
    press(stage, owner)
    page = owner.get(brief(stage)).content.decode()
    assert 'Your <a href="/profile/#telephone">test call</a> goes on' in page
    assert owner.post(brief(stage, "place/")).status_code == 422
    assert "Sentinel connects you" not in owner.get("/today/").content.decode()
    ring(stage, telephone)
    telephone.ends(EndReason.NO_ANSWER, at=stage.world.now, leg=Leg.OWNER)
    assert owner.post(brief(stage, "place/")).status_code == 303
    stage.world.clock.advance(seconds=30)
    assert owner.post("/profile/telephone/test/").status_code == 422, "they are on the telephone"
    assert PlacedCall.objects.filter(ended_at=None).count() == 1
