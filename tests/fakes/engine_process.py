"""Real engine processes for tests that kill them.

Run as a program it becomes a nursery: Django is loaded once, then every line "start" on its input forks
one engine and prints its process id. Forking makes a kill every tenth of a second possible; each
engine is otherwise the one that `sentinel engine` runs. When its input ends, all its engines end.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

CHECKOUT = Path(__file__).resolve().parents[2]
PR_SET_PDEATHSIG = 1
MARK_BEFORE_SEND = "mark-before-send"
#: Never looks without a reason: what is not due goes unnoticed for a minute, unless somebody rings the bell.
SLEEP_SOUNDLY = "sleep-soundly"
SOUND_SECONDS = 60.0
#: How the connections of an engine call themselves to the database: whoever looks knows which one it was.
NAMED = "engine {}"


def nursery(lease_seconds: float, oddity: str) -> None:
    """Fork engines on demand."""
    # why: only this program may choose the settings, and it does so by its environment
    import django

    django.setup()
    # why: models exist from here on
    from django.db import connections

    from sentinel.engine.loop import run_forever

    if oddity == MARK_BEFORE_SEND:
        _mark_before_sending()
    if oddity == SLEEP_SOUNDLY:
        _sleep_soundly()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel clears the dead away
    for line in sys.stdin:
        if line.strip() != "start":
            continue
        child = os.fork()
        if child == 0:
            connections.databases["default"]["OPTIONS"]["application_name"] = NAMED.format(os.getpid())
            run_forever(_stop_when_asked(), lease=timedelta(seconds=lease_seconds))
            os._exit(0)
        print(child, flush=True)  # noqa: T201


def _stop_when_asked() -> threading.Event:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    return stop


def _sleep_soundly() -> None:
    # why: models exist only after Django is ready
    from sentinel.engine import loop
    from sentinel.engine.passes import follow_calls

    sleepers: Any = (loop, follow_calls)
    sleepers[0].LONGEST_SLEEP = sleepers[1].BUSY = sleepers[1].IDLE = SOUND_SECONDS


def _mark_before_sending() -> None:
    """The mutant: settle as accepted, then send."""
    # why: only the mutant needs them, and only after Django is ready
    from sentinel.channels.base import Sent
    from sentinel.engine.passes import dispatch
    from sentinel.outbox.rules import Result

    broken: Any = dispatch

    begin = broken._Desk._begin

    def marked_first(desk: Any, batch: Any, stop: Any) -> Any:
        for message in begin(desk, batch, stop):
            broken._settle(message, Sent(result=Result.ACCEPTED), desk._clock())
            yield message

    broken._Desk._begin = marked_first


class Nursery:
    """``with Nursery(...) as nursery:``, then ``nursery.start()`` and ``nursery.kill(pid)``.

    ``further``: more SENTINEL_* variables. ``inside``: the start of a command line that runs the rest of it
    somewhere else, for instance in a network of its own.
    """

    def __init__(
        self,
        *,
        database_url: str,
        smtp_port: int,
        smtp_host: str = "127.0.0.1",
        lease_seconds: float = 1.0,
        oddity: str = "",
        further: Mapping[str, str] | None = None,
        inside: Sequence[str] = (),
    ) -> None:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SENTINEL_")},
            "DJANGO_SETTINGS_MODULE": "sentinel.config.settings",
            "SENTINEL_DATABASE_URL": database_url,
            "SENTINEL_EMAIL_URL": f"smtp://{smtp_host}:{smtp_port}",
            "SENTINEL_BASE_URL": "http://testserver",
            "SENTINEL_SECRET_KEY": settings.SECRET_KEY,  # what the test has sealed, the engine must open
            **(further or {}),
        }
        self._process = subprocess.Popen(
            [*inside, sys.executable, __file__, str(lease_seconds), oddity],
            env=environment,
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.running: list[int] = []
        self.killed_at: dict[int, float] = {}

    def __enter__(self) -> Nursery:
        return self

    def start(self) -> int:
        """Fork one more engine; returns its process id."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("start\n")
        self._process.stdin.flush()
        child = int(self._process.stdout.readline())
        self.running.append(child)
        return child

    def kill(self, child: int) -> None:
        """SIGKILL: no clean-up, no last words."""
        self.killed_at[child] = time.time()
        os.kill(child, signal.SIGKILL)
        self.running.remove(child)

    @property
    def kills(self) -> int:
        return len(self.killed_at)

    def pause(self, child: int) -> None:
        """SIGSTOP: alive, and deaf to everything, like a machine that is swapped out or paused."""
        os.kill(child, signal.SIGSTOP)

    def go_on(self, child: int) -> None:
        """SIGCONT: it knows nothing of the time that passed."""
        os.kill(child, signal.SIGCONT)

    def __exit__(self, *_: object) -> None:
        for child in self.running:
            os.kill(child, signal.SIGKILL)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


if __name__ == "__main__":
    nursery(float(sys.argv[1]), sys.argv[2])
