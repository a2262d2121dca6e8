"""Fixtures of the console: the stage, and a browser for each member of the cast."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from sentinel.people.models import User
from tests.web.console.stage import Stage, set_stage
from tests.world import build_world

SignedIn = Callable[[User], Client]


@pytest.fixture
def stage(db: None) -> Iterator[Stage]:
    """Everything on the stage, the clock standing still."""
    try:
        yield set_stage(build_world())
    finally:
        clock.install(SystemClock())


@pytest.fixture
def as_user() -> SignedIn:
    """A browser in which this user is signed in."""

    def enter(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return enter
