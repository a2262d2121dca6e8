"""The loop from outside: letters, whole cycles, timers and frowns through real engines."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from django.db import connections, transaction

from bench import stock
from bench.mail.database import environment, fresh_database, sentinel
from bench.mail.meter import metered
from bench.mail.pages import percentile
from bench.mail.provider import build_provider, plan_next
from bench.mail.runs import counters, go, launch, sending
from bench.mail.servers import Place, Sink, fast_sink, own_sink, running
from bench.mail.table import Verdicts, say
from sentinel.accounts.models import Worker
from sentinel.checkins.models import Programme
from sentinel.checkins.rules import Severity
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.workflows.open_problem import open_problem

_PATIENCE = 300.0
#: Between two looks at the tables: looking costs time of the cores that are measured.
_LOOK = 0.05
FEWEST_CYCLES = 2_000
LATEST_TIMER = 2.0
FROWN_P50, FROWN_P99 = 1.0, 3.0

_FIRST_FIRINGS = """
SELECT extract(epoch FROM at - (data->>'scheduled_at')::timestamptz)::float8
FROM timeline_event WHERE verb = 'duty.fired' AND (data->>'scheduled_at')::timestamptz >= %s
"""


@contextmanager
def _engines(place: Place, port: int, many: int) -> Iterator[list[int]]:
    """So many engines, each from its first cycle on; their process ids."""
    variables = environment(place, port)
    log = place.folder / "engines.log"
    if many == 0:
        yield []
        return
    with running(sentinel("engine"), variables, log) as engine, _engines(place, port, many - 1) as others:
        yield [engine.pid, *others]


def _wait(connection: stock.Connection, question: str, wanted: int, *, at_most: bool = False) -> float:
    """Wait until a count is reached; returns when that was seen (``perf_counter``)."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        row = connection.execute(question).fetchone()
        assert row is not None
        count = int(str(row[0]))
        if count <= wanted if at_most else count >= wanted:
            return time.perf_counter()
        time.sleep(_LOOK)
    raise SystemExit(f"after {_PATIENCE:.0f} s still not: {question} -> {wanted}")


def _letter(number: int) -> NewMessage:
    """Mail of its own recipient, so that it is never merged; as large as a notice."""
    words = "Your problem with the printer on the second floor is in good hands.\n" * 20
    return NewMessage(
        dedupe_key=f"letter:{number}",
        channel="email",
        kind="problem.written",
        recipient_kind="worker",
        recipient_id=stock.FIRST + number,
        address=f"w{number}@d{number % 200}.example",
        priority=Priority.ANSWER,
        payload={
            "subject": f"Letter {number}",
            "text": words,
            "html": f"<!doctype html><html><body><p>{words}</p></body></html>",
            "language": "en",
            "from_name": "Maria Schulz",
            "from_address": "sentinel@provider.example",
            "reply_to": "",
            "headers": {},
        },
    )


def _cost(cpu: dict[str, float], done: int) -> str:
    shares = "  ".join(f"{name} {seconds * 1000 / done:.2f}" for name, seconds in cpu.items())
    return f"CPU-s per 1,000: {shares}, together {sum(cpu.values()) * 1000 / done:.2f}"


def _pids(place: Place, sink: Sink, engines: list[int]) -> dict[str, int]:
    return {f"engine{n}": pid for n, pid in enumerate(engines, 1)} | {
        "postgres": place.postgres,
        "sink": sink.pid,
    }


def _load() -> str:
    return f"load {os.getloadavg()[0]:.1f}"


_ACCEPTED = "SELECT count(*) FROM outbox_message WHERE state = 'accepted' AND channel = 'email'"
_LIVE = """
SELECT count(*) FROM outbox_message
WHERE channel IN ('email', 'console') AND (state = 'sending' OR state = 'pending' AND visible_at <= now())
"""


