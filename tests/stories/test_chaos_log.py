"""The log of leases is understood: which message a kill hit, and what that cost."""

from __future__ import annotations

import pytest

from tests.stories.chaos_log import Step, understand


def steps(*told: tuple[str, str, float]) -> list[Step]:
    return [Step(process=process, state=state, at=at) for process, state, at in told]


def test_from_each_kill_to_the_next_engine_and_from_the_last_one_to_the_acceptance() -> None:
    story = steps(("a", "sending", 1), ("b", "sending", 3), ("c", "sending", 5), ("c", "accepted", 5.5))
    found = understand({7: story}, {"a": 2, "b": 3.25})
    assert (found.hits, found.missing, found.outlived) == (2, 0, 0)
    assert found.taken_over == [1, 1.75]
    assert found.accepted == [2.25]
    assert found.kills_met == {7: 2}
    assert found.worst == 2.25


@pytest.mark.parametrize(
    "story",
    [
        steps(("a", "sending", 1), ("a", "accepted", 2)),
        # The server had its last statement already when it was killed.
        steps(("a", "sending", 1), ("a", "accepted", 9.1)),
        steps(("a", "sending", 1), ("a", "pending", 2), ("b", "sending", 3), ("b", "accepted", 4)),
    ],
)
def test_what_an_engine_ended_itself_was_not_hit(story: list[Step]) -> None:
    found = understand({7: story}, {"a": 9})
    assert (found.hits, found.outlived, found.worst) == (0, 0, 0)


def test_a_lease_that_ran_out_before_the_kill_is_the_engines_own_fault() -> None:
    story = steps(("a", "sending", 1), ("b", "sending", 2), ("b", "accepted", 3))
    found = understand({7: story}, {"a": 5})
    assert (found.hits, found.outlived) == (0, 1)


def test_what_the_server_leased_to_an_engine_that_was_dead_by_then_was_hit() -> None:
    story = steps(("a", "sending", 1.01), ("b", "sending", 2), ("b", "accepted", 3))
    assert understand({7: story}, {"a": 1}).taken_over == [1]


def test_a_message_that_nobody_took_over_is_missing() -> None:
    found = understand({7: steps(("a", "sending", 1))}, {"a": 2})
    assert (found.hits, found.missing, found.taken_over) == (1, 1, [])
