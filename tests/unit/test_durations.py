"""Lengths of time as people type them."""

from datetime import timedelta

import click
import pytest

from sentinel.ops.durations import Duration


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("90m", timedelta(minutes=90)),
        ("2d", timedelta(days=2)),
        ("1w2d4h", timedelta(weeks=1, days=2, hours=4)),
        ("1d 12h", timedelta(days=1, hours=12)),
    ],
)
def test_a_length_is_read(typed: str, meant: timedelta) -> None:
    assert Duration().convert(typed, None, None) == meant


@pytest.mark.parametrize("typed", ["", "2", "d", "-2d", "0d", "two days", "2d!"])
def test_anything_else_is_refused(typed: str) -> None:
    with pytest.raises(click.BadParameter, match=r"is not a duration|no time at all"):
        Duration().convert(typed, None, None)