def measure_sending(place: Place, verdicts: Verdicts, *, letters: int, engines: int) -> None:
    """Claim, send, settle: the letters lie there, and the clock runs until the last one is settled."""
    with fresh_database(place) as connection, fast_sink(place.folder) as sink:
        build_provider(datetime.now(UTC))
        for start in range(0, letters, 1_000):
            with transaction.atomic():
                new = [_letter(number) for number in range(start, min(start + 1_000, letters))]
                enqueue(new, now=datetime.now(UTC) + timedelta(seconds=0))
        connection.execute("UPDATE outbox_message SET visible_at = now() + interval '1 hour'")
        stock.settle_down(connection)
        with _engines(place, sink.port, engines) as pids:
            _wait(connection, "SELECT count(*) FROM engine_enginebeat WHERE cycle_no > 0", engines)
            with metered(**_pids(place, sink, pids)) as cost:
                connection.execute("UPDATE outbox_message SET visible_at = now()")
                connection.execute("SELECT pg_notify('sentinel_outbox', '')")
                began = time.perf_counter()
                cost.seconds = _wait(connection, _ACCEPTED, letters) - began
    rate = letters / cost.seconds
    say(f"{engines} engine(s)  {letters} letters  {rate:6,.0f}/s  {_cost(cost.cpu, letters)}  {_load()}")


def measure_cycles(place: Place, verdicts: Verdicts, *, duties: int, engines: int) -> None:
    """Duties of as many owners are due at once; over when each has fired and all its messages are settled."""
    with fresh_database(place) as connection, fast_sink(place.folder) as sink:
        like = stock.pattern()
        stock.add_customers(connection, like, duties)
        stock.add_problems(connection, like, 1, duties)
        connection.execute("DELETE FROM outbox_message")
        stock.settle_down(connection)
        with _engines(place, sink.port, engines) as pids:
            _wait(connection, "SELECT count(*) FROM engine_enginebeat WHERE cycle_no > 0", engines)
            with metered(**_pids(place, sink, pids)) as cost:
                connection.execute(
                    "UPDATE escalation_duty SET fire_at = now(), rung_at = now(), due_at = now()"
                    " WHERE problem_id > %s",
                    [stock.FIRST],
                )
                began = time.perf_counter()
                fired = _wait(connection, "SELECT count(*) FROM escalation_duty WHERE rung > 0", duties)
                done = _wait(connection, _LIVE, 0, at_most=True)
                cost.seconds = done - began
        mails = _number(connection, _ACCEPTED)
        notices = _number(connection, _ACCEPTED.replace("'email'", "'console'"))
    rate = duties / cost.seconds
    firing = duties / (fired - began)
    say(
        f"{engines} engine(s)  {duties} duties  {rate:6,.0f} cycles/s  ({firing:,.0f} fired/s, {mails} mails,"
        f" {notices} notices)  {_cost(cost.cpu, duties)}  {_load()}"
    )
    if mails < duties:
        raise SystemExit(f"only {mails} mails for {duties} duties")
    if engines == 2:
        verdicts.judge("complete cycles", f"{rate:,.0f}/s", f">= {FEWEST_CYCLES:,}/s", rate >= FEWEST_CYCLES)


def _number(connection: stock.Connection, question: str) -> int:
    row = connection.execute(question).fetchone()
    assert row is not None
    return int(str(row[0]))


def measure_lateness(place: Place, verdicts: Verdicts, *, opened: int, a_second: int, seconds: int) -> None:
    """Duties fall due one after the other at a steady rate among many that are not."""
    due = a_second * seconds
    with fresh_database(place) as connection, fast_sink(place.folder) as sink:
        like = stock.pattern()
        stock.add_customers(connection, like, opened)
        start = datetime.now(UTC)
        stock.add_problems(connection, like, 1, opened)
        connection.execute("DELETE FROM outbox_message")
        stock.settle_down(connection)
        with _engines(place, sink.port, 1):
            _wait(connection, "SELECT count(*) FROM engine_enginebeat WHERE cycle_no > 0", 1)
            start = datetime.now(UTC) + timedelta(seconds=2)
            connection.execute(
                "UPDATE escalation_duty SET fire_at = at, rung_at = at, due_at = at FROM ("
                " SELECT problem_id AS pk, %s + (problem_id - %s) * interval '1 second' / %s AS at"
                " FROM escalation_duty WHERE problem_id BETWEEN %s AND %s) AS planned WHERE pk = problem_id",
                [start, stock.FIRST + 1, a_second, stock.FIRST + 1, stock.FIRST + due],
            )
            time.sleep(seconds)
            _wait(connection, "SELECT count(*) FROM escalation_duty WHERE rung > 0", due)
        late = [float(str(row[0])) for row in connection.execute(_FIRST_FIRINGS, [start]).fetchall()]
    p50, p99, worst = (percentile(late, share) for share in (0.5, 0.99, 1.0))
    figures = f"p50 {p50 * 1000:.0f}  p99 {p99 * 1000:.0f}  max {worst * 1000:.0f} ms"
    say(f"{len(late)} timers, {a_second} a second, {opened:,} open problems: late {figures}  {_load()}")
    verdicts.judge("timers late, p99", f"{p99 * 1000:.0f} ms", "<= 2,000 ms", p99 <= LATEST_TIMER)


