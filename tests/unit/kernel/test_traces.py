"""Traces: the same everywhere, told from each other, and never taken from a malformed header."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from structlog.contextvars import clear_contextvars, get_contextvars

from sentinel.kernel import traces

GIVEN = "4bf92f3577b34da6a3ce929d0e0e4736"
WHOLE = f"00-{GIVEN}-00f067aa0ba902b7-01"


@pytest.fixture(autouse=True)
def _installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(traces, "_key", b"k" * 32)
    clear_contextvars()
    yield
    clear_contextvars()


def test_a_problem_has_one_trace_and_no_other_problem_has_it() -> None:
    assert traces.trace_of(17) == traces.trace_of(17)
    assert len({traces.trace_of(number) for number in range(200)}) == 200
    assert re.fullmatch(r"[0-9a-f]{32}", traces.trace_of(17))


def test_without_the_secret_nobody_computes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = traces.trace_of(17)
    monkeypatch.setattr(traces, "_key", b"o" * 32)
    assert traces.trace_of(17) != before


@pytest.mark.parametrize("header", [WHOLE, f"cc-{GIVEN}-00f067aa0ba902b7-01-what-comes-later"])
def test_a_proxy_s_trace_is_taken_over(header: str) -> None:
    assert traces.request_id(header) == GIVEN


@pytest.mark.parametrize(
    "header",
    [
        "",
        "nonsense",
        WHOLE.upper(),
        WHOLE.replace("00-", "ff-", 1),
        WHOLE + "-more",
        WHOLE + "\n",
        WHOLE[:-1],
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        f"00-{GIVEN}-{'0' * 16}-01",
        f"00-{GIVEN[:-1]}g-00f067aa0ba902b7-01",
        "x" * 10_000,
    ],
)
def test_a_malformed_one_is_not(header: str) -> None:
    assert traces.request_id(header) != traces.request_id(header), "each request gets a new one"
    assert re.fullmatch(r"[0-9a-f]{32}", traces.request_id(header))


def test_a_request_s_lines_carry_its_id_and_then_the_problem() -> None:
    with traces.request("abc"):
        assert get_contextvars() == {"request": "abc"}
        traces.follow(17)
        assert get_contextvars() == {"request": "abc", "problem": 17, "trace": traces.trace_of(17)}
    assert get_contextvars() == {}


def test_outside_a_request_nothing_sticks() -> None:
    traces.follow(17)
    assert get_contextvars() == {}
    with traces.about(problem_id=17, message_id=4):
        assert get_contextvars() == {"message": 4, "problem": 17, "trace": traces.trace_of(17)}
        with traces.about(problem_id=None, message_id=5):
            assert get_contextvars()["message"] == 5
    assert get_contextvars() == {}
