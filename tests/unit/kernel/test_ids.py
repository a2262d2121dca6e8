from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sentinel.kernel.ids import dedupe_key, new_token, seeded_fraction

PARTS = st.lists(st.text(alphabet="ab:%3A", max_size=5), min_size=1, max_size=4)


def test_a_fraction_never_changes_between_releases() -> None:
    """Workers keep their day of the month; these numbers are a promise."""
    assert seeded_fraction("spread", 17) == 0.4166802147490045
    assert seeded_fraction("spread", "17") == seeded_fraction("spread", 17)


@given(PARTS)
def test_a_fraction_lies_in_zero_to_one_and_is_stable(parts: list[str]) -> None:
    fraction = seeded_fraction(*parts)
    assert 0 <= fraction < 1
    assert fraction == seeded_fraction(*parts)


def test_fractions_spread_evenly() -> None:
    days = [0] * 20
    for worker in range(4_000):
        days[int(seeded_fraction("worker", worker) * 20)] += 1
    assert min(days) > 140
    assert max(days) < 260


@given(PARTS, PARTS)
@example(["a:b", "c"], ["a", "b:c"])
@example(["a", ""], ["a:"])
@example(["%3A"], [":"])
def test_different_parts_never_share_a_key(one: list[str], other: list[str]) -> None:
    assert (dedupe_key(*one) == dedupe_key(*other)) == (one == other)


def test_a_key_reads_like_what_it_is_about() -> None:
    assert dedupe_key("problem", 17, "rung", 2) == "problem:17:rung:2"


def test_a_key_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        dedupe_key()


def test_tokens_are_fresh_random_uuids() -> None:
    tokens = sorted(new_token() for _ in range(100))
    assert all(UUID(token).version == 4 for token in tokens)
    assert all(one != other for one, other in pairwise(tokens))
