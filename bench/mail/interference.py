"""What everything else feels of a run at full speed: the answer page, and mail about problems."""

from __future__ import annotations

import time

import psycopg

from bench.mail.database import environment, fresh_database, sentinel
from bench.mail.meter import metered
from bench.mail.pages import Visits, percentile, visit
from bench.mail.provider import plan_next
from bench.mail.runs import counters, go, launch, sending
from bench.mail.servers import Place, Sink, fast_sink, free_port, own_sink, running, wait_for_port
from bench.mail.table import Verdicts, headings, row, say
from sentinel.checkins.models import Programme

VISITS_A_SECOND = 10
FROWN_EVERY = 10
LONGEST_PAGE = 0.150
LONGEST_MAIL = 2.0

_OWNERS_MAIL = """
SELECT m.message_id, p.opened_at FROM outbox_message m JOIN problems_problem p ON p.id = m.problem_id
WHERE m.channel = 'email' AND m.kind = 'duty.notice' AND m.dedupe_key LIKE 'opened:%'
"""


def measure(place: Place, verdicts: Verdicts, *, mails: int, seconds: float) -> None:
    """The same visits twice: on a quiet machine, then while `mails` leave at full speed.

    The clients of the pages are this process; web, engine and sender are processes of their own.
    """
    for name in ("quiet", "busy"):
        with fresh_database(place) as connection, own_sink(place.folder, log=True) as sink:
            launch(connection, mails)
            plan_next(connection, Programme.objects.get().pk)
            port = free_port()
            variables = environment(place, sink.port, SENTINEL_PORT=str(port))
            with (
                running(sentinel("web"), variables, place.folder / "web.log"),
                running(sentinel("engine"), variables, place.folder / "engine.log"),
            ):
                wait_for_port(port)
                _warm_up(port, connection)
                if name == "quiet":
                    visits = _visit(port, connection, seconds)
                else:
                    visits = _visit_during_a_run(place, connection, port, seconds)
                waits = _wait_for_mail(connection, sink)
        _show(name, visits, waits, verdicts)


def _check_ins(connection: psycopg.Connection, many: int, *, after: int = 0) -> list[int]:
    """Check-ins of different accounts in turn; those that leave first."""
    found = connection.execute(
        "SELECT check_in_id FROM bulk_delivery ORDER BY id LIMIT %s OFFSET %s", [many, after]
    )
    return [row[0] for row in found.fetchall()]


def _warm_up(port: int, connection: psycopg.Connection) -> None:
    visit(port, _check_ins(connection, 10), frowns=set(), a_second=5, seconds=5)


def _visit(port: int, connection: psycopg.Connection, seconds: float) -> Visits:
    known = _check_ins(connection, int(VISITS_A_SECOND * seconds), after=10)
    return visit(port, known, frowns=set(known[::FROWN_EVERY]), a_second=VISITS_A_SECOND, seconds=seconds)


def _visit_during_a_run(place: Place, connection: psycopg.Connection, port: int, seconds: float) -> Visits:
    """The run must be longer than the visits, or what is shown is not what was asked."""
    with (
        fast_sink(place.folder) as sink,
        sending(place, connection, sink.port) as sender,
        metered(sender=sender.pid, sink=sink.pid, postgres=place.postgres) as cost,
    ):
        go(connection)
        visits = _visit(port, connection, seconds)
        sent = counters(connection)
    headings()
    row("the run meanwhile", sent.sent, cost)
    if not sent.on_their_way:
        say("    the run was over before the visits were: take more mails")
    return visits


def _wait_for_mail(connection: psycopg.Connection, sink: Sink) -> list[float]:
    """Seconds from each frown to its owner's mail being taken by the mail server."""
    assert sink.log is not None
    deadline = time.monotonic() + 30
    while True:
        opened = dict(connection.execute(_OWNERS_MAIL).fetchall())
        taken: dict[str, float] = {}
        for line in sink.log.read_text().splitlines():
            _, at, name, *_ = line.split(" ")
            taken.setdefault(name.partition("@")[0], float(at))
        if opened.keys() <= taken.keys() or time.monotonic() > deadline:
            missing = float("inf")
            return [taken.get(name, missing) - at.timestamp() for name, at in opened.items()]
        time.sleep(0.2)


def _show(name: str, visits: Visits, waits: list[float], verdicts: Verdicts) -> None:
    for what, times in (("GET", visits.looks), ("POST", visits.answers)):
        p50, p95, worst = (percentile(times, share) * 1000 for share in (0.5, 0.95, 1.0))
        figures = f"p50 {p50:5.0f}  p95 {p95:5.0f}  max {worst:5.0f} ms"
        say(f"{name:6} answer page {what:5} {len(times):5}  {figures}")
        if name == "busy":
            words = f"{p95:.0f} ms at p95"
            verdicts.judge(f"answer page, {what}, during a run", words, "< 150 ms", p95 < LONGEST_PAGE * 1000)
    if visits.wrong:
        say(f"       wrong: {len(visits.wrong)}, first {visits.wrong[0]}")
        verdicts.judge(f"answers without an error, {name}", str(len(visits.wrong)), "0", False)
    p50, worst = percentile(waits, 0.5), percentile(waits, 1.0)
    say(f"{name:6} frown to problem mail {len(waits):4}  p50 {p50 * 1000:5.0f}  max {worst * 1000:5.0f} ms")
    if name == "busy":
        is_met = bool(waits) and worst < LONGEST_MAIL
        verdicts.judge("problem mail during a run", f"{worst * 1000:.0f} ms at worst", "< 2,000 ms", is_met)
