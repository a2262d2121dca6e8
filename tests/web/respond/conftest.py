"""Fixtures of the worker's pages."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client

from sentinel.kernel import clock
from sentinel.kernel.clock import FixedClock
from tests.web.respond.cast import MONDAY, Cast, build_cast


@pytest.fixture
def cast(db: None) -> Iterator[Cast]:
    """The cast on a Monday morning, with the clock standing still."""
    with clock.using(FixedClock(MONDAY)) as at:
        yield build_cast(at)


@pytest.fixture
def stranger() -> Client:
    """A browser without cookies that checks CSRF like a real server: nothing but the link opens anything."""
    return Client(enforce_csrf_checks=True)
