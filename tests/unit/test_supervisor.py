"""Parts that crash are started again, more slowly each time; all of them stop together."""

import subprocess
import sys
import threading

from sentinel.ops.supervisor import LONGEST_PAUSE, Part, pause_after, supervise

FOREVER = [sys.executable, "-c", "import signal; signal.pause()"]


def test_each_crash_in_a_row_doubles_the_pause_up_to_a_limit() -> None:
    assert [pause_after(n) for n in (1, 2, 3, 4)] == [1, 2, 4, 8]
    assert pause_after(1_000) == LONGEST_PAUSE


def test_a_crashed_part_is_reported_and_started_again() -> None:
    said: list[str] = []
    part = Part("short", [sys.executable, "-c", "raise SystemExit(3)"])
    part.start()
    assert part.process is not None
    part.process.wait()
    part.look_after(said.append)
    assert said == ["short ended (exit code 3); starting it again in 1 s"]
    part.start_again_at = 0
    part.look_after(said.append)
    assert part.process is not None
    part.process.wait()


def test_stopping_ends_every_part() -> None:
    stop = threading.Event()
    parts = [Part("one", FOREVER), Part("two", FOREVER)]
    started: list[subprocess.Popen[bytes] | None] = []

    def meanwhile() -> None:
        started.extend(part.process for part in parts)
        stop.set()

    supervise(parts, stop, say=print, meanwhile=meanwhile)
    assert [process.poll() is not None for process in started if process] == [True, True]
