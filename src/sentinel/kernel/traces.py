"""One name for everything a frown sets in motion, so that its lines can be found in every process's log.

The trace of a problem is computed from its id and the secret key: web, engine and whoever reads the logs
come to the same 32 hexadecimal digits (the form of a W3C trace id) without a column that would have to
travel along. A request has an id of its own besides, the proxy's when that is well-formed.

What is bound here stands in every log line of the same thread (see the configuration's `logs`).
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from logging import Logger

from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars, get_contextvars

#: https://www.w3.org/TR/trace-context/: version, trace id, parent id, flags. Later versions may go on.
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-[\x21-\x7e]*)?")
_DIGITS = 32
_key = b""
_in_request: ContextVar[bool] = ContextVar("in_request", default=False)


def install(secret: str) -> None:
    """Make ``secret`` what traces are computed with in this process, for good."""
    global _key
    _key = secret.encode()


def trace_of(problem_id: int) -> str:
    """The trace of a problem: 32 hexadecimal digits, the same in every process with the same secret."""
    return hmac.digest(_key, b"sentinel trace of problem %d" % problem_id, "sha256").hex()[:_DIGITS]


def request_id(traceparent: str) -> str:
    """The trace id of a proxy's ``traceparent``; an invented one when there is none or it is malformed."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None or found[1] == "ff" or (found[1] == "00" and found[4]):
        return secrets.token_hex(_DIGITS // 2)
    is_zero = not found[2].strip("0") or not found[3].strip("0")
    return secrets.token_hex(_DIGITS // 2) if is_zero else found[2]


@contextmanager
def request(identity: str) -> Iterator[None]:
    """A request's lines: they carry ``request``, and from :func:`follow` on the problem's trace."""
    before = get_contextvars()
    token = _in_request.set(True)
    clear_contextvars()  # the thread serves one after the other
    bind_contextvars(request=identity)
    try:
        yield
    finally:
        _in_request.reset(token)
        clear_contextvars()
        bind_contextvars(**before)


def follow(problem_id: int) -> None:
    """From here on this request is about a problem. Outside a request nothing is bound: there nobody would
    take it away again."""
    if _in_request.get():
        bind_contextvars(**_fields(problem_id, None))


@contextmanager
def about(*, problem_id: int | None, message_id: int | None = None) -> Iterator[None]:
    """The lines of this block are about a problem, and perhaps about one of its messages."""
    with bound_contextvars(**_fields(problem_id, message_id)):
        yield


def say(logger: Logger, words: str, *, problem_id: int) -> None:
    """Write one line about a problem, wherever we are."""
    with about(problem_id=problem_id):
        logger.info(words)


def _fields(problem_id: int | None, message_id: int | None) -> dict[str, object]:
    fields: dict[str, object] = {}
    if problem_id is not None:
        fields |= {"trace": trace_of(problem_id), "problem": problem_id}
    if message_id is not None:
        fields["message"] = message_id
    return fields
