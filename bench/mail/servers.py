"""The programs that a measurement talks to: our sink, Postfix's test programs, the embedded PostgreSQL."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sentinel.ops.postgres import Cluster, cluster_in

CHECKOUT = Path(__file__).resolve().parents[2]
#: Where Debian puts what is not for everybody.
PLACES = "/usr/sbin:/usr/lib/postfix/sbin:/usr/libexec/postfix"
UNPRIVILEGED = "nobody"


def program(name: str) -> str | None:
    """The path of one of Postfix's test programs, if it is installed."""
    return shutil.which(name) or shutil.which(name, path=PLACES)


@dataclass
class Sink:
    """A running mail sink. Only our own keeps a log and says at the end what it counted."""

    pid: int
    port: int
    log: Path | None = None
    keep: Path | None = None
    counts: dict[str, int] = field(default_factory=dict)

    def accepted(self) -> list[tuple[str, str, str]]:
        """Message-ID, digest of the bytes, recipient of every mail it took, oldest first."""
        assert self.log is not None
        lines = (line.split(" ") for line in self.log.read_text().splitlines())
        return [(line[2], line[3], line[4]) for line in lines if line[0] == "A"]

    def repeats(self) -> tuple[int, int, int]:
        """How many different mails came, how many copies too many, how many copies differ in a byte."""
        copies: Counter[str] = Counter()
        contents: dict[str, set[str]] = {}
        for name, digest, _recipient in self.accepted():
            copies[name] += 1
            contents.setdefault(name, set()).add(digest)
        changed = sum(len(known) - 1 for known in contents.values())
        return len(copies), sum(copies.values()) - len(copies), changed


@contextmanager
def own_sink(folder: Path, **options: Any) -> Iterator[Sink]:
    """Our sink as a process of its own; `options` as `sink.py` has them, `log=True` for a log in `folder`."""
    log = folder / f"sink-{time.monotonic_ns()}.log" if options.pop("log", False) else None
    keep = folder / f"mail-{time.monotonic_ns()}.eml" if options.pop("keep", False) else None
    command = [sys.executable, str(Path(__file__).with_name("sink.py"))]
    for name, value in {**options, "log": log, "keep": keep}.items():
        if value is not None:
            command += [f"--{name.replace('_', '-')}", str(value)]
    if log:
        log.touch()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    sink = Sink(pid=process.pid, port=int(process.stdout.readline()), log=log, keep=keep)
    try:
        yield sink
    finally:
        process.send_signal(signal.SIGTERM)
        last = process.stdout.read()
        process.wait()
        process.stdout.close()
        sink.counts.update(json.loads(last or "{}"))


@contextmanager
def fast_sink(folder: Path) -> Iterator[Sink]:
    """Postfix's smtp-sink where it is installed, else our own without a log."""
    path = program("smtp-sink")
    if path is None:
        with own_sink(folder) as sink:
            yield sink
        return
    port = free_port()
    process = subprocess.Popen(
        [path, "-u", UNPRIVILEGED, f"127.0.0.1:{port}", "1000"],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_for_port(port)
        yield Sink(pid=process.pid, port=port)
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, seconds: float = 30) -> None:
    """Return as soon as somebody listens there."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@dataclass(frozen=True)
class Place:
    """Where one run of the bench keeps its files and its database server."""

    folder: Path
    cluster: Cluster

    @property
    def postgres(self) -> int:
        """The process id of the database server."""
        return int((self.cluster.data / "postmaster.pid").read_text().split()[0])


@contextmanager
def temporary_place() -> Iterator[Place]:
    """A PostgreSQL of our own with its own safe settings, on the checkout's disk; nothing of it stays."""
    home = CHECKOUT / ".sentinel"
    home.mkdir(mode=0o755, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-mail-", dir=home))
    folder.chmod(0o755)
    cluster = cluster_in(folder)
    try:
        with cluster.running():
            yield Place(folder, cluster)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(cluster.home, ignore_errors=True)


@contextmanager
def running(command: list[str], environment: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One of the product's own programs, its words in `log`, stopped at the end as an operator stops it.

    In a session of its own: Linux shares the cores among sessions, as a supervisor does among services.
    """
    with log.open("ab") as words:
        process = subprocess.Popen(
            command,
            env=environment,
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
