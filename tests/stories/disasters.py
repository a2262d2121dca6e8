"""What can befall a running house, and what it comes to: letters flow all the while, problems climb."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

import psycopg
from django.db import Error, connection, connections, transaction

from sentinel.channels.email.sender import TOGETHER
from sentinel.checkins.rules import Severity
from sentinel.outbox.services import enqueue
from sentinel.workflows.open_problem import open_problem
from tests.fakes.engine_process import Nursery
from tests.fakes.smtp import SmtpServer
from tests.stories.chaos import (
    LONG_PATIENCE_SECONDS,
    count_wrong_ladders,
    database_now,
    database_url,
    hurry,
    letter,
    lone_worker,
    wait_for,
    wait_until_quiet,
)
from tests.world import World

#: Messages one engine may have between the provider's yes and its own note of it, on four connections.
IN_FLIGHT = 4 * TOGETHER
SECONDS_BETWEEN_LETTERS = 0.05


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a disaster came to. ``recovery``: seconds from its end (of an engine's: from its beginning) until
    mail flows and the last letter that was committed before has arrived. ``bound``: what is promised."""

    name: str
    letters: int
    lost: int
    repeats: int
    repeats_allowed: int
    changed: int
    wrong_ladders: int
    recovery: float
    bound: float
    note: str = ""

    @property
    def holds(self) -> bool:
        """Whether nothing is lost, missed or changed, and no more repeated than was in flight."""
        return not (self.lost or self.wrong_ladders or self.changed) and self.repeats <= self.repeats_allowed

    @property
    def is_in_time(self) -> bool:
        """Whether it recovered within its bound. For benches: a busy machine may take any time."""
        return self.recovery <= self.bound

    def __str__(self) -> str:
        return (
            f"{self.name:<34} {self.letters:>7} {self.lost:>5} {self.wrong_ladders:>7} "
            f"{self.repeats:>4} of {self.repeats_allowed:<5} {self.recovery:>7.2f} s {self.bound:>5.0f} s  "
            f"{'met' if self.is_in_time else 'MISSED'}  {self.note}"
        )


HEADINGS = (
    f"{'disaster':<34} {'letters':>7} {'lost':>5} {'missed':>7} {'repeated':>13} {'recovery':>9} {'bound':>7}"
)


class Letters:
    """Enqueues a letter every moment, in a thread of its own. What the database refused, or left open whether
    it took it, is promised to nobody; the next letter is tried all the same."""

    def __init__(self) -> None:
        self.committed: dict[str, float] = {}
        self.refused = 0
        self._number = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, name="letters", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        self._stop.set()
        self._thread.join(timeout=60)

    def _write(self) -> None:
        while not self._stop.wait(SECONDS_BETWEEN_LETTERS):
            self._number += 1
            try:
                with transaction.atomic():
                    now = database_now()
                    new = letter(self._number, now)
                    enqueue([new], now=now)
            except (Error, psycopg.Error):
                self.refused += 1
                connections.close_all()
            else:
                self.committed[uuid.uuid5(uuid.NAMESPACE_URL, new.dedupe_key).hex] = time.time()
        connections.close_all()


class House:
    """Engines at work, letters under way, and the mail server they go to."""

    def __init__(self, world: World, nursery: Nursery, sink: SmtpServer, letters: Letters) -> None:
        self.nursery, self.sink, self.letters = nursery, sink, letters
        self._world = world
        self._problems = 0
        self._arrivals: list[float] = []
        sink.on_kept = lambda _mail: self._arrivals.append(time.time())

    def open_problems(self, count: int) -> None:
        """Problems whose ladders take four seconds to the top."""
        for _ in range(count):
            worker, now = lone_worker(self._world, self._problems), database_now()
            self._problems += 1
            open_problem(worker=worker, response=None, words="It stopped", severity=Severity.STOPPED, now=now)

    def wait_for_arrivals(self, count: int) -> None:
        """Until so many more mails arrived."""
        wanted = len(self._arrivals) + count
        wait_for(lambda: len(self._arrivals) >= wanted, f"{count} more mails")

    def report(self, name: str, *, over_at: float, bound: float, in_flight: int, note: str = "") -> Report:
        """End the letters, let everything come to rest, and count. ``over_at``: when recovery begins."""
        self.letters.end()
        wait_until_quiet(self._problems, LONG_PATIENCE_SECONDS)
        first: dict[str, float] = {}
        bodies: dict[str, set[bytes]] = {}
        counts: Counter[str] = Counter()
        for mail, at in zip(self.sink.kept, list(self._arrivals), strict=False):
            key = mail.message_id.removeprefix("<").partition(".")[0]
            counts[key] += 1
            first.setdefault(key, at)
            bodies.setdefault(key, set()).add(mail.content)
        promised = self.letters.committed
        held = [first[key] for key, at in promised.items() if at <= over_at and key in first]
        flows_at = min((at for at in self._arrivals if at > over_at), default=over_at)
        return Report(
            name=name,
            letters=len(promised),
            lost=len(set(promised) - set(first)),
            repeats=sum(count - 1 for count in counts.values()),
            repeats_allowed=in_flight,
            changed=sum(len(versions) - 1 for versions in bodies.values()),
            wrong_ladders=count_wrong_ladders(),
            recovery=max([flows_at, *held]) - over_at,
            bound=bound,
            note=note,
        )


