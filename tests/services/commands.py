"""Commands under test, whose database runs already."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import pytest


@contextmanager
def _already_running() -> Iterator[None]:
    yield


def use_the_tests_database(monkeypatch: pytest.MonkeyPatch, command: ModuleType) -> None:
    """Let a command's module take the test's database instead of starting one."""
    monkeypatch.setattr(command, "database_running", _already_running)
