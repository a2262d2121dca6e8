"""Waking dispatchers: one for each ring, none too often, and no ring lost."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sentinel.engine import bell as bell_module
from sentinel.engine.bell import BREATH_SECONDS, Bell, Turnstile


class _NeverStops:
    """Stands where the engine's stop event stands, and remembers how long it was waited on."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def wait(self, seconds: float) -> bool:
        self.waits.append(seconds)
        return False


def enter(turnstile: Turnstile) -> list[float]:
    stop = _NeverStops()
    turnstile.enter(cast(Any, stop))
    return stop.waits


def test_a_ring_between_looking_and_sleeping_is_not_lost() -> None:
    bell = Bell()
    before = bell.rings
    bell.ring(for_all=False)
    began = time.monotonic()
    bell.wait(since=before, seconds=60)
    assert time.monotonic() - began < 30


def test_one_ring_wakes_one_sleeper_and_a_ring_for_all_everybody() -> None:
    bell, awake = Bell(), threading.Semaphore(0)

    def sleep() -> None:
        bell.wait(since=0, seconds=60)
        awake.release()

    sleepers = [threading.Thread(target=sleep) for _ in range(3)]
    for sleeper in sleepers:
        sleeper.start()
    deadline = time.monotonic() + 10
    while len(bell._condition._waiters) < 3:  # type: ignore[attr-defined]
        assert time.monotonic() < deadline
    bell.ring(for_all=False)
    assert awake.acquire(timeout=10)
    assert sum(sleeper.is_alive() for sleeper in sleepers) >= 2
    bell.ring()
    for sleeper in sleepers:
        sleeper.join(timeout=10)
    assert not any(sleeper.is_alive() for sleeper in sleepers)


def test_the_first_look_is_free_the_next_ones_take_turns_and_hurry_lets_one_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bell_module, "time", SimpleNamespace(monotonic=lambda: 100.0))
    turnstile = Turnstile()
    assert enter(turnstile) == []
    assert enter(turnstile) == [pytest.approx(BREATH_SECONDS)]
    assert enter(turnstile) == [pytest.approx(2 * BREATH_SECONDS)]
    turnstile.hurry()
    assert enter(turnstile) == []
