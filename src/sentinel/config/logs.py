"""How log lines are written, and what is kept out of them."""

import re
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

SECRET_NAME = re.compile(
    r"password|passwd|secret|token|authorization|cookie|api_key|signature", re.IGNORECASE
)
# Credentials inside an address, and the signed part of a worker's link.
CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+:[^/@\s]+(?=@)")
SIGNED_LINK = re.compile(r"(/r/)[\w\-.:=]{16,}")
HIDDEN = "[hidden]"


def hide_secrets(_logger: object, _name: str, event: EventDict) -> EventDict:
    """Structlog processor: replaces secret values by name, and credentials inside any text."""
    for key, value in event.items():
        if SECRET_NAME.search(key):
            event[key] = HIDDEN
        elif isinstance(value, str):
            event[key] = SIGNED_LINK.sub(rf"\1{HIDDEN}", CREDENTIALS.sub(HIDDEN, value))
    return event


def logging_settings(log_format: str) -> dict[str, Any]:
    """Django's LOGGING for `log_format` (text or json), and structlog set up to match."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    renderer: list[Processor] = (
        [structlog.processors.dict_tracebacks, hide_secrets, structlog.processors.JSONRenderer()]
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
        },
    }
