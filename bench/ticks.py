"""What one turn of the engine costs, with few rows in the tables and with many."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import psutil
from django.db import connection as django_connection

from bench import stock
from bench.mail.database import fresh_database
from bench.mail.servers import Place
from bench.mail.table import Verdicts, say
from sentinel.channels import registry
from sentinel.channels.base import Capabilities, Sent
from sentinel.engine.passes import dispatch, fire_duties
from sentinel.engine.selectors import next_firing_at
from sentinel.outbox.rules import Result
from sentinel.outbox.selectors import next_visible_at
from sentinel.outbox.services import Claimed

TICKS = 20
DUE = 100
LARGEST_RATIO = 1.5


class _Nobody:
    """Accepts at once: what a mail server does is no part of a tick."""

    channel = "email"
    capabilities = Capabilities(may_repeat=True, connections=1, batch=100, together=20)

    def send(self, message: Claimed, now: datetime) -> Sent:
        return Sent(result=Result.ACCEPTED, provider="bench")

    def close(self) -> None:
        """Nothing is held open."""


def measure(place: Place, verdicts: Verdicts, *, few: int, many: int) -> None:
    """``few`` and ``many``: open problems, and as many closed ones with two sent messages each."""
    costs = {}
    for rows in (few, many):
        costs[rows] = _measure(place, rows)
        for name, milliseconds in costs[rows].items():
            say(f"{rows:9,} open and {rows:,} closed  {name:28} {milliseconds:8.2f} ms")
    for name in costs[few]:
        ratio = costs[many][name] / costs[few][name]
        verdicts.judge(
            f"{name}, {many:,} to {few:,}", f"{ratio:.2f} times", "<= 1.5 times", ratio <= LARGEST_RATIO
        )


def _measure(place: Place, rows: int) -> dict[str, float]:
    due = TICKS * DUE
    with fresh_database(place) as connection:
        like = stock.pattern()
        stock.add_customers(connection, like, due)
        stock.add_problems(connection, like, 1, due)
        stock.add_problems(connection, like, due + 1, rows - due, with_policies=False, people=due)
        stock.add_closed(connection, like, rows + 1, rows, people=due)
        connection.execute("DELETE FROM outbox_message WHERE state = 'pending'")
        stock.settle_down(connection)
        with registry.using({"email": _Nobody()}):
            return _ticks(connection)


def _ticks(connection: stock.Connection) -> dict[str, float]:
    """CPU milliseconds of this process and its database session, by kind of turn; the median of all turns."""
    django_connection.ensure_connection()
    backend = psutil.Process(django_connection.connection.info.backend_pid)
    found: dict[str, list[float]] = {}

    def timed(name: str, turn: Callable[[], object], times: int = 1) -> None:
        before = _cpu(backend)
        for _ in range(times):
            turn()
        found.setdefault(name, []).append((_cpu(backend) - before) * 1000 / times)

    for number in range(TICKS):
        first = stock.FIRST + number * DUE + 1
        connection.execute(
            "UPDATE escalation_duty SET fire_at = now(), rung_at = now(), due_at = now()"
            " WHERE problem_id BETWEEN %s AND %s",
            [first, first + DUE - 1],
        )
        timed(f"firing {DUE} duties", lambda: fire_duties.run(datetime.now(UTC)))
        timed("sending what they cause", lambda: dispatch.run(datetime.now(UTC)))
        timed("looking, nothing due", _look, times=20)
    return {name: median(values) for name, values in found.items()}


def _look() -> None:
    now = datetime.now(UTC)
    fire_duties.run(now)
    dispatch.run(now)
    next_firing_at()
    next_visible_at("email")


def _cpu(backend: psutil.Process) -> float:
    """Seconds of CPU so far. The kernel counts another process's in steps of 10 ms, so its share is taken
    from the scheduler, which counts nanoseconds."""
    nanoseconds = Path(f"/proc/{backend.pid}/schedstat").read_text().split()[0]
    return time.process_time() + int(nanoseconds) / 1e9
