"""L8: engines are killed at any instant; nothing is lost, and only what was in flight is repeated."""

from __future__ import annotations

import pytest

from sentinel.channels.email.sender import TOGETHER
from sentinel.outbox.services import LEASE
from tests.stories.chaos import chaos
from tests.world import World

#: Messages one engine may have between the provider's yes and its own note of it.
CONNECTIONS = 4
IN_FLIGHT = CONNECTIONS * TOGETHER

pytestmark = pytest.mark.slow


def test_killing_engines_loses_nothing_and_repeats_only_what_was_in_flight(world: World) -> None:
    outcome = chaos(world, kills=24)
    print(outcome)  # noqa: T201
    assert outcome.kills >= 20
    assert outcome.lost == outcome.recoveries.missing == 0
    assert outcome.wrong_ladders == 0
    assert outcome.repeats <= outcome.kills * IN_FLIGHT
    assert outcome.changed_repeats == 0, "a repeat is the same message, byte for byte"


def test_without_kills_nothing_is_repeated(world: World) -> None:
    # The product's own lease: a slow machine may well need longer than the second that chaos gives.
    lease = LEASE.total_seconds()
    outcome = chaos(world, kills=0, problems=4, letters=60, rounds=5, lease_seconds=lease)
    print(outcome)  # noqa: T201
    assert (outcome.lost, outcome.repeats, outcome.wrong_ladders) == (0, 0, 0)
