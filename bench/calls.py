"""Measures calls through a telephone exchange: two SIPp telephones on this machine, many calls at once.

    .venv/bin/python bench/calls.py                          500 calls, 50 at once
    .venv/bin/python bench/calls.py --calls 1000 --at-once 100 --transport tcp
    .venv/bin/python bench/calls.py --press 200             through the console's workflow and a real engine

A call is what an owner's press sets off: the owner's telephone rings and answers, the worker's rings and
answers, both are told each other's place and acknowledge it, they talk for a second, and both are hung up.
SIPp, the adapter and this program share the machine; nothing leaves it. "Press to ring" is the time from
`place()` to the first ring that the owner's telephone reports back: both ways of the loopback are in it.

On a machine so busy that answers take half a second, requests are repeated, and SIPp takes some repeats for
mistakes and drops the call. Such failures are counted like all others.
"""

from __future__ import annotations

import argparse
import gc
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))

from sentinel.channels.voice.base import Accepted, CallEvent, CallState, EndReason  # noqa: E402
from sentinel.channels.voice.sip.calls import SipCalls  # noqa: E402
from sentinel.channels.voice.sip.settings import SipSettings  # noqa: E402
from tests.channels.voice.sip import sipp  # noqa: E402
from tests.channels.voice.sip.exchange import TEMPLATE, intent  # noqa: E402

TARGET_MILLISECONDS = 200.0
#: Long enough that as many people talk at once as the name says.
TALK_SECONDS = 1


class Meter:
    """What each call came to, and when."""

    def __init__(self) -> None:
        self.pressed: dict[str, float] = {}
        self.rang: dict[str, float] = {}
        self.bridged: dict[str, float] = {}
        self.reasons: Counter[str] = Counter()
        self.details: Counter[str] = Counter()
        self.calls: SipCalls | None = None
        self.talking = self.most_talking = 0
        self.free = threading.Semaphore(0)

    def told(self, event: CallEvent) -> None:
        at = time.perf_counter()
        if event.state is CallState.OWNER_RINGS:
            self.rang.setdefault(event.key, at)
        elif event.state is CallState.BRIDGED:
            self.bridged[event.key] = at
            self.talking += 1
            self.most_talking = max(self.most_talking, self.talking)
        elif event.state is CallState.ENDED:
            self.reasons[str(event.reason)] += 1
            self.talking -= event.key in self.bridged
            if event.reason is not EndReason.COMPLETED:
                self.details[event.detail] += 1
            self.free.release()

    def press(self, owner: str, worker: str, number: int) -> None:
        key = f"call-{number}"
        self.pressed[key] = time.perf_counter()
        wanted = intent(owner, worker, key=key, longest_seconds=TALK_SECONDS)
        placed = self.calls.place(wanted, datetime.now(UTC)) if self.calls else None
        if not isinstance(placed, Accepted):
            self.reasons["not placed"] += 1
            self.free.release()


def percentile(values: list[float], share: float) -> float:
    """The value that this share of all values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def row(name: str, seconds: list[float]) -> str:
    if not seconds:
        return f"{name:18} nothing to measure"
    figures = (f"{label} {1000 * percentile(seconds, share):7.1f} ms" for label, share in
               (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("max", 1.0)))  # fmt: skip
    return f"{name:18} {'   '.join(figures)}"


@contextmanager
def telephones(folder: Path, calls: int, transport: str) -> Iterator[tuple[sipp.Telephone, sipp.Telephone]]:
    """An owner's and a worker's telephone that answer at once, each for so many calls."""
    # SIPp's own 64 kB hold less than one burst of fifty calls; what does not fit is lost before it is read.
    options = ("-message_file", os.devnull, "-buff_size", str(4 * 1024 * 1024))
    answers = [sipp.ringing(), sipp.answers_each_invite("answering")]
    owner_steps = [*answers, *sipp.OWNER[2:], sipp.hung_up()]
    worker_steps = [*answers, *sipp.WORKER[2:], sipp.hung_up()]
    kind: dict[str, Any] = {"calls": calls, "transport": transport, "options": options}
    with (
        sipp.telephone("owner", owner_steps, folder / "owner", **kind) as owner,
        sipp.telephone("worker", worker_steps, folder / "worker", **kind) as worker,
    ):
        yield owner, worker


def measure(calls: int, at_once: int, transport: str) -> bool:
    """Make the calls, say how it went; whether the targets were met."""
    meter = Meter()
    settings = SipSettings(number_template=TEMPLATE, listen="127.0.0.1", most_calls=2 * at_once)
    meter.calls = SipCalls(settings, meter.told)
    meter.calls.start()
    with (
        tempfile.TemporaryDirectory() as folder,
        telephones(Path(folder), calls, transport) as (owner, worker),
    ):
        gc.freeze()
        cpu, began = time.process_time(), time.perf_counter()
        for number in range(calls):
            if number >= at_once:
                meter.free.acquire()
            meter.press(owner.address, worker.address, number)
        for _ in range(min(calls, at_once)):
            meter.free.acquire()
        took, cpu = time.perf_counter() - began, time.process_time() - cpu
        content = owner.is_content(60), worker.is_content(60)
    meter.calls.close(hang_up=True)
    return report(meter, calls, at_once, transport, took, cpu, content)


def report(
    meter: Meter,
    calls: int,
    at_once: int,
    transport: str,
    took: float,
    cpu: float,
    content: tuple[bool, bool],
) -> bool:
    """Say how it went; whether the targets were met."""
    ring = [meter.rang[key] - meter.pressed[key] for key in meter.rang]
    talk = [meter.bridged[key] - meter.pressed[key] for key in meter.bridged]
    failures = calls - meter.reasons[str(EndReason.COMPLETED)]
    print(f"{calls} calls, {at_once} at once, {transport.upper()}, {os.cpu_count()} cores,", end=" ")
    print(f"load {os.getloadavg()[0]:.1f} (others included)")
    print(f"failures           {failures}   {dict(meter.details) or ''}")
    print(f"telephones content {'both' if all(content) else content}")
    print(row("press to ring", ring))
    print(row("press to talk", talk))
    print(
        f"rate               {calls / took:.0f} calls a second, {1000 * cpu / calls:.2f} ms of processor each"
    )
    slow = not ring or 1000 * percentile(ring, 0.99) >= TARGET_MILLISECONDS
    good = not failures and all(content) and len(talk) == calls and not slow
    print(f"targets            {'met' if good else 'MISSED'}: 0 failures, press to ring p99 < 200 ms")
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--calls", type=int, default=500)
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--transport", choices=("udp", "tcp"), default="udp")
    parser.add_argument("--press", type=int, default=0, help="so many presses through the whole product")
    chosen = parser.parse_args()
    if chosen.press:
        os.environ["DJANGO_SETTINGS_MODULE"] = "sentinel.config.testing"
        # why: only this part needs Django, and it must be ready before anything of it is imported
        import django

        django.setup()
        # why: as above
        from bench.press import press

        sys.exit(0 if press(chosen.press) else 1)
    sys.exit(0 if measure(chosen.calls, chosen.at_once, chosen.transport) else 1)


if __name__ == "__main__":
    main()
