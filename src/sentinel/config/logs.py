"""How log lines are written, and what is kept out of them."""

import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, Processor

from sentinel.kernel.links import Purpose

HIDDEN = "[hidden]"
NAMES = r"password|passwd|secret|token|authorization|cookie|api_?key|signature"
SECRET_NAME = re.compile(NAMES, re.IGNORECASE)
_PURPOSES = "|".join(purpose.value for purpose in Purpose)
#: What is hidden inside any text, and what stands there instead; in this order. First, characters of which
#: such a text has one: most texts of a line have none, and an engine writes a thousand lines a second.
SECRETS_IN_TEXT = tuple(
    (frozenset(marks), re.compile(pattern, re.IGNORECASE), shown)
    for marks, pattern, shown in (
        # Credentials inside an address; the last "@" ends them, whatever the password holds.
        ("@", r"(?<=://)[^/\s@]*:[^/\s]*(?=@)", HIDDEN),
        # A worker's link, also one that somebody mistyped: what is nearly a token helps to guess it.
        ("/%", rf"((?:/|%2f)(?:{_PURPOSES})(?:/|%2f))[^/\s%?#'\"<>]{{16,}}", rf"\1{HIDDEN}"),
        # The same as part of a mail address.
        ("@%", rf"(\b(?:{_PURPOSES})-)[a-z2-7]{{16,}}(?=@|%40)", rf"\1{HIDDEN}"),
        # A token by itself: nothing else that is logged has so many base32 characters in a row.
        ("", r"[a-z2-7]{44,}", HIDDEN),
        # The address of a user's calendar.
        ("/", r"(/calendar/\d+/)[^/\s?#'\"<>]+", rf"\1{HIDDEN}"),
        # A user's link that sets a new password.
        ("/", r"(/reset/key/)[^/\s?#'\"<>]+", rf"\1{HIDDEN}"),
        # password=…, 'token': '…', Authorization: Bearer …
        (
            "=:",
            rf"""((?:{NAMES})\w*["']?\s*[=:]\s*)(?:"[^"]*"|'[^']*'|(?:(?:bearer|basic)\s+)?[^\s&;,"'<>)\]}}]+)""",
            rf"\1{HIDDEN}",
        ),
    )
)
_PLAIN = (int, float, bool, type(None))


def hide_secrets(_logger: object, _name: str, event: EventDict) -> EventDict:
    """Structlog processor: replaces secret values by name, and secrets inside any text or object.

    Comes right before the renderer, which would write objects (a request with its path) as text.
    """
    return {key: HIDDEN if _is_secret(key) else _hidden_in(value) for key, value in event.items()}


@lru_cache(maxsize=1_024)
def _is_secret(name: str) -> bool:
    return SECRET_NAME.search(name) is not None


def _hidden_in(value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, Mapping):
        return {
            _hidden_in_text(str(key)): HIDDEN if _is_secret(str(key)) else _hidden_in(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_hidden_in(inner) for inner in value]
    return _hidden_in_text(value if isinstance(value, str) else repr(value))


def _hidden_in_text(text: str) -> str:
    for marks, pattern, shown in SECRETS_IN_TEXT:
        if marks and marks.isdisjoint(text):
            continue
        text = pattern.sub(shown, text)
    return text


def logging_settings(log_format: str) -> dict[str, Any]:
    """Django's LOGGING for `log_format` (text or json), and structlog set up to match."""
    # No line shows them, and each asks the system (see "Optimization" in Python's own guide to logging).
    logging.logProcesses = logging.logMultiprocessing = logging.logThreads = False
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    renderer: list[Processor] = (
        [
            # Without local variables: they hold whatever people typed.
            structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False)),
            hide_secrets,
            structlog.processors.JSONRenderer(),
        ]
        if log_format == "json"
        else [structlog.processors.format_exc_info, hide_secrets, structlog.dev.ConsoleRenderer(colors=False)]
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": shared,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "django": {"level": "INFO", "handlers": [], "propagate": True},
            "django.server": {"level": "WARNING", "handlers": [], "propagate": True},
            # The web server's own lines pass the same way, so that no secret slips out beside it.
            "_granian": {"level": "WARNING", "handlers": [], "propagate": True},
        },
    }
