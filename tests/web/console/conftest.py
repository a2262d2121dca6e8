"""Fixtures of the console: the stage, set once per file, and a browser for each member of the cast."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client
from playwright.sync_api import Browser

from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from sentinel.people.models import User
from tests.web.browser import browser as launched
from tests.web.console.stage import Stage, set_stage
from tests.world import build_world

SignedIn = Callable[[User], Client]


@pytest.fixture(scope="module")
def played_stage(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    """The stage for all tests of one file; playing it again for each of them would take minutes."""
    with django_db_blocker.unblock(), transaction.atomic():
        try:
            yield set_stage(build_world())
        finally:
            clock.install(SystemClock())
            transaction.set_rollback(True)


@pytest.fixture
def stage(played_stage: Stage, db: None) -> Stage:
    """Everything on the stage; what a test does to it is taken back by ``db``."""
    played_stage.world.clock.set(played_stage.at)
    clock.install(played_stage.world.clock)
    return played_stage


@pytest.fixture
def as_user() -> SignedIn:
    """A browser in which this user is signed in."""

    def enter(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return enter


@pytest.fixture
def played(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """The stage behind a real server, for a real browser."""
    # why: playwright's own event loop runs in this thread, and Django would refuse to touch the database.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    # The live server's threads would keep their connections, and the test database could not be dropped.
    monkeypatch.setitem(connections.databases["default"], "CONN_MAX_AGE", 0)
    try:
        yield set_stage(build_world())
    finally:
        clock.install(SystemClock())


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Chromium as the machine has it."""
    with launched(like_a_person=False) as started:
        yield started