def measure_frowns(
    place: Place, verdicts: Verdicts, *, opened: int, mails: int, a_second: int, seconds: int
) -> None:
    """Problems are opened one after the other while check-ins leave at full speed; each owner has one."""
    with (
        fresh_database(place) as connection,
        own_sink(place.folder, log=True) as sink,
        fast_sink(place.folder) as bulk_sink,
    ):
        launch(connection, mails)
        plan_next(connection, Programme.objects.get().pk)
        like = stock.pattern_of_provider()
        frowns = a_second * seconds
        stock.add_customers(connection, like, opened + frowns)
        stock.add_problems(connection, like, 1, opened)
        connection.execute("DELETE FROM outbox_message")
        stock.settle_down(connection)
        with _engines(place, sink.port, 1), sending(place, connection, bulk_sink.port):
            _wait(connection, "SELECT count(*) FROM engine_enginebeat WHERE cycle_no > 0", 1)
            go(connection)
            committed = _frown(opened, frowns, a_second)
            sent = counters(connection)
            waits = _waits(connection, sink, committed)
        connections.close_all()
    over = "" if sent.on_their_way else ", and then none: take more mails"
    say(f"meanwhile {sent.sent:,} check-ins left{over}")
    p50, p99, worst = (percentile(waits, share) for share in (0.5, 0.99, 1.0))
    figures = f"p50 {p50 * 1000:.0f}  p99 {p99 * 1000:.0f}  max {worst * 1000:.0f} ms"
    say(f"{len(waits)} frowns, {a_second} a second, {opened:,} open: accepted after {figures}  {_load()}")
    verdicts.judge("frown to acceptance, p50", f"{p50 * 1000:.0f} ms", "<= 1,000 ms", p50 <= FROWN_P50)
    verdicts.judge("frown to acceptance, p99", f"{p99 * 1000:.0f} ms", "<= 3,000 ms", p99 <= FROWN_P99)


def _frown(after: int, frowns: int, a_second: int) -> dict[int, float]:
    """Open problems at a rate that does not wait for slow ones; when each was committed, by problem."""
    first = stock.FIRST + after + 1
    workers = {worker.pk: worker for worker in Worker.objects.filter(pk__gte=first, pk__lt=first + frowns)}
    committed = {}
    began = time.perf_counter()
    for number, worker in enumerate(workers.values()):
        time.sleep(max(0.0, began + number / a_second - time.perf_counter()))
        problem = open_problem(
            worker=worker,
            response=None,
            words="It eats paper",
            severity=Severity.STOPPED,
            now=datetime.now(UTC),
        )
        committed[problem.pk] = time.time()
    return committed


def _waits(connection: stock.Connection, sink: Sink, committed: dict[int, float]) -> list[float]:
    """Seconds from each commit to the sink's first acceptance of the owner's mail about it."""
    assert sink.log is not None
    names = {
        str(name): int(str(problem))
        for name, problem in connection.execute(
            "SELECT message_id, problem_id FROM outbox_message"
            " WHERE channel = 'email' AND kind = 'duty.notice' AND dedupe_key LIKE 'opened:%'"
        ).fetchall()
    }
    deadline = time.monotonic() + 30
    while True:
        taken: dict[int, float] = {}
        for line in sink.log.read_text().splitlines():
            _, at, name, *_ = line.split(" ")
            problem = names.get(name.partition("@")[0])
            if problem is not None:
                taken.setdefault(problem, float(at))
        if committed.keys() <= taken.keys() or time.monotonic() > deadline:
            return [taken.get(problem, float("inf")) - at for problem, at in committed.items()]
        time.sleep(0.2)
