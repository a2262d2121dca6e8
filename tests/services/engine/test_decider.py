"""The decider's pace when something is broken."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from django.db import DataError

from sentinel.engine import loop
from sentinel.engine.clock import DatabaseClock
from sentinel.engine.loop import LONGEST_SLEEP, Decider, Engine
from sentinel.engine.passes import stand_in
from sentinel.escalation.models import FrozenPolicy
from sentinel.kernel import clock
from sentinel.outbox.services import LEASE
from sentinel.people.services import set_absence
from tests.world import World, build_world


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """The cast, in a transaction that is taken back."""
    world = build_world()
    with clock.using(world.clock):
        yield world


def test_a_pass_that_fails_while_something_is_due_is_not_tried_again_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_now: datetime) -> int:
        raise ValueError("broken")

    def works(now: datetime) -> int:
        worked.append(now)
        return 1

    worked: list[datetime] = []
    world.frown("It jams")
    world.clock.advance(minutes=20)  # its timer is late, and stays so
    engine = Engine(threading.Event(), DatabaseClock(), LEASE)
    monkeypatch.setattr(loop, "DECIDERS", (Decider("fire_duties", fails),))
    assert engine.decide() == LONGEST_SLEEP
    others = Decider("others", works)
    monkeypatch.setattr(loop, "DECIDERS", (Decider("fire_duties", fails), others))
    assert engine.decide() == 0.0, "whoever works goes on at full speed"
    assert worked == [world.now]


def test_a_row_that_the_database_refuses_keeps_no_other_pass_from_its_turn(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_now: datetime) -> int:
        raise DataError("unsupported Unicode escape sequence")

    def works(now: datetime) -> int:
        worked.append(now)
        return 0

    worked: list[datetime] = []
    engine = Engine(threading.Event(), DatabaseClock(), LEASE)
    monkeypatch.setattr(loop, "DECIDERS", (Decider("stand_in", refused), Decider("fire_duties", works)))
    engine.decide()
    assert worked == [world.now]


def test_a_duty_that_cannot_move_to_a_stand_in_keeps_no_other_from_moving(world: World) -> None:
    broken, whole = world.frown("It jams"), world.frown("It is loud", worker=world.joao)
    FrozenPolicy.objects.filter(problem=broken).delete()
    set_absence(
        user_id=world.maria.pk,
        starts_at=world.now - timedelta(hours=1),
        ends_at=world.now + timedelta(days=3),
        deputy_id=None,
        reason="",
        actor=world.maria,
        now=world.now - timedelta(hours=2),
    )
    stand_in.run(world.now)
    assert world.duty(whole).accountable == world.tom
    assert world.duty(broken).accountable == world.maria
