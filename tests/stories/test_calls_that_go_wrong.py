"""Exchanges that refuse, engines that die, news that comes twice: still one call, and its caller is told."""

from __future__ import annotations

import random
from datetime import timedelta

import pytest

from sentinel.calls.rules import CallEvent, CallState, EndReason
from sentinel.calls.selectors import awaiting_outcome
from sentinel.channels.voice.base import Rejected, Unclear
from sentinel.channels.voice.sender import VoiceSender
from sentinel.outbox.services import claim
from sentinel.problems.models import Call
from sentinel.workflows.follow_call import follow_event, wish_to_place
from sentinel.workflows.place_call import place_call
from tests.fakes.telephone import FakeTelephone
from tests.stories.calls import CALL_VERBS, notices, press, told
from tests.world import World


def test_what_is_refused_for_good_is_told_at_once_with_the_number(
    world: World, telephone: FakeTelephone
) -> None:
    problem = world.frown()
    world.tick()
    telephone.will(Rejected(permanent=True, reason="neither a number nor an address"))
    call = press(world, problem)
    call.refresh_from_db()
    assert (call.reason, call.detail) == ("failed", "neither a number nor an address")
    assert "+380445550101" in notices(world)[0]
    assert not [m for m in world.notices(world.petra) if m.kind == "message.failed"]
    assert not telephone.calls


def test_a_passing_refusal_is_tried_once_more_and_then_told(world: World, telephone: FakeTelephone) -> None:
    problem = world.frown()
    world.tick()
    refusal = Rejected(permanent=False, reason="all lines are busy")
    telephone.will(refusal, refusal)
    press(world, problem)
    assert notices(world) == []
    world.advance(seconds=7)
    assert "+380445550101" in notices(world)[0]
    telephone.will(refusal)
    again = press(world, problem)
    world.advance(seconds=7)
    again.refresh_from_db()
    assert again.is_going_on
    assert len(telephone.calls) == 1


@pytest.mark.parametrize("seed", range(3))
def test_news_twice_and_in_any_order_is_one_story(world: World, telephone: FakeTelephone, seed: int) -> None:
    chance = random.Random(seed)
    problem = world.frown()
    world.tick()
    call = press(world, problem)
    begun = world.now
    telephone.on_event = None
    steps = list(CallState)[1:-1]
    said = [telephone.comes_to(step, at=begun + timedelta(seconds=n)) for n, step in enumerate(steps)]
    said.append(telephone.ends(EndReason.COMPLETED, at=begun + timedelta(seconds=60), talked=57))
    world.clock.set(begun + timedelta(minutes=2))
    heard = said * 2
    chance.shuffle(heard)
    came_further = [follow_event(provider="sip", event=event, now=world.now) for event in heard]
    call.refresh_from_db()
    assert (call.state, call.reason, call.talk_seconds) == ("ended", "completed", 57)
    assert call.bridged_at is not None
    assert call.steps.count() == 7
    assert 1 <= sum(came_further) <= 7
    assert told(problem) == [verb.value for verb in CALL_VERBS]
    world.tick()
    assert len(notices(world)) == 1


def test_news_about_calls_nobody_asked_for_is_left_alone(world: World, telephone: FakeTelephone) -> None:
    event = CallEvent(key="x", ref="r", event_id="1", state=CallState.BRIDGED, at=world.now)
    assert not follow_event(provider="sip", event=event, now=world.now)


@pytest.mark.parametrize("is_named", [True, False])
def test_an_engine_that_freezes_or_dies_while_it_rings_lets_nobody_ring_it_again(
    world: World, telephone: FakeTelephone, is_named: bool
) -> None:
    problem = world.frown()
    world.tick()
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    [frozen] = claim(channel="voice", limit=1, now=world.now)
    elsewhere = FakeTelephone(telephone.on_event, name="elsewhere")
    if is_named:
        VoiceSender(elsewhere).send(frozen, world.now)
        elsewhere.comes_to(CallState.OWNER_RINGS, at=world.now)
    else:
        # It stands still between its wish and its INVITE, or between its INVITE and writing that down.
        assert wish_to_place(key=call.key, can_ask=False, now=world.now)
    for _ in range(45):
        world.sleep_until(world.now + timedelta(seconds=1))
        world.tick()
    assert not telephone.calls, "the second engine rings nobody"
    call.refresh_from_db()
    assert call.reason == ("lost" if is_named else "failed")
    [said] = notices(world)
    assert "+380445550101" in said, "and the caller knows whom to dial"
    place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    if is_named:  # the first engine moves again: its news is kept and changes nothing
        elsewhere.ends(EndReason.NO_ANSWER, at=world.now)
        call.refresh_from_db()
        assert call.reason == "lost"


def test_an_engine_that_dies_before_it_asked_anybody_hands_the_call_on(
    world: World, telephone: FakeTelephone
) -> None:
    problem = world.frown()
    world.tick()
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    assert claim(channel="voice", limit=1, now=world.now)
    world.advance(seconds=31)
    assert len(telephone.calls) == 1
    telephone.plays(EndReason.COMPLETED, at=world.now)
    call.refresh_from_db()
    assert call.reason == "completed"


def test_a_provider_that_can_tell_does_not_ring_twice(world: World, knowing: FakeTelephone) -> None:
    problem = world.frown()
    world.tick()
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    [dead] = claim(channel="voice", limit=1, now=world.now)
    assert world.voice is not None
    world.voice.send(dead, world.now)  # and the engine dies before it settles
    world.advance(seconds=31)
    assert len(knowing.calls) == 1
    call.refresh_from_db()
    assert call.provider_ref == knowing.newest.ref
    knowing.plays(EndReason.COMPLETED, at=world.now)
    call.refresh_from_db()
    assert call.reason == "completed"


@pytest.mark.parametrize("rings", [True, False])
def test_an_unclear_placing_is_looked_up_and_never_repeated(
    world: World, knowing: FakeTelephone, rings: bool
) -> None:
    problem = world.frown()
    world.tick()
    knowing.will(Unclear("no answer to the question"))
    knowing.rings_when_unclear = rings
    call = press(world, problem)
    rung = len(knowing.calls)
    world.advance(seconds=41)
    world.tick()
    call.refresh_from_db()
    assert len(knowing.calls) == rung == int(rings)
    assert call.is_going_on is rings
    assert len(notices(world)) == int(not rings)


def test_a_call_whose_engine_is_gone_is_lost_and_its_caller_told(
    world: World, telephone: FakeTelephone
) -> None:
    problem = world.frown()
    world.tick()
    call = press(world, problem)
    telephone.comes_to(CallState.BRIDGED, at=world.now)
    for _ in range(4):
        world.sleep_until(world.now + timedelta(minutes=1))
        world.tick()
    call.refresh_from_db()
    assert call.is_going_on
    telephone.is_lost = True
    world.sleep_until(world.now + timedelta(seconds=30))
    world.tick()
    call.refresh_from_db()
    assert call.reason == "lost"
    assert "you may still talk" in notices(world)[0]
    assert list(awaiting_outcome(world.maria.pk)) == [call]
    assert not Call.objects.exists()
    # What the lost engine says afterwards is kept, and changes nothing.
    telephone.ends(EndReason.COMPLETED, at=world.now)
    call.refresh_from_db()
    assert call.reason == "lost"
