"""Standing is tested in the world: the fixed cast on a clock of its own."""

from collections.abc import Iterator

import pytest

from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from tests.world import World, build_world


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """The cast, in a transaction that is taken back."""
    yield build_world()
    clock.install(SystemClock())
