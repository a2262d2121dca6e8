"""Calls that Sentinel places, as the console shows them: from the press to the outcome."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import CallEvent, CallState, EndReason, Leg
from sentinel.channels import registry
from sentinel.channels.voice.sender import VoiceSender
from sentinel.config.telephone import CallsBy
from sentinel.engine.passes.dispatch import dispatch_channel
from sentinel.people.models import User
from sentinel.problems.models import Problem
from sentinel.web.reads.conversations import clock_text
from sentinel.web.reads.line import Line, line_of
from sentinel.web.reads.problem import duty_of, path_of, story_of
from sentinel.workflows.follow_call import follow_event
from tests.fakes.telephone import FakeTelephone
from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage

HTMX = {"HX-Request": "true"}


def exchange(stage: Stage, settings: Any) -> FakeTelephone:
    """Calls go through an exchange in this process from here on."""
    settings.CALLS_BY = CallsBy(provider="sip", host="pbx.example")

    def follow(event: CallEvent) -> None:
        follow_event(provider="sip", event=event, now=stage.world.now)

    return FakeTelephone(follow)


def ring(stage: Stage, telephone: FakeTelephone) -> None:
    """The engine hands what is wanted to the exchange."""
    with registry.using({"voice": VoiceSender(telephone, caller_id="+4930555000")}):
        dispatch_channel(channel="voice", clock=lambda: stage.world.now)


@pytest.fixture
def telephone(stage: Stage, settings: Any) -> FakeTelephone:
    return exchange(stage, settings)


def brief(stage: Stage, tail: str = "") -> str:
    return f"/problems/{stage.reported.pk}/call/{tail}"


def press(stage: Stage, owner: Client, telephone: FakeTelephone) -> PlacedCall:
    """Maria presses "Call now", and the engine places the call."""
    assert owner.post(brief(stage, "place/")).status_code == 303
    ring(stage, telephone)
    return PlacedCall.objects.get(problem=stage.reported)


def seen_by(stage: Stage, user: User) -> Line:
    problem = Problem.objects.select_related("worker").get(pk=stage.reported.pk)
    return line_of(problem, user=user, duty=duty_of(problem), now=stage.world.now)


def test_the_state_of_a_call_goes_by_and_only_news_is_drawn_again(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    owner = as_user(stage.world.maria)
    before = owner.get(brief(stage)).content.decode()
    assert "Call now" in before
    assert "Dial yourself" in before
    assert "every 1s" not in before
    press(stage, owner, telephone)
    seen = ""
    for state, words in (
        (None, "Your telephone rings in a moment"),
        (CallState.DIALING_OWNER, "Calling your telephone …"),
        (CallState.OWNER_RINGS, "Your telephone rings: pick up"),
        (CallState.OWNER_ANSWERED, "You picked up; Olena Kovalenko is called next"),
        (CallState.DIALING_WORKER, "Calling Olena Kovalenko …"),
        (CallState.WORKER_RINGS, "Olena Kovalenko’s telephone rings"),
    ):
        if state is not None:
            telephone.comes_to(state, at=stage.world.now)
        drawn = owner.get(brief(stage, "line/"), {"seen": seen}, headers=HTMX)
        assert drawn.status_code == 200
        assert words in drawn.content.decode()
        assert "<html" not in drawn.content.decode()
        seen = drawn.context["line"].fingerprint
        assert owner.get(brief(stage, "line/"), {"seen": seen}, headers=HTMX).status_code == 204
        # While it rings there is nothing to log yet.
        assert 'value="reached"' not in drawn.content.decode()
    page = owner.get(brief(stage)).content.decode()
    assert "every 1s" in page
    assert "How far is it?" in page, "without a script there is a button to look again"


def test_while_two_people_talk_only_the_clock_runs(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    owner = as_user(stage.world.maria)
    press(stage, owner, telephone)
    telephone.comes_to(CallState.BRIDGED, at=stage.world.now)
    drawn = owner.get(brief(stage, "line/"), headers=HTMX)
    assert "You are connected with Olena Kovalenko" in drawn.content.decode()
    assert 'value="reached"' in drawn.content.decode(), "who talks may say already how it goes"
    stage.world.clock.advance(seconds=134)
    clock = owner.get(brief(stage, "line/"), {"seen": drawn.context["line"].fingerprint}, headers=HTMX)
    assert clock["HX-Reswap"] == "none"
    assert clock.content.decode().strip().endswith(">2:14</span>")
    assert 'hx-swap-oob="true"' in clock.content.decode()


def test_who_talked_is_asked_first_of_all_until_they_say_how_it_went(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    owner = as_user(stage.world.maria)
    press(stage, owner, telephone)
    assert "Sentinel connects you with Olena Kovalenko" in owner.get("/today/").content.decode()
    telephone.comes_to(CallState.BRIDGED, at=stage.world.now)
    seen = owner.get("/today/").context["today"].fingerprint
    telephone.ends(EndReason.COMPLETED, at=stage.world.now, talked=134)
    stage.world.clock.advance(minutes=3)

    assert owner.get("/today/", {"seen": seen}, headers=HTMX).status_code == 200
    today = owner.get("/today/").content.decode()
    asked = today.index("You talked with Olena Kovalenko: how did it go?")
    assert asked < today.index("Call now")
    assert "3 min ago" in today[asked : asked + 400]
    drawn = owner.get(brief(stage, "line/"), headers=HTMX)
    assert drawn.status_code == 286, "nobody needs to ask any more"
    assert "You talked with Olena Kovalenko for 2:14" in drawn.content.decode()
    assert "outcomes--asked" in drawn.content.decode()
    assert "You talked with" not in as_user(stage.world.tom).get("/today/").content.decode()

    logged = owner.post(brief(stage), {"outcome": "reached"})
    assert logged["Location"].endswith("?open=promise#act-promise")
    assert "You talked with" not in owner.get("/today/").content.decode()
    assert not seen_by(stage, stage.world.maria).asks


def test_a_talk_that_broke_off_asks_how_it_went_like_any_other(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    owner = as_user(stage.world.maria)
    placed = press(stage, owner, telephone)
    telephone.comes_to(CallState.BRIDGED, at=stage.world.now)
    telephone.ends(EndReason.FAILED, at=stage.world.now, talked=20)
    assert "You talked with Olena Kovalenko" in owner.get("/today/").content.decode()
    assert owner.post(brief(stage), {"outcome": "reached"}).status_code == 303
    placed.refresh_from_db()
    assert placed.outcome is not None


@pytest.mark.parametrize(
    ("leg", "reason", "words", "note"),
    [
        (Leg.OWNER, EndReason.NO_ANSWER, "You did not pick up", "did not ring, and nothing is noted"),
        (Leg.OWNER, EndReason.BUSY, "Your telephone was busy", "nothing is noted"),
        (Leg.OWNER, EndReason.MACHINE, "Your voicemail picked up", "nothing is noted"),
        (Leg.WORKER, EndReason.BUSY, "Olena Kovalenko’s telephone was busy", "noted as no answer"),
        (Leg.WORKER, EndReason.NO_ANSWER, "Olena Kovalenko did not pick up", "noted as no answer"),
        (Leg.WORKER, EndReason.MACHINE, "Olena Kovalenko’s voicemail picked up", "noted as no answer"),
        (None, EndReason.FAILED, "The call could not be placed", "486 Busy Here. Try again"),
        (None, EndReason.LOST, "Nobody knows what became of the call", "If you talked, say how it went"),
    ],
)
def test_every_end_says_whose_telephone_it_was_and_what_follows(
    stage: Stage,
    as_user: SignedIn,
    telephone: FakeTelephone,
    leg: Leg | None,
    reason: EndReason,
    words: str,
    note: str,
) -> None:
    press(stage, as_user(stage.world.maria), telephone)
    telephone.ends(reason, at=stage.world.now, leg=leg, detail="486 Busy Here")
    line = seen_by(stage, stage.world.maria)
    assert line.headline == words
    assert note in line.note
    # What Sentinel has noted itself must not be noted twice.
    assert line.offers_outcome == (leg is not Leg.WORKER)
    assert (line.again_at is not None) == (leg is Leg.WORKER)


def test_hanging_up_is_one_press_and_keeps_what_was_typed(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    owner = as_user(stage.world.maria)
    call = press(stage, owner, telephone)
    drawn = owner.post(brief(stage, "hang-up/"), headers=HTMX)
    assert "Hanging up" in drawn.content.decode()
    assert 'name="note"' not in drawn.content.decode(), "the form stays as it is"
    call.refresh_from_db()
    assert call.hang_up_asked_at is not None
    telephone.ends(EndReason.CANCELLED, at=stage.world.now)
    assert owner.post(brief(stage, "hang-up/")).status_code == 303, "over already: nothing happens"
    assert seen_by(stage, stage.world.maria).headline == "Ended before Olena Kovalenko picked up"


def test_a_colleague_sees_who_talks_and_cannot_hang_up(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    press(stage, as_user(stage.world.maria), telephone)
    telephone.comes_to(CallState.BRIDGED, at=stage.world.now)
    manager = as_user(stage.world.petra)
    page = manager.get(brief(stage)).content.decode()
    assert "Maria Schulz talks with Olena Kovalenko" in page
    assert "Hang up" not in page
    assert manager.post(brief(stage, "hang-up/")).status_code == 403


def test_a_voice_service_that_wants_a_key_says_so_while_it_rings(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    call = press(stage, as_user(stage.world.maria), telephone)
    assert not seen_by(stage, stage.world.maria).note
    PlacedCall.objects.filter(pk=call.pk).update(provider="http_voice")
    assert "press 1" in seen_by(stage, stage.world.maria).note


def test_the_team_board_shows_calls_that_go_on_and_calls_nobody_logged(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    press(stage, as_user(stage.world.maria), telephone)
    manager = as_user(stage.world.petra)
    assert "Maria Schulz and Olena Kovalenko" in manager.get("/team/").content.decode()
    assert "going on now" in manager.get("/health/").content.decode()
    telephone.plays(EndReason.COMPLETED, at=stage.world.now)
    assert "Maria Schulz talked with Olena Kovalenko" in manager.get("/team/").content.decode()
    as_user(stage.world.maria).post(brief(stage), {"outcome": "reached"})
    assert "talked with" not in manager.get("/team/").content.decode()


def test_why_not_now_is_said_with_the_time_when_it_is_possible(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    owner = as_user(stage.world.maria)
    stage.world.clock.advance(hours=14)
    page = owner.get(brief(stage)).content.decode()
    assert "Call now" not in page
    assert "Olena Kovalenko is not at work." in page
    assert "Mon 09:00 <span" in page or "Mon 9 Mar 09:00 <span" in page
    assert 'href="tel:+380445550101"' in page, "dialling oneself stays possible"
    refused = owner.post(brief(stage, "place/"))
    assert refused.status_code == 422
    assert "not at work" in refused.content.decode()


def test_who_has_no_number_is_led_to_their_profile(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    page = as_user(stage.world.tom).get(brief(stage)).content.decode()
    assert "Sentinel does not know your telephone" in page
    assert 'href="/profile/#telephone"' in page


def test_one_call_at_a_time_and_the_other_one_is_a_press_away(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    owner = as_user(stage.world.maria)
    press(stage, owner, telephone)
    page = owner.get(f"/problems/{stage.talked.pk}/call/").content.decode()
    assert "You are on the telephone with" in page
    assert f'href="{brief(stage)}"' in page


def test_looking_writes_nothing(stage: Stage, as_user: SignedIn, telephone: FakeTelephone) -> None:
    owner = as_user(stage.world.maria)
    owner.get(brief(stage))
    owner.get(brief(stage, "line/"), headers=HTMX)
    assert owner.get(brief(stage, "place/")).status_code == 405
    assert owner.get(brief(stage, "hang-up/")).status_code == 405
    assert not PlacedCall.objects.exists()
    assert not telephone.calls


def test_a_frown_can_be_followed_to_the_talk_on_one_line_and_step_by_step(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    owner = as_user(stage.world.maria)
    press(stage, owner, telephone)
    stage.world.clock.advance(seconds=9)
    telephone.plays(EndReason.COMPLETED, at=stage.world.now, talked=134)
    owner.post(brief(stage), {"outcome": "reached", "note": "The roller"})
    problem = Problem.objects.get(pk=stage.reported.pk)

    told = [moment for moment in story_of(problem) if moment.steps]
    assert [moment.title for moment in told] == ["Call: talked for 2:14, reached"]
    assert [step.text for step in told[0].steps] == [
        "Call started by Maria Schulz",
        "Maria Schulz picked up",
        "The worker’s number was dialled",
        "Connected",
        "Ended: talked for 2:14",
        "Outcome: reached",
    ]
    assert ("Note", "The roller") in told[0].facts
    assert not [moment for moment in story_of(problem) if moment.title.startswith("Called")]
    assert [what for what, _at, _after in path_of(problem)][-1] == "connected"
    assert path_of(problem)[0][0] == "told by mail"
    page = owner.get(f"/problems/{problem.pk}/").content.decode()
    assert "From the frown to the talk" in page
    account = owner.get(f"/accounts/{stage.world.account.pk}/timeline/").content.decode()
    assert account.count("Call: talked for 2:14, reached") == 1


def test_what_was_dialled_by_hand_after_a_failed_call_stays_its_own_entry(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    owner = as_user(stage.world.maria)
    press(stage, owner, telephone)
    telephone.ends(EndReason.NO_ANSWER, at=stage.world.now, leg=Leg.OWNER)
    stage.world.clock.advance(minutes=2)
    owner.post(brief(stage), {"outcome": "reached"})
    titles = [moment.title for moment in story_of(Problem.objects.get(pk=stage.reported.pk))]
    assert "Called: reached" in titles
    assert "Call: Maria Schulz did not pick up" in titles


def test_a_test_call_rings_the_user_and_a_wrong_number_is_not_kept(
    stage: Stage, as_user: SignedIn, telephone: FakeTelephone
) -> None:
    tom = as_user(stage.world.tom)
    assert "Call me as a test" not in tom.get("/profile/").content.decode()
    wrong = tom.post("/profile/telephone/", {"telephone-number": "call me"})
    assert wrong.status_code == 422
    assert "no telephone number" in wrong.content.decode()
    assert tom.post("/profile/telephone/test/").status_code == 422
    assert tom.post("/profile/telephone/", {"telephone-number": "0049 30 555 011"}).status_code == 303
    assert User.objects.get(pk=stage.world.tom.pk).telephone == "+4930555011"
    assert "Call me as a test" in tom.get("/profile/").content.decode()
    assert tom.post("/profile/telephone/test/").status_code == 303
    ring(stage, telephone)
    assert telephone.newest.intent.owner_number == "+4930555011"
    telephone.plays(EndReason.COMPLETED, at=stage.world.now, leg=Leg.OWNER)
    stage.world.clock.advance(seconds=1)
    assert "Last test" in tom.get("/profile/").content.decode()
    assert tom.post("/profile/telephone/test/").status_code == 422, "the last one was just now"


def test_without_an_exchange_nobody_is_offered_a_test_call(stage: Stage, as_user: SignedIn) -> None:
    page = as_user(stage.world.maria).get("/profile/").content.decode()
    assert "No telephone exchange is set up here" in page
    assert "+49 30 555010" in page
    assert "Call me as a test" not in page


@pytest.mark.parametrize(("seconds", "text"), [(0, "0:00"), (134, "2:14"), (3725, "1:02:05"), (-3, "0:00")])
def test_seconds_are_shown_as_a_telephone_shows_them(seconds: int, text: str) -> None:
    assert clock_text(seconds) == text
