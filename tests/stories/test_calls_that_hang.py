"""No call goes on for ever, none that goes on is called over, and none stands in the way of another."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import CallEvent, CallState, EndReason
from sentinel.channels.voice.base import CallStatus, Capabilities, Unavailable
from sentinel.channels.voice.sender import VoiceSender
from sentinel.config.telephone import CallsBy
from sentinel.outbox.services import claim
from sentinel.workflows.follow_call import follow_event
from sentinel.workflows.place_call import place_call
from tests.fakes.telephone import FakeTelephone
from tests.world import World


class Service(FakeTelephone):
    """A voice service that reports to the web, whether an engine lives or not."""

    def __init__(self, world: World) -> None:
        def follow(event: CallEvent) -> None:
            follow_event(provider="http_voice", event=event, now=world.now)

        super().__init__(follow, provider="http_voice")
        self.capabilities = Capabilities(
            bridges=True, callbacks=True, idempotent=False, detects_machines=True
        )
        self.fails: dict[str, Exception] = {}

    def status(self, ref: str) -> CallStatus | None:
        if ref in self.fails:
            raise self.fails[ref]
        return super().status(ref)


@pytest.fixture
def service(world: World, settings: Any) -> Service:
    settings.CALLS_BY = CallsBy(provider="http_voice", host="api.example")
    service = Service(world)
    world.voice = VoiceSender(service)
    return service


def placed(world: World, **whose: Any) -> PlacedCall:
    problem = world.frown(**whose)
    return place_call(problem_id=problem.pk, user=world.maria, now=world.now)


def let_pass(world: World, **time: float) -> None:
    world.sleep_until(world.now + timedelta(**time))
    world.tick()


@pytest.mark.parametrize("so_far", [CallState.OWNER_ANSWERED, CallState.BRIDGED])
def test_people_who_talk_are_not_told_that_it_came_too_late(
    world: World, service: Service, so_far: CallState
) -> None:
    call = placed(world)
    [dead] = claim(channel="voice", limit=1, now=world.now)
    VoiceSender(service).send(dead, world.now)  # and the only engine dies before it settles
    service.comes_to(so_far, at=world.now)
    let_pass(world, seconds=46)
    call.refresh_from_db()
    assert (call.state, call.reason) == (so_far.value, "")
    service.comes_to(CallState.BRIDGED, at=world.now)
    service.ends(EndReason.COMPLETED, at=world.now)
    call.refresh_from_db()
    assert call.reason == "completed"


def test_a_service_that_answers_no_more_blocks_nobody_for_ever(world: World, service: Service) -> None:
    call = placed(world)
    world.tick()
    service.comes_to(CallState.BRIDGED, at=world.now)
    service.fails[service.newest.ref] = Unavailable("the account is closed")
    let_pass(world, minutes=9)
    call.refresh_from_db()
    assert call.is_going_on
    let_pass(world, minutes=2)
    call.refresh_from_db()
    assert call.reason == "lost"


def test_a_call_outlives_the_setting_that_placed_it_by_little(
    world: World, service: Service, settings: Any
) -> None:
    call = placed(world)
    world.tick()
    service.comes_to(CallState.BRIDGED, at=world.now)
    settings.CALLS_BY, world.voice = CallsBy(provider="tel"), None
    let_pass(world, seconds=41)
    call.refresh_from_db()
    assert call.reason == "lost"


def test_a_call_that_breaks_whoever_follows_it_stops_no_other(world: World, service: Service) -> None:
    first = placed(world)
    world.tick()
    service.fails[service.newest.ref] = ValueError("an answer nobody expected")
    world.tom.telephone = "+4930555011"
    world.tom.save()
    other = world.frown(worker=world.joao)
    second = place_call(problem_id=other.pk, user=world.tom, now=world.now)
    world.tick()
    service.comes_to(CallState.BRIDGED, at=world.now)
    service.on_event = None  # its last report is lost
    service.ends(EndReason.COMPLETED, at=world.now)
    let_pass(world, seconds=31)
    second.refresh_from_db()
    assert second.reason == "completed"
    let_pass(world, minutes=11)
    first.refresh_from_db()
    assert first.reason == "lost"
