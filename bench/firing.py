"""Measures what firing a duty costs: alone and together with others, on few rows and on many.

    .venv/bin/python -m bench.firing                             both parts, a few minutes
    .venv/bin/python -m bench.firing --problems 400 --open 0     the first part alone, in small

Reads rates as ratios within one run: the database shares this machine with whatever else runs on it.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import django
from django.db import connection
from django.db.models import Model

os.environ["DJANGO_SETTINGS_MODULE"] = "sentinel.config.testing"
django.setup()

from bench.press import fresh_database  # noqa: E402
from sentinel.accounts.models import Account, Site, Worker  # noqa: E402
from sentinel.checkins.rules import Severity  # noqa: E402
from sentinel.engine.loop import DECIDERS  # noqa: E402
from sentinel.engine.selectors import next_firing_at  # noqa: E402
from sentinel.escalation.models import Duty, FrozenPolicy, FrozenRung  # noqa: E402
from sentinel.people.models import User, WorkCalendar  # noqa: E402
from sentinel.problems.models import Problem  # noqa: E402
from sentinel.workflows.fire_due_duties import fire_due_duties  # noqa: E402
from sentinel.workflows.fire_duty import fire_next_duty  # noqa: E402
from sentinel.workflows.open_problem import open_problem  # noqa: E402
from tests.stories.chaos import hurry  # noqa: E402
from tests.world import World  # noqa: E402

BATCH = 200
ACCOUNTS = 20
ZONES = ("Europe/Kyiv", "Europe/Lisbon", "Asia/Tokyo", "America/Bogota")
WORDS = "The printer on floor 2 eats every second page since Monday, and the labels come out grey."
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """What one firing took on average, in milliseconds: by the clock, and of the processors."""

    wall: float
    python: float
    postgres: float

    @property
    def cpu(self) -> float:
        return self.python + self.postgres


def say(text: str) -> None:
    print(text, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--problems", type=int, default=2_000)
    parser.add_argument("--alone", type=int, default=100, help="how many fire one by one")
    parser.add_argument("--open", type=int, nargs="*", default=[10_000, 1_000_000])
    wanted = parser.parse_args()
    logging.disable(logging.INFO)  # "problem opened", a few thousand times
    with fresh_database() as world:
        hurry()
        began = time.monotonic()
        made = open_many(world, wanted.problems)
        say(f"opening      {made} problems  {(time.monotonic() - began) / made * 1000:6.2f} ms each")
        compare(alone=wanted.alone)
        grow([rows for rows in wanted.open if rows])


def open_many(world: World, problems: int) -> int:
    """Problems of many accounts with people of their own, so that a batch shares no more than in life."""
    now, office = datetime.now(UTC), WorkCalendar.objects.get()
    sites: list[Site] = []
    for number in range(ACCOUNTS):
        people = [
            User.objects.create_user(
                email=f"{role}{number}@bench.example",
                name=f"{role.title()} {number}",
                roles=["owner"],
                zone=ZONES[number % 4],
                calendar=office,
                language=("en", "de")[number % 2],
            )
            for role in ("owner", "deputy", "manager")
        ]
        account = Account.objects.create(
            name=f"Account {number}", owner=people[0], deputy=people[1], manager=people[2], created_at=now
        )
        sites += [
            Site.objects.create(account=account, name=zone, zone=zone, calendar=office, language="en")
            for zone in ZONES[:2]
        ]
    for number in range(problems):
        site = sites[number % len(sites)]
        worker = Worker.objects.create(
            site=site, name=f"Worker {number}", email=f"w{number}@bench.example", joined_at=now
        )
        open_problem(worker=worker, response=None, words=WORDS, severity=Severity.HINDERS, now=now)
    return problems


def compare(*, alone: int) -> None:
    """One by one and in batches, on each rung; who is told differs from rung to rung."""
    for rung in range(4):
        now = make_due()
        by_one = measured(partial(fire_one, now), most=alone)
        together = measured(partial(fire_many, now))
        say(f"rung {rung + 1}       alone {shown(by_one)}    together {shown(together)}")
        times = by_one.wall / together.wall
        say(f"             {1000 / together.wall:.0f} firings a second, {times:.0f} times as many")


def fire_one(now: datetime) -> int:
    return int(fire_next_duty(now=now) is not None)


def fire_many(now: datetime) -> int:
    return len(fire_due_duties(now=now, most=BATCH).fired)


def make_due() -> datetime:
    """Every duty is due now, as after a storm; the instant at which they fire."""
    now = datetime.now(UTC)
    Duty.objects.update(rung_at=now, fire_at=now)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE escalation_duty")
    return now


def measured(fire: Callable[[], int], *, most: int = 10**9) -> Cost:
    """Fire until ``most`` have fired or nothing is due."""
    wall, python, postgres = time.perf_counter(), time.process_time(), postgres_seconds()
    fired = 0
    while fired < most and (done := fire()):
        fired += done
    return Cost(
        wall=(time.perf_counter() - wall) / fired * 1000,
        python=(time.process_time() - python) / fired * 1000,
        postgres=(postgres_seconds() - postgres) / fired * 1000,
    )


def shown(cost: Cost) -> str:
    return f"{cost.wall:6.2f} ms (CPU: {cost.python:.2f} Python, {cost.postgres:.2f} PostgreSQL)"


def postgres_seconds() -> float:
    """CPU seconds of the server process that serves this one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def grow(sizes: list[int]) -> None:
    """The same batch and the same idle tick, with more and more rows that have nothing to do with them."""
    first: dict[str, Cost] = {}
    for size in sizes:
        fill_up(size)
        say(f"rows         {Duty.objects.count():9,} open, {closed():9,} closed problems")
        for name, cost in (("firing", firing_among_all()), ("idle tick", idle_tick())):
            least = first.setdefault(name, cost)
            wall, cpu = cost.wall / least.wall, cost.cpu / least.cpu
            say(f"             {name:10}{shown(cost)}  {wall:.2f} times the smallest, CPU {cpu:.2f} times")
        say(f"             an idle tick reads {rows_of_a_tick()} rows of problems and duties")


