"""From a press to the first INVITE at the owner's telephone, through the whole product. Part of `calls.py`.

    .venv/bin/python bench/calls.py --press 200

A press is the workflow that the console's button runs, against PostgreSQL with its own safe settings. A real
engine process hears of it, claims it and sends the INVITE; the telephone here is a socket that notes when the
bytes came, and is busy. So each press is followed by a whole call that fails, with its timeline and notices.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connections
from django.test.utils import setup_databases, teardown_databases

from sentinel.calls.models import PlacedCall
from sentinel.channels.voice.sip.agent import respond
from sentinel.channels.voice.sip.message import Request, parse
from sentinel.config.telephone import calls_by
from sentinel.ops.postgres import cluster_in
from sentinel.problems.models import Problem
from sentinel.workflows.place_call import place_call
from tests.fakes.engine_process import Nursery
from tests.fakes.smtp import SmtpServer
from tests.stories.chaos import database_url, hurry
from tests.world import World, build_world

CHECKOUT = Path(__file__).resolve().parent.parent
TARGET_SECONDS = 0.2
CALLS_URL = "sip://127.0.0.1?number=sip:{number}@127.0.0.1&listen=127.0.0.1&outbound=direct"


@contextmanager
def fresh_database() -> Iterator[World]:
    """An empty database with the cast, on a server with PostgreSQL's own safe settings."""
    with cluster_in(CHECKOUT / ".sentinel", "bench").running() as cluster:
        default = connections.databases["default"]
        default["HOST"] = str(cluster.socket_folder)
        default["TEST"]["NAME"] = f"bench_{os.getpid()}"
        made = setup_databases(verbosity=0, interactive=False)
        try:
            yield build_world()
        finally:
            teardown_databases(made, verbosity=0)


def percentiles(values: list[float]) -> str:
    ordered = sorted(values)
    p50, p99 = (ordered[int((len(ordered) - 1) * share)] * 1000 for share in (0.5, 0.99))
    return f"p50 {p50:.0f} ms  p99 {p99:.0f} ms  max {ordered[-1] * 1000:.0f} ms"


class BusyTelephone:
    """Notes when each new INVITE arrives, and is busy."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.rang: list[float] = []
        self._known: set[str] = set()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            data, address = self._socket.recvfrom(65_535)
            at = time.perf_counter()
            message = parse(data)
            if not isinstance(message, Request) or message.method != "INVITE":
                continue
            if message.call_id not in self._known:
                self._known.add(message.call_id)
                self.rang.append(at)
            answer = respond(message, 486, reason="Busy Here")
            answer.headers.put("To", f"{message.headers.get('To')};tag=busy")
            self._socket.sendto(answer.encode(), address)


@contextmanager
def _at_work(world: World, telephone: BusyTelephone) -> Iterator[Problem]:
    settings.CALLS_BY = calls_by(CALLS_URL)
    hurry()
    world.clock.set(datetime.now(UTC))
    world.maria.telephone = f"sip:maria@127.0.0.1:{telephone.port}"
    world.maria.save()
    problem = world.frown()
    with (
        SmtpServer() as sink,
        Nursery(
            database_url=database_url(), smtp_port=sink.port, further={"SENTINEL_CALLS_URL": CALLS_URL}
        ) as nursery,
    ):
        nursery.start()
        yield problem


def press(presses: int) -> bool:
    """Press so many times, one after the other; whether the target was met."""
    telephone = BusyTelephone()
    pressed, committed = [], []
    with fresh_database() as world, _at_work(world, telephone) as problem:
        for number in range(presses + 1):
            pressed.append(time.perf_counter())
            place_call(problem_id=problem.pk, user=world.maria, now=datetime.now(UTC))
            committed.append(time.perf_counter())
            until = time.monotonic() + 30
            while len(telephone.rang) <= number or PlacedCall.objects.filter(ended_at=None).exists():
                if time.monotonic() > until:
                    raise SystemExit(f"press {number} let no telephone ring")
                time.sleep(0.02)
    # The first one waits for the engine's start and opens the sockets.
    ring = telephone.rang[1:]
    from_press = [at - began for at, began in zip(ring, pressed[1:], strict=True)]
    from_commit = [at - began for at, began in zip(ring, committed[1:], strict=True)]
    print(f"{presses} presses, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} (others included)")
    print(f"press to ring      {percentiles(from_press)}")
    print(f"commit to ring     {percentiles(from_commit)}")
    good = sorted(from_commit)[int((len(from_commit) - 1) * 0.99)] < TARGET_SECONDS
    print(f"target             {'met' if good else 'MISSED'}: commit to ring p99 < 200 ms")
    return good
