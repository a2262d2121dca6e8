"""A call from the press to its outcome: each ending, and what it means for the loop."""

from __future__ import annotations

import pytest

from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import CallEvent
from sentinel.config.telephone import CallsBy
from sentinel.workflows.follow_call import follow_event
from sentinel.workflows.place_call import place_call
from tests.fakes.telephone import FakeTelephone
from tests.world import World


@pytest.fixture
def telephone(world: World, settings: object) -> FakeTelephone:
    settings.CALLS_BY = CallsBy(provider="sip", host="pbx.example")  # type: ignore[attr-defined]

    def follow(event: CallEvent) -> None:
        follow_event(provider="sip", event=event, now=world.now)

    return FakeTelephone(follow)


def test_it_is_placed(world: World, telephone: FakeTelephone) -> None:
    problem = world.frown()
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    assert PlacedCall.objects.get().key == call.key
