"""One frown, one trace: the lines of the page, of the firing and of each message carry it."""

from __future__ import annotations

import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import structlog
from django.test import Client

from sentinel.channels.base import Sent
from sentinel.config.logs import logging_settings
from sentinel.kernel import clock
from sentinel.kernel.links import Purpose
from sentinel.kernel.traces import trace_of
from sentinel.outbox.rules import Result
from sentinel.outbox.selectors import messages_about_problem
from sentinel.problems.models import Problem
from sentinel.ui.links import public_path
from tests.world import World

GIVEN = "4bf92f3577b34da6a3ce929d0e0e4736"
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """What our own packages logged since, as a machine reads it."""
    before = [
        (logger, logger.handlers[:], logger.level, logger.propagate)
        for logger in (logging.getLogger(), logging.getLogger("django"), logging.getLogger("django.server"))
    ]
    written = io.StringIO()
    configuration = deepcopy(logging_settings("json"))
    configuration["handlers"]["stderr"]["stream"] = written
    logging.config.dictConfig(configuration)
    try:
        yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    finally:
        structlog.reset_defaults()
        for logger, handlers, level, propagate in before:
            logger.handlers[:], logger.propagate = handlers, propagate
            logger.setLevel(level)


def test_a_frown_can_be_followed_from_the_press_to_the_mail_server(world: World, lines: Lines) -> None:
    check_in = world.check_in()
    with clock.using(world.clock):
        path = public_path(Purpose.ANSWER, check_in.pk, "frown", today=world.now.date())
        pressed = {"script_ran": "1", "trusted": "1", "face": "frown", "text": "It jams", "may_call": "yes"}
        Client().post(path, pressed, headers={"traceparent": f"00-{GIVEN}-00f067aa0ba902b7-01"})
    world.tick()
    problem = Problem.objects.get()
    mine = [line for line in lines() if line.get("trace") == trace_of(problem.pk)]
    words = [line["event"].partition(" by ")[0] for line in mine]
    assert words[:2] == ["problem opened", "frown recorded"]
    assert {line.get("request") for line in mine if "message" not in line} == {GIVEN}
    sent = {line["message"] for line in mine if line["event"].startswith("message accepted")}
    assert sent == {m.id for m in messages_about_problem(problem.pk) if m.state == "accepted"}
    assert len(sent) >= 2, "the owner was told, and the worker got a receipt"
    assert {line["problem"] for line in mine} == {problem.pk}
    assert check_in.worker.email not in json.dumps(lines())

    world.advance(minutes=20)
    later = [line for line in lines() if line.get("trace") == trace_of(problem.pk)][len(mine) :]
    assert "duty fired" in [line["event"] for line in later]
    assert not {line.get("request") for line in later if "request" in line}, "the request is over"


def test_what_a_crash_took_back_was_never_said(world: World, lines: Lines, monkeypatch: Any) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("sentinel.workflows.open_problem._send_receipt", broken)
    with pytest.raises(RuntimeError, match="broken"):
        world.frown("It jams")
    assert not [line for line in lines() if line["event"] in ("problem opened", "frown recorded")]


def test_a_failed_try_says_so_under_the_same_trace(world: World, lines: Lines) -> None:
    world.email.will(Sent(result=Result.TRANSIENT, detail="451 come later, olena@lindgren.example"))
    problem = world.frown("It jams")
    world.tick()
    (failed,) = [line for line in lines() if line["event"].startswith("message not accepted")]
    assert (failed["trace"], failed["level"]) == (trace_of(problem.pk), "warning")
    assert "olena@lindgren.example" not in json.dumps(lines()), "a server's words may name people"
