"""Stories live in the world: the fixed cast on a clock of its own."""

from collections.abc import Iterator

import pytest

from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from tests.world import World, build_world


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    """The cast, with real commits: what the engine sees is what a crash would leave."""
    yield build_world()
    clock.install(SystemClock())
