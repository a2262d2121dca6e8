"""CPU seconds and memory of other processes, their children included, while something is measured."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

#: Looking costs time of the very cores that are measured; peaks are kept by the kernel anyway.
SECONDS_BETWEEN_LOOKS = 1.0


@dataclass
class Cost:
    """What a measurement took: wall seconds, CPU seconds by name, the largest memory by name (MB)."""

    seconds: float = 0.0
    cpu: dict[str, float] = field(default_factory=dict)
    megabytes: dict[str, float] = field(default_factory=dict)

    def per_thousand(self, name: str, mails: int) -> float:
        """CPU seconds of `name` per 1,000 mails."""
        return self.cpu.get(name, 0.0) * 1000 / max(mails, 1)


class _Watched:
    """A process with everything below it; ended children count with the parent that waited for them."""

    def __init__(self, pid: int) -> None:
        self.root = psutil.Process(pid)
        self.largest = 0.0

    def _tree(self) -> list[psutil.Process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            return [self.root, *_below(self.root.pid)]
        return []

    def cpu(self) -> float:
        total = 0.0
        for process in self._tree():
            with contextlib.suppress(psutil.NoSuchProcess):
                used = process.cpu_times()
                total += used.user + used.system + used.children_user + used.children_system
        return total

    def look(self) -> None:
        """Remember the largest resident memory: the kernel's own high-water mark, summed over the tree."""
        total = sum(_high_water(process.pid) for process in self._tree())
        self.largest = max(self.largest, total)


def _below(pid: int) -> list[psutil.Process]:
    """All processes under one, from the kernel's own list: psutil goes through all processes."""
    found: list[psutil.Process] = []
    with contextlib.suppress(OSError, psutil.NoSuchProcess):
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            for child in children.read_text().split():
                found += [psutil.Process(int(child)), *_below(int(child))]
        return found
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def _high_water(pid: int) -> float:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    with contextlib.suppress(psutil.Error):
        return float(psutil.Process(pid).memory_info().rss) / 1e6
    return 0.0


@contextlib.contextmanager
def metered(**pids: int) -> Iterator[Cost]:
    """``with metered(sender=pid, sink=pid) as cost:``; `cost` is complete after the block."""
    watched = {name: _Watched(pid) for name, pid in pids.items()}
    before = {name: one.cpu() for name, one in watched.items()}
    cost, stop = Cost(), threading.Event()

    def look() -> None:
        while not stop.wait(SECONDS_BETWEEN_LOOKS):
            for one in watched.values():
                one.look()

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    began = time.perf_counter()
    try:
        yield cost
    finally:
        cost.seconds = cost.seconds or time.perf_counter() - began
        cost.cpu = {name: one.cpu() - before[name] for name, one in watched.items()}
        for one in watched.values():
            one.look()
        stop.set()
        thread.join()
        cost.megabytes = {name: one.largest for name, one in watched.items()}
