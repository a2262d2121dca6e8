"""`python -m` of this package: reads its settings from standard input and sends until SIGTERM.

Started by `sentinel sender`, which checks everything first and then becomes this process, so that
Django's memory is gone.
"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import sys

from sentinel.channels.email.bulk.sender import Sender
from sentinel.channels.email.bulk.settings import Settings, from_json


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event = {
            "event": record.getMessage(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "timestamp": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
        }
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event)


async def _run(settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await Sender(settings, stop).run()


def _set_up_logs(log_format: str) -> None:
    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s [%(levelname)s] %(message)s [%(name)s]")
    handler.setFormatter(_JsonLines() if log_format == "json" else text)
    logging.basicConfig(level=logging.INFO, handlers=[handler])


#: On a machine that is shared, pages and problem mail come first; alone, it costs nothing.
NICENESS = 10


def main() -> None:
    """Run with uvloop where it is installed, else with the standard loop."""
    settings = from_json(sys.stdin.read())
    _set_up_logs(settings.log_format)
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    # Nothing here holds on to itself in a circle, and looking for that all the time costs as much as mails.
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    try:
        # why: an optional extra
        import uvloop
    except ImportError:
        asyncio.run(_run(settings))
    else:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(settings))


if __name__ == "__main__":
    main()
