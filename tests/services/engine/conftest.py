"""Tests of the engine that need people use the cast of the stories."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from tests.world import World, build_world


@pytest.fixture
def world(transactional_db: None) -> Iterator[World]:
    """The cast, on a clock of its own."""
    yield build_world()
    clock.install(SystemClock())
