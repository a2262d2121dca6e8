"""Runs live in the world of the stories."""

from collections.abc import Iterator

import pytest

from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from tests.world import World, build_world


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """The cast, rolled back after each test."""
    yield build_world()
    clock.install(SystemClock())
