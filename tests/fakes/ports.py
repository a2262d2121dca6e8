"""Ports of this machine: which are free, and when somebody else's program has opened one."""

from __future__ import annotations

import random
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

_UDP, _TCP_LISTENING = "07", "0A"


#: Below those that the system hands out by itself. Asked for by chance, as tests run in several processes.
_CANDIDATES, _CHANCE = range(10_000, 32_000, 2), random.SystemRandom()
#: What this process has given away, as a program opens its ports only some time after it was told them.
_given: set[int] = set()


def free_port(*, together: int = 1) -> int:
    """The first of some ports in a row that nobody uses, UDP and TCP alike; even, never given twice."""
    for _ in range(200):
        first = _CHANCE.choice(_CANDIDATES)
        ports = range(first, first + together)
        if _given.isdisjoint(ports) and _all_free(ports):
            _given.update(ports)
            return first
    raise OSError("no free ports")


def _all_free(ports: range) -> bool:
    with ExitStack() as stack:
        try:
            for port in ports:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def wait_until(true: Callable[[], object], what: str, *, seconds: float = 20.0) -> None:
    """Wait for another process to have done something; fails loudly when it does not."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def wait_for_udp(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a program has bound a UDP port."""
    _wait_for("udp", port, _UDP, process)


def wait_for_tcp(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a program listens on a TCP port."""
    _wait_for("tcp", port, _TCP_LISTENING, process)


def _wait_for(table: str, port: int, state: str, process: subprocess.Popen[bytes]) -> None:
    def is_open() -> bool:
        assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
        lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == state for line in lines)

    wait_until(is_open, f"port {port} is open")
