"""A test call always comes to an end that says something, whatever its provider does or does not say."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from sentinel.calls.errors import CallRefused
from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import CallState, EndReason, Leg
from sentinel.calls.selectors import counts_by_state, newest_test
from sentinel.channels.voice.base import Rejected, Unavailable
from sentinel.people.errors import ContactRefused
from sentinel.workflows.place_call import place_call
from sentinel.workflows.test_call import place_test_call
from tests.fakes.telephone import FakeTelephone
from tests.stories.test_calls_that_hang import Service, service
from tests.world import World

__all__ = ["service"]


def press(world: World) -> PlacedCall:
    """Maria presses "Call me as a test", and the engine places it."""
    call = place_test_call(user=world.maria, now=world.now)
    world.tick()
    return call


def let_pass(world: World, call: PlacedCall, *, seconds: int) -> PlacedCall:
    """Time goes by with an engine at work."""
    for _ in range(seconds):
        world.sleep_until(world.now + timedelta(seconds=1))
        world.tick()
    call.refresh_from_db()
    return call


def told(world: World) -> list[tuple[str, str]]:
    return [
        (m.payload["title"], m.payload["text"]) for m in world.notices(world.maria) if m.kind == "call.tested"
    ]


@pytest.mark.parametrize("reason", [EndReason.COMPLETED, EndReason.NO_ANSWER])
def test_a_service_that_rings_and_never_reports_is_found_out(
    world: World, service: Service, reason: EndReason
) -> None:
    call = press(world)
    service.on_event = None  # SENTINEL_BASE_URL is wrong: no report ever arrives
    service.ends(reason, at=world.now, leg=None if reason is EndReason.COMPLETED else Leg.OWNER)
    assert let_pass(world, call, seconds=12).reason == "unheard"
    [(title, text)] = told(world)
    assert title == "The test call failed"
    assert "nothing it reported reached Sentinel" in text
    assert "SENTINEL_BASE_URL" in text
    assert "asked" not in text


def test_a_service_that_reports_is_believed_when_it_is_asked(world: World, service: Service) -> None:
    call = press(world)
    service.comes_to(CallState.DIALING_OWNER, at=world.now)
    service.on_event = None
    service.ends(EndReason.NO_ANSWER, at=world.now, leg=Leg.OWNER)
    assert let_pass(world, call, seconds=32).reason == "no_answer"
    assert told(world)[0][0] == "The test call was not answered"


@pytest.mark.parametrize("is_away", [True, False])
def test_a_test_is_over_in_time_whatever_its_provider_does(
    world: World, service: Service, is_away: bool
) -> None:
    call = press(world)
    service.on_event = None
    service.comes_to(CallState.OWNER_ANSWERED, at=world.now)
    if is_away:
        service.fails[service.newest.ref] = Unavailable("503")
    assert let_pass(world, call, seconds=89).is_going_on
    assert let_pass(world, call, seconds=2).reason == "unheard"
    place_test_call(user=world.maria, now=world.now)


def test_what_the_exchange_refuses_is_told_at_once(world: World, telephone: FakeTelephone) -> None:
    telephone.will(Rejected(permanent=True, reason="404 Not Found"))
    call = press(world)
    world.tick()
    call.refresh_from_db()
    assert (call.reason, call.is_test) == ("failed", True)
    assert told(world) == [("The test call failed", "The exchange could not place it. 404 Not Found")]


def test_a_test_whose_engine_is_gone_is_lost_and_told(world: World, telephone: FakeTelephone) -> None:
    call = press(world)
    telephone.comes_to(CallState.DIALING_OWNER, at=world.now)
    telephone.is_lost = True
    assert let_pass(world, call, seconds=30).reason == "lost"
    assert told(world)[0][0] == "The test call failed"


def test_news_twice_and_late_is_one_end(world: World, telephone: FakeTelephone) -> None:
    call = press(world)
    said = telephone.ends(EndReason.COMPLETED, at=world.now)
    telephone.comes_to(CallState.DIALING_OWNER, at=world.now)
    assert telephone.on_event is not None
    telephone.on_event(said)
    world.tick()
    call.refresh_from_db()
    assert (call.state, call.reason, call.steps.count()) == ("ended", "completed", 2)
    assert told(world) == [("Your telephone works", "The test call was answered.")]


def test_one_telephone_at_a_time(world: World, telephone: FakeTelephone) -> None:
    problem = world.frown()
    press(world)
    assert counts_by_state() == {}, "people watch calls with workers"
    with pytest.raises(CallRefused):
        place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    with pytest.raises(ContactRefused):
        place_test_call(user=world.maria, now=world.now)
    world.sleep_until(world.now + timedelta(seconds=21))
    with pytest.raises(CallRefused):
        place_test_call(user=world.maria, now=world.now)
    telephone.ends(EndReason.NO_ANSWER, at=world.now, leg=Leg.OWNER)
    assert place_call(problem_id=problem.pk, user=world.maria, now=world.now).is_going_on


@pytest.mark.parametrize("columns", [{"worker_number": "+491"}, {"problem": True}])
def test_the_database_knows_what_a_test_is(
    world: World, telephone: FakeTelephone, columns: dict[str, Any]
) -> None:
    press(world)
    call = newest_test(world.maria.pk)
    assert call is not None
    if "problem" in columns:
        columns = {"problem": world.frown()}
    with pytest.raises(IntegrityError), transaction.atomic():
        PlacedCall.objects.filter(pk=call.pk).update(**columns)