def firing_among_all() -> Cost:
    """Ten batches among all the rows."""
    spent = []
    for _ in range(10):
        now = datetime.now(UTC)
        some = Duty.objects.order_by("problem_id").values("pk")[:BATCH]
        Duty.objects.filter(pk__in=some).update(rung_at=now, fire_at=now)
        spent.append(measured(partial(fire_many, now)))
    return mean(spent)


def idle_tick() -> Cost:
    """Every pass of the engine when nothing is due, and finding out how long to sleep."""
    now = datetime.now(UTC)
    while sum(decider.run(now) for decider in DECIDERS):
        pass

    def tick() -> int:
        for decider in DECIDERS:
            decider.run(now)
        next_firing_at()
        return 1

    return measured(tick, most=30)


def rows_of_a_tick() -> int:
    """Rows that one idle tick reads, by PostgreSQL's own count: it does not depend on what else runs here."""
    before, now = rows_read(), datetime.now(UTC)
    for decider in DECIDERS:
        decider.run(now)
    next_firing_at()
    return rows_read() - before


def rows_read() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute(
            "SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_user_tables"
            " WHERE relname IN ('problems_problem', 'escalation_duty', 'escalation_frozenpolicy')"
        )
        return int(cursor.fetchone()[0])


def mean(costs: list[Cost]) -> Cost:
    return Cost(
        wall=statistics.median(cost.wall for cost in costs),
        python=statistics.fmean(cost.python for cost in costs),
        postgres=statistics.fmean(cost.postgres for cost in costs),
    )


def closed() -> int:
    return Problem.objects.filter(state="ended").count()


def fill_up(size: int) -> None:
    """Copies of a problem, as many open ones and as many closed ones; they are due in a month."""
    month = datetime.now(UTC) + timedelta(days=30)
    sample = Duty.objects.order_by("problem_id").first()
    assert sample is not None
    wanted = size - Duty.objects.count()
    Duty.objects.update(rung_at=month, fire_at=month)
    if wanted > 0:
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")  # a million triggers have nothing to say
            cursor.execute("SELECT max(id) FROM problems_problem")
            last = cursor.fetchone()[0]
            ids = f"generate_series({last + 1}, {last + wanted}) AS number"
            gone = f"generate_series({last + wanted + 1}, {last + 2 * wanted}) AS number"
            ended = {
                "state": "'ended'",
                "ended_by_id": str(sample.accountable_id),
                "end_reason": "'left'",
                "closed_at": "now()",
            }
            copy_rows(cursor, Problem, "id", sample.pk, ids, {"id": "number"})
            copy_rows(cursor, Problem, "id", sample.pk, gone, {"id": "number", **ended})
            copy_rows(cursor, Duty, "problem_id", sample.pk, ids, {"problem_id": "number"})
            copy_rows(cursor, FrozenPolicy, "problem_id", sample.pk, ids, {"problem_id": "number"})
            copy_rows(cursor, FrozenRung, "policy_id", sample.pk, ids, {"policy_id": "number", "id": None})
            cursor.execute(
                "SELECT setval(pg_get_serial_sequence('problems_problem', 'id'), %s)", [last + 2 * wanted]
            )
            cursor.execute("SET session_replication_role = origin")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def copy_rows(
    cursor: Any,
    model: type[Model],
    key: str,
    value: int,
    numbers: str,
    changed: dict[str, str | None],
) -> None:
    """Insert copies of the rows of ``model`` whose ``key`` is ``value``; None: the column's default."""
    every = [str(field.column) for field in model._meta.concrete_fields]
    columns = [column for column in every if changed.get(column, "") is not None]
    values = [changed.get(column) or f'old."{column}"' for column in columns]
    cursor.execute(
        f"INSERT INTO {model._meta.db_table} ({', '.join(columns)}) SELECT {', '.join(values)} "
        f"FROM {model._meta.db_table} AS old, {numbers} WHERE old.{key} = %s",
        [value],
    )


if __name__ == "__main__":
    main()
