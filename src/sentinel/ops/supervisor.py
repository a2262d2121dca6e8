"""Keeps the parts of `sentinel up` running, and stops all of them together."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

# A part that dies at once is not started again at once: its reason would drown in its own repeats.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
# After this long without a crash the earlier ones are forgotten.
SECONDS_UNTIL_TRUSTED = 60.0
SECONDS_TO_STOP = 20.0
TICK = 0.25
PR_SET_PDEATHSIG = 1


def pause_after(crashes: int) -> float:
    """Seconds to wait before starting a part again after that many crashes in a row."""
    return float(min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** max(0, min(crashes, 16) - 1)))


def _end_with_parent() -> None:
    """In the child: if the supervisor is killed, no part stays behind holding the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Part:
    """One process under supervision."""

    name: str
    command: Sequence[str]
    crashes: int = 0
    started_at: float = 0.0
    start_again_at: float = 0.0
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        self.started_at = time.monotonic()
        # A session of its own: Ctrl-C reaches the supervisor alone, which stops the parts in order.
        self.process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,
        )

    def look_after(self, say: Callable[[str], None]) -> None:
        """Start the part if it is due, and notice if it died."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.start_again_at:
                self.start()
            return
        code = self.process.poll()
        if code is None:
            return
        self._clear_away()
        self.crashes = 1 if now - self.started_at > SECONDS_UNTIL_TRUSTED else self.crashes + 1
        pause = pause_after(self.crashes)
        self.start_again_at = now + pause
        say(f"{self.name} ended ({_in_words(code)}); starting it again in {pause:.0f} s")

    def _clear_away(self) -> None:
        """Forget the process, and end whatever it started and left behind."""
        if self.process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process = None

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def wait_for_stop(self, deadline: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._clear_away()


def supervise(
    parts: Sequence[Part],
    stop: threading.Event,
    say: Callable[[str], None],
    meanwhile: Callable[[], None],
) -> None:
    """Run `parts` until `stop` is set, then stop them in reverse order of their start.

    `meanwhile` is called on every round, a few times a second.
    """
    try:
        while not stop.is_set():
            for part in parts:
                part.look_after(say)
            meanwhile()
            stop.wait(TICK)
    finally:
        deadline = time.monotonic() + SECONDS_TO_STOP
        for part in reversed(parts):
            part.ask_to_stop()
        for part in reversed(parts):
            part.wait_for_stop(deadline)


def stop_on_signals() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set; call it from the main thread."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _in_words(code: int) -> str:
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