@contextmanager
def house(
    world: World,
    *,
    engines: int,
    lease_seconds: float,
    sink: SmtpServer | None = None,
    smtp: tuple[str, int] | None = None,
    further: Mapping[str, str] | None = None,
    inside: Sequence[str] = (),
) -> Iterator[House]:
    """Engines that work, with the first mails already through. ``smtp``: where they reach the mail server, if
    not directly."""
    hurry()
    with nullcontext(sink) if sink is not None else SmtpServer() as server:
        host, port = smtp or ("127.0.0.1", server.port)
        with (
            Nursery(
                database_url=database_url(),
                smtp_host=host,
                smtp_port=port,
                lease_seconds=lease_seconds,
                further=further,
                inside=inside,
            ) as nursery,
            Letters() as letters,
        ):
            made = House(world, nursery, server, letters)
            for _ in range(engines):
                nursery.start()
            made.wait_for_arrivals(10)
            yield made


def frozen_engine(world: World, *, lease_seconds: float, engines: int = 2, problems: int = 5) -> Report:
    """An engine stands still for longer than its lease, then goes on as if nothing had happened."""
    with house(world, engines=engines, lease_seconds=lease_seconds) as at:
        at.open_problems(problems)
        victim = at.nursery.running[0]
        at.nursery.pause(victim)
        stopped_at = time.time()
        time.sleep(lease_seconds + 1.5)  # the disaster itself, not a wait for anything
        at.nursery.go_on(victim)
        at.wait_for_arrivals(20)
        return at.report(
            f"engine frozen for {lease_seconds + 1.5:.0f} s",
            over_at=stopped_at,
            bound=lease_seconds + 1,
            in_flight=IN_FLIGHT,
        )


def database_restarted(
    world: World,
    *,
    away: Callable[[], None],
    back: Callable[[], None],
    seconds: float,
    lease_seconds: float,
    name: str,
    engines: int = 2,
    problems: int = 5,
) -> Report:
    """The database goes away in the middle, with every connection, and comes back after a while."""
    with house(world, engines=engines, lease_seconds=lease_seconds) as at:
        at.open_problems(problems)
        away()
        connection.close()
        time.sleep(seconds)  # the disaster itself, not a wait for anything
        back()
        back_at = time.time()
        refused = at.letters.refused
        at.wait_for_arrivals(20)
        return at.report(
            name,
            over_at=back_at,
            bound=lease_seconds + 1,
            in_flight=IN_FLIGHT * engines,
            note=f"{refused} letters refused meanwhile",
        )


def provider_cut_off(
    world: World,
    *,
    cut: Callable[[], None],
    mend: Callable[[], None],
    seconds: float,
    lease_seconds: float,
    name: str,
    sink: SmtpServer,
    smtp: tuple[str, int],
    inside: Sequence[str] = (),
    engines: int = 2,
) -> Report:
    """The way to the mail server swallows everything, then carries again."""
    with house(
        world, engines=engines, lease_seconds=lease_seconds, sink=sink, smtp=smtp, inside=inside
    ) as at:
        at.open_problems(5)
        cut()
        time.sleep(seconds)  # the disaster itself, not a wait for anything
        mend()
        mended_at = time.time()
        at.wait_for_arrivals(1)
        flows = time.time() - mended_at
        at.wait_for_arrivals(20)
        return at.report(
            name,
            over_at=mended_at,
            bound=lease_seconds + 1,
            in_flight=IN_FLIGHT * engines,
            note=f"first mail through after {flows:.1f} s",
        )


@contextmanager
def movable_clock() -> Iterator[Callable[[timedelta], None]]:
    """Yields what steps the database's clock, for everybody who connects to this database.

    A function of the same name in a schema that is searched first; PostgreSQL itself, and the machine, keep
    their time. Connections from before do not see it: engines are started inside.
    """
    name = connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute("CREATE SCHEMA stepped")
        cursor.execute("CREATE TABLE stepped.offsets (by interval)")
        cursor.execute("INSERT INTO stepped.offsets VALUES ('0')")
        cursor.execute(
            "CREATE FUNCTION stepped.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS"
            " 'SELECT pg_catalog.clock_timestamp() + by FROM stepped.offsets'"
        )
        cursor.execute(f'ALTER DATABASE "{name}" SET search_path = stepped, pg_catalog, public')
    connection.close()

    def step(by: timedelta) -> None:
        seconds = by.total_seconds()
        with connection.cursor() as cursor:
            cursor.execute("UPDATE stepped.offsets SET by = by + make_interval(secs => %s)", [seconds])

    try:
        yield step
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f'ALTER DATABASE "{name}" RESET search_path')
            cursor.execute("DROP SCHEMA stepped CASCADE")
        connection.close()


def clock_stepped(world: World, *, by: timedelta, lease_seconds: float, engines: int = 2) -> Report:
    """The database's clock jumps while everything is under way."""
    with movable_clock() as step, house(world, engines=engines, lease_seconds=lease_seconds) as at:
        at.open_problems(5)
        step(by)
        stepped_at = time.time()
        at.wait_for_arrivals(20)
        return at.report(
            f"clock stepped by {by.total_seconds():+.0f} s",
            over_at=stepped_at,
            bound=lease_seconds + 1 + max(0.0, -by.total_seconds()),
            in_flight=IN_FLIGHT * engines,
        )
