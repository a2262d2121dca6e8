"""Measures the loop with real engine processes, a real PostgreSQL that waits for its disk, and real SMTP.

    .venv/bin/python bench/loop.py                    throughput and lateness
    .venv/bin/python bench/loop.py --kills 100        and SIGKILLs, with what they cost
    .venv/bin/python bench/loop.py --kills 60 --mutant mark-before-send     what the usual way would lose

Database, engines and mail sink share this machine; nothing leaves it.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
os.environ["DJANGO_SETTINGS_MODULE"] = "sentinel.config.testing"

import django  # noqa: E402

django.setup()

from django.db import connection, connections, transaction  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402

from sentinel.accounts.models import Site, Worker  # noqa: E402
from sentinel.checkins.rules import Severity  # noqa: E402
from sentinel.escalation.models import Duty  # noqa: E402
from sentinel.ops.postgres import cluster_in  # noqa: E402
from sentinel.outbox.selectors import count_by_state  # noqa: E402
from sentinel.outbox.services import enqueue  # noqa: E402
from sentinel.timeline.models import Event  # noqa: E402
from sentinel.timeline.verbs import Verb  # noqa: E402
from sentinel.workflows.open_problem import open_problem  # noqa: E402
from tests.fakes.engine_process import Nursery  # noqa: E402
from tests.fakes.smtp import SmtpServer  # noqa: E402
from tests.stories.chaos import chaos, database_url, hurry, letter  # noqa: E402
from tests.world import World, build_world  # noqa: E402


def say(text: str) -> None:
    print(text, flush=True)


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


def wait_for(done: str, *, seconds: float = 300) -> float:
    """Wait until nothing due is left (``messages``) or every duty climbed (``duties``)."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        counts = count_by_state()
        waiting = counts.get("sending", 0) + _due_pending()
        climbing = Duty.objects.filter(rung=0, fire_at__lte=datetime.now(UTC)).count()
        if not (waiting if done == "messages" else climbing):
            return time.monotonic() - began
        time.sleep(0.02)
    raise SystemExit(f"{done} were not finished after {seconds:.0f} s")


def _due_pending() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM outbox_message WHERE state = 'pending' AND visible_at <= clock_timestamp()"
        )
        return int(cursor.fetchone()[0])


def measure_sending(*, messages: int, engines: int) -> None:
    """Claim, send, settle: how many letters a second leave."""
    with fresh_database(), SmtpServer() as sink:
        now = datetime.now(UTC)
        with transaction.atomic():
            enqueue([letter(number, now) for number in range(messages)], now=now)
        with Nursery(database_url=database_url(), smtp_port=sink.port) as nursery:
            for _ in range(engines):
                nursery.start()
            while not sink.kept:
                time.sleep(0.005)
            seconds = wait_for("messages")
        assert len(set(sink.message_ids)) == messages
        say(f"sending       {engines} engine(s)  {messages} letters  {messages / seconds:6.0f}/s")


def measure_cycles(world: World, sink: SmtpServer, *, problems: int, spread: float) -> None:
    """Fire, enqueue, claim, send, settle: whole cycles a second, or lateness when spread over time."""
    hurry()
    site = Site.objects.get(pk=world.kyiv.pk)
    now = datetime.now(UTC)
    for number in range(problems):
        worker = Worker.objects.create(
            site=site, name=f"Worker {number}", email=f"w{number}@lindgren.example", joined_at=now
        )
        open_problem(worker=worker, response=None, words="Stop", severity=Severity.STOPPED, now=now)
    start = datetime.now(UTC) + timedelta(seconds=2 if spread else 0)
    for number, duty in enumerate(Duty.objects.order_by("problem_id")):
        duty.rung_at = duty.fire_at = start + timedelta(seconds=spread * number / problems)
        duty.save()
    with Nursery(database_url=database_url(), smtp_port=sink.port) as nursery:
        nursery.start()
        if spread:
            time.sleep(spread + 2)
        began = time.monotonic()
        while not Event.objects.filter(verb=Verb.DUTY_FIRED.value).exists():
            time.sleep(0.005)
            began = time.monotonic()
        wait_for("duties")
        fired = time.monotonic() - began
        wait_for("messages")
        all_sent = time.monotonic() - began
    firsts: dict[int, float] = {}
    for event in Event.objects.filter(verb=Verb.DUTY_FIRED.value).order_by("id"):
        scheduled = datetime.fromisoformat(event.data["scheduled_at"])
        firsts.setdefault(event.problem_id or 0, (event.at - scheduled).total_seconds())
    if spread:
        say(f"timers        {problems} duties over {spread:.0f} s  late {percentiles(list(firsts.values()))}")
    else:
        mails = len(sink.kept)
        say(
            f"cycles        {problems} duties at once  {problems / fired:6.0f} fired/s  "
            f"{mails} mails  {mails / all_sent:.0f} mails/s to the end"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--engines", type=int, default=2)
    parser.add_argument("--mutant", default="", choices=["", "mark-before-send"])
    wanted = parser.parse_args()
    if wanted.kills:
        with fresh_database() as world:
            outcome = chaos(
                world,
                kills=wanted.kills,
                engines=wanted.engines,
                problems=wanted.kills,
                letters=10 * wanted.kills,
                mutant=wanted.mutant,
            )
            say(f"chaos         {wanted.mutant or 'as shipped'}  {outcome}")
        return
    for engines in (1, wanted.engines):
        measure_sending(messages=wanted.messages, engines=engines)
    for spread in (0.0, 10.0):
        with fresh_database() as world, SmtpServer() as sink:
            measure_cycles(world, sink, problems=wanted.problems, spread=spread)


if __name__ == "__main__":
    main()
