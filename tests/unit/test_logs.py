"""No secret in any log line, written for people or for machines."""

from __future__ import annotations

import io
import json
import logging
import logging.config
from collections.abc import Callable, Iterator
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
import structlog
from django.http import HttpResponse
from django.test import RequestFactory, override_settings
from django.utils.log import log_response

from sentinel.config.logs import HIDDEN, logging_settings
from sentinel.kernel.links import Purpose, sign

TOKEN = sign(Purpose.ANSWER, 812_345, secret=b"s" * 32, issued_on=date(2026, 3, 6))
Line = Callable[[], str]


@pytest.fixture(params=["text", "json"])
def line(request: pytest.FixtureRequest) -> Iterator[Line]:
    """What came out of the real handlers since the test began; they are taken back afterwards."""
    known = [logging.getLogger(), *map(logging.getLogger, ("django", "django.server", "_granian"))]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate) for logger in known]
    written = io.StringIO()
    configuration = deepcopy(logging_settings(request.param))
    configuration["handlers"]["stderr"]["stream"] = written
    logging.config.dictConfig(configuration)
    try:
        yield written.getvalue
    finally:
        structlog.reset_defaults()
        for logger, handlers, level, propagate in before:
            logger.handlers[:], logger.propagate = handlers, propagate
            logger.setLevel(level)


def assert_hidden(text: str, secret: str = TOKEN) -> None:
    assert HIDDEN in text
    assert secret.lower() not in text.lower()


@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("token", [TOKEN, TOKEN.upper(), TOKEN[:30], TOKEN + "="])
@pytest.mark.parametrize("address", ["/{0}/{1}/frown/", "https://s.example/{0}/{1}/", "next=%2F{0}%2F{1}%2F"])
def test_a_worker_s_link(line: Line, purpose: Purpose, token: str, address: str) -> None:
    logging.getLogger("sentinel.somewhere").warning("gone: %s", address.format(purpose.value, token))
    assert_hidden(line(), token)


def test_a_link_in_capitals_as_some_mail_programs_make_it(line: Line) -> None:
    logging.getLogger("django.request").warning("Not Found: %s", f"/A/{TOKEN}/FROWN/".upper())
    assert_hidden(line())


def test_the_request_that_django_logs_with_an_error(line: Line) -> None:
    request = RequestFactory().get(f"/a/{TOKEN}/frown/", {"token": "t0p-secret"})
    with override_settings(DEBUG=False):
        log_response("Not Found: %s", request.path, response=HttpResponse(status=404), request=request)
        log_response("Server Error: %s", request.path, response=HttpResponse(status=500), request=request)
    assert line().count("WSGIRequest") == 2
    assert_hidden(line())
    assert "t0p-secret" not in line()


def test_a_token_in_a_traceback(line: Line) -> None:
    typed = {"password": "hunter-2-hunter"}
    try:
        raise ValueError(f"cannot read {TOKEN}", typed)
    except ValueError:
        logging.getLogger("sentinel").exception("failed")
    assert_hidden(line())
    assert "cannot read" in line()
    assert "hunter-2" not in line()


@pytest.mark.parametrize(
    "text",
    [
        "cannot reach postgresql://sentinel:hunter2@db.example/sentinel",
        "cannot reach smtps://me%40example.com:hun@hunter2@mail.example:465",
        "redis://:hunter2@cache.example/0",
        "connection failed: host=db password=hunter2 dbname=x",
        "posted {'password': 'hunter2', 'login': 'me'}",
        'posted {"new_password1": "hun hunter2"}',
        "GET /x/?token=hunter2&page=2",
        "Authorization: Bearer hunter2",
        "GET /sign-in/password/reset/key/3-hunter2/",
        "Not Found: /calendar/17/hunter2-_x/sentinel.ics",
    ],
)
def test_a_password_in_words(line: Line, text: str) -> None:
    logging.getLogger("sentinel").warning(text)
    assert_hidden(line(), "hunter2")


@pytest.mark.parametrize(
    "extra",
    [
        {"password": "hunter2"},
        {"headers": {"Cookie": "sessionid=hunter2"}},
        {"addresses": ["smtp://u:hunter2@m"]},
        {"nested": {"deep": [{"api_key": "hunter2"}]}},
    ],
)
def test_a_secret_beside_the_words(line: Line, extra: dict[str, Any]) -> None:
    logging.getLogger("sentinel").warning("something", extra=extra)
    structlog.get_logger("sentinel").warning("something", **extra)
    assert line().count(HIDDEN) == 2
    assert "hunter2" not in line()


def test_the_web_server_s_own_lines_pass_the_same_way(line: Line) -> None:
    logging.getLogger("_granian").warning("broken: /p/%s/", TOKEN)
    assert_hidden(line())


def test_what_is_no_secret_stays(line: Line) -> None:
    logging.getLogger("sentinel").warning(
        "problem %s at /problems/5/call/ took %.1f s", 5, 2.5, extra={"tries": 3}
    )
    assert "problem 5 at /problems/5/call/ took 2.5 s" in line()
    assert HIDDEN not in line()
    if line().startswith("{"):
        assert json.loads(line())["tries"] == 3
