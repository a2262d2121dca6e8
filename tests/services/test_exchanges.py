"""A silent exchange: what the beats of several machines mean, and who is told when."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sentinel.assurance.models import Finding
from sentinel.assurance.rules import judge
from sentinel.assurance.selectors import look
from sentinel.assurance.services import record_findings
from sentinel.calls.exchanges import KNOWN_FOR, exchange_beats, note_exchange, silent_exchange
from sentinel.config.telephone import CallsBy
from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from tests.world import World, build_world


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """The cast, in a transaction that is taken back."""
    yield build_world()
    clock.install(SystemClock())


@pytest.fixture(autouse=True)
def _an_exchange(settings: Any) -> None:
    settings.CALLS_BY = CallsBy(provider="sip", host="pbx.example")


def says(world: World, host: str = "a", *, answers: bool, peer: str = "pbx.example:5060") -> None:
    note_exchange(
        provider="sip",
        host=host,
        peer=peer,
        answers=answers,
        detail="200 OK" if answers else "408 no response",
        milliseconds=3,
        now=world.now,
    )


def test_it_is_silent_only_when_no_machine_is_answered(world: World) -> None:
    says(world, "a", answers=True)
    says(world, "b", answers=False)
    assert silent_exchange("sip", now=world.now) is None
    world.clock.advance(minutes=1)
    says(world, "a", answers=False)
    beat = silent_exchange("sip", now=world.now)
    assert beat is not None
    assert (beat.host, beat.silent_since) == ("a", world.now)
    assert silent_exchange("http_voice", now=world.now) is None
    assert silent_exchange("tel", now=world.now) is None
    assert silent_exchange("sip", now=world.now + KNOWN_FOR) is None, "nobody asks any more"
    assert len(exchange_beats("sip", now=world.now)) == 2


def test_another_exchange_begins_anew(world: World) -> None:
    says(world, answers=False)
    world.clock.advance(minutes=1)
    says(world, answers=False, peer="other.example:5060")
    beat = silent_exchange("sip", now=world.now)
    assert beat is not None
    assert beat.silent_since == world.now


def test_administrators_are_told_after_three_minutes_once_and_it_ends_by_itself(world: World) -> None:
    def audit() -> list[str]:
        faults = [fault for fault in judge(look(world.now), world.now) if "exchange" in fault.key]
        return [row.words for row in record_findings(faults=faults, now=world.now)]

    for minute in range(4):
        says(world, answers=False)
        assert audit() == [], minute
        world.clock.advance(minutes=1)
    says(world, answers=False)
    for _ in range(2):
        assert audit() == ["no calls can be placed: pbx.example:5060 does not answer (408 no response)"]
    world.tick()
    told = [m.payload["title"] for m in world.notices(world.ada) if m.kind == "assurance.finding"]
    assert len(told) == 1
    assert "no calls can be placed" in told[0]
    assert not [m for m in world.notices(world.maria) if m.kind == "assurance.finding"]
    says(world, answers=True)
    assert audit() == []
    assert Finding.objects.get(check_name="exchange_silent").over_at == world.now
