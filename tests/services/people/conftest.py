"""The cast."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from tests.world import World, build_world


@pytest.fixture
def world(db: None) -> Iterator[World]:
    yield build_world()
    clock.install(SystemClock())
