"""How many notices one target takes is set from outside; a wrong value says what a right one looks like."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError

from sentinel.config.environment import Environment, problems_of

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def test_without_a_setting_the_limits_are_the_documented_ones() -> None:
    assert Environment().target_limits == {
        "push": ((MINUTE, 10), (HOUR, 120)),
        "chat": ((MINUTE, 5), (HOUR, 30)),
        "webhook": ((MINUTE, 30), (HOUR, 600)),
    }


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("2/minute,20/hour", ((MINUTE, 2), (HOUR, 20))),
        (" 20/Hour 2/minute ", ((MINUTE, 2), (HOUR, 20))),
        ("7/hour", ((HOUR, 7),)),
        ("1/minute", ((MINUTE, 1),)),
        ("none", ()),
    ],
)
def test_a_limit_is_set_per_kind_of_target(
    monkeypatch: pytest.MonkeyPatch, text: str, limits: object
) -> None:
    monkeypatch.setenv("SENTINEL_CHAT_LIMIT", text)
    assert Environment().target_limits["chat"] == limits
    assert Environment().target_limits["push"] == ((MINUTE, 10), (HOUR, 120))


@pytest.mark.parametrize("variable", ["PUSH_LIMIT", "CHAT_LIMIT", "WEBHOOK_LIMIT"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("many", "must look like 10/minute,120/hour"),
        ("10", "must look like 10/minute,120/hour"),
        ("10/day", "must look like 10/minute,120/hour"),
        ("-1/minute", "must look like 10/minute,120/hour"),
        ("1/minute,2/minute", "each at most once"),
        (",", "must look like 10/minute,120/hour"),
        ("0/minute", "takes numbers from 1"),
        ("1000000/hour", "to have no limit, write none"),
        ("10/minute,5/hour", "at least as many in an hour as in a minute"),
    ],
)
def test_a_wrong_limit_gets_one_clear_line(
    monkeypatch: pytest.MonkeyPatch, variable: str, text: str, said: str
) -> None:
    monkeypatch.setenv(f"SENTINEL_{variable}", text)
    with pytest.raises(ValidationError) as caught:
        Environment()
    (line,) = problems_of(caught.value)
    assert line.startswith(f"SENTINEL_{variable} ")
    assert said in line
