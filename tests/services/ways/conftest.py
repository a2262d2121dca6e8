"""The cast, and a chat of Maria's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from sentinel.people.models import ContactMethod
from sentinel.people.rules import ContactChannel
from sentinel.workflows.ways import add_way
from tests.world import World, build_world

TARGET = "tgram://123456789:hush-hush-hush/12345"


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield build_world()
    clock.install(SystemClock())


@pytest.fixture
def chat(world: World) -> ContactMethod:
    return add_way(
        user=world.maria,
        channel=ContactChannel.CHAT,
        target=TARGET,
        shown="tgram://…",
        label="My phone",
        now=world.now,
    )
