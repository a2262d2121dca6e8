"""Stories live in the world: the fixed cast on a clock of its own."""

from collections.abc import Iterator
from typing import Any

import pytest

from sentinel.calls.rules import CallEvent
from sentinel.channels.voice.sender import VoiceSender
from sentinel.config.telephone import CallsBy
from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from sentinel.workflows.follow_call import follow_event
from tests.fakes.telephone import FakeTelephone, FindingTelephone
from tests.world import World, build_world


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    """The cast, with real commits: what the engine sees is what a crash would leave."""
    yield build_world()
    clock.install(SystemClock())


@pytest.fixture
def telephone(world: World, settings: Any) -> FakeTelephone:
    """An exchange that the world's engine places calls through."""
    settings.CALLS_BY = CallsBy(provider="sip", host="pbx.example")

    def follow(event: CallEvent) -> None:
        follow_event(provider="sip", event=event, now=world.now)

    fake = FakeTelephone(follow)
    world.voice = VoiceSender(fake, caller_id="+4930555000")
    return fake


@pytest.fixture
def knowing(world: World, telephone: FakeTelephone) -> FakeTelephone:
    """The same, but it can tell which calls it knows."""
    fake = FindingTelephone(telephone.on_event)
    world.voice = VoiceSender(fake)
    return fake
