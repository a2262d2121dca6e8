"""Each test has a Sentinel that listens, a voice service that listens, and people at the telephones."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer

from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from tests.channels.voice.http.desk import Desk, opened
from tests.world import World, build_world


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    """The cast, with real commits: the live server reads them."""
    yield build_world()
    clock.install(SystemClock())


@pytest.fixture
def desk(world: World, live_server: LiveServer, settings: Settings) -> Iterator[Desk]:
    """A desk with a telephone."""
    with opened(world, live_server.url, settings) as found:
        yield found
