"""Fixtures of the worker's pages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from django.test import Client
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from sentinel.kernel import clock
from sentinel.kernel.clock import FixedClock
from tests.web.browser import browser
from tests.web.respond.cast import MONDAY, Cast, build_cast


@dataclass(frozen=True)
class Live:
    """The cast, and where the server listens."""

    cast: Cast
    url: str


@pytest.fixture
def cast(db: None) -> Iterator[Cast]:
    """The cast on a Monday morning, with the clock standing still."""
    with clock.using(FixedClock(MONDAY)) as at:
        yield build_cast(at)


@pytest.fixture
def stranger() -> Client:
    """A browser without cookies that checks CSRF like a real server: nothing but the link opens anything."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def live(transactional_db: None, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Live]:
    """The cast behind a real server, for real browsers."""
    # Playwright keeps an event loop in this thread; the ORM is used beside it, never inside.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with clock.using(FixedClock(MONDAY)) as at:
        yield Live(cast=build_cast(at), url=live_server.url)


@pytest.fixture
def person() -> Iterator[Browser]:
    """A browser that looks like a person's."""
    with browser(like_a_person=True) as started:
        yield started
