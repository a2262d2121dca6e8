"""A run of check-ins, the real sender that sends it, and what its rows say at the end."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg

from bench.mail.database import environment, sentinel
from bench.mail.meter import Cost, metered
from bench.mail.provider import add_check_ins, add_workers, build_provider
from bench.mail.servers import CHECKOUT, Place
from sentinel.engine.passes.send_check_ins import TURN
from sentinel.workflows.send_check_ins import send_check_ins

CONNECTIONS = 100
SECONDS_BETWEEN_LOOKS = 0.02

#: So many are decided about and launched by the product itself, which also makes every edition.
DECIDED = 2_000

_DELIVERIES = """
INSERT INTO bulk_delivery (run_id, edition_id, check_in_id, worker_id, account_id, name, address, domain,
    issued_at, state, next_at, attempts, relay, enhanced, answer, reason)
SELECT like_it.run_id, like_it.edition_id, check_in.id, worker.id, like_it.account_id, worker.name,
    worker.email, split_part(worker.email, '@', 2), like_it.issued_at, 'pending', like_it.next_at, 0, '',
    '', '', ''
FROM accounts_worker worker
JOIN checkins_checkin check_in ON check_in.worker_id = worker.id AND check_in.state = 'sent'
JOIN (
    SELECT DISTINCT ON (known.site_id) known.site_id, delivery.*
    FROM bulk_delivery delivery JOIN accounts_worker known ON known.id = delivery.worker_id
    ORDER BY known.site_id, delivery.id
) like_it ON like_it.site_id = worker.site_id
WHERE worker.id > %s
ORDER BY worker.id
"""


@dataclass(frozen=True)
class Counters:
    """What a run says about itself."""

    total: int
    sent: int
    failed: int
    skipped: int
    deferred: int
    ambiguous: int
    repeated: int

    @property
    def on_their_way(self) -> int:
        return self.total - self.sent - self.failed - self.skipped


def launch(connection: psycopg.Connection, workers: int, *, decided: int = DECIDED) -> Cost:
    """A provider whose `workers` are all to be asked now, in a run that :func:`go` starts.

    The first `decided` are judged and launched by the product, and what that took is returned; the rows of
    the others are made after their pattern by the database itself.
    """
    provider = build_provider(datetime.now(UTC))
    add_workers(connection, provider, workers)
    decided = min(decided, workers)
    add_check_ins(connection, provider, are_sent=False, until=decided)
    with metered(engine=os.getpid()) as cost:
        while send_check_ins(now=datetime.now(UTC), limit=TURN):
            pass
    connection.execute("UPDATE bulk_run SET state = 'paused'")
    add_check_ins(connection, provider, are_sent=True, after=decided)
    made = connection.execute(_DELIVERIES, [decided])
    connection.execute("UPDATE bulk_run SET total = total + %s", [made.rowcount])
    known = counters(connection)
    if (known.total, known.skipped) != (workers, 0):
        raise SystemExit(f"not everybody was launched: {known}")
    # What was just written goes to disk now, and not in the middle of what is measured next.
    connection.execute("VACUUM ANALYZE bulk_delivery")
    connection.execute("CHECKPOINT")
    return cost


def go(connection: psycopg.Connection) -> float:
    """Let the sender begin; returns when that was (``perf_counter``)."""
    began = time.perf_counter()
    connection.execute("UPDATE bulk_run SET state = 'running'")
    return began


def counters(connection: psycopg.Connection) -> Counters:
    """The one run's counters."""
    row = connection.execute(
        "SELECT total, sent, failed, skipped, deferred, ambiguous, repeated FROM bulk_run"
    ).fetchone()
    assert row is not None
    return Counters(*row)


def states(connection: psycopg.Connection) -> dict[str, int]:
    """How many deliveries are in which state, counted one by one."""
    return dict(connection.execute("SELECT state, count(*) FROM bulk_delivery GROUP BY state").fetchall())


def wait_until_sent(connection: psycopg.Connection, mails: int, *, seconds: float) -> float:
    """Wait until so many are sent; returns when that was seen (``perf_counter``). Gives up loudly."""
    deadline = time.monotonic() + seconds
    while True:
        known = counters(connection)
        if known.sent >= mails:
            return time.perf_counter()
        if time.monotonic() > deadline:
            raise SystemExit(f"after {seconds:.0f} s only this much was done: {known}, {states(connection)}")
        time.sleep(SECONDS_BETWEEN_LOOKS)


class SenderProcess:
    """`sentinel sender`, as an operator starts it, in a process group of its own."""

    def __init__(self, place: Place, relay: str, **variables: str) -> None:
        self._environment = environment(place, SENTINEL_BULK_RELAYS=relay, **variables)
        self._log = place.folder / "sender.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        with self._log.open("ab") as words:
            self._process = subprocess.Popen(
                sentinel("sender"),
                env=self._environment,
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                start_new_session=True,
            )

    def kill(self) -> None:
        """SIGKILL to everything it is made of: no clean-up, no last words."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.kill()

    def words(self) -> str:
        """What it said, for when something went wrong."""
        return self._log.read_text(errors="replace")[-2000:]


def wait_until_alive(connection: psycopg.Connection, *, since: datetime, seconds: float = 30) -> None:
    """Wait for the sender's sign of life."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        row = connection.execute("SELECT alive_at FROM bulk_senderstate").fetchone()
        if row and row[0] and row[0] >= since:
            return
        time.sleep(SECONDS_BETWEEN_LOOKS)
    raise SystemExit("the sender gave no sign of life")


@contextmanager
def sending(
    place: Place, connection: psycopg.Connection, port: int, *, connections: int = CONNECTIONS
) -> Iterator[SenderProcess]:
    """A sender that uses the sink on `port`, from its first sign of life on."""
    sender = SenderProcess(place, f"smtp://127.0.0.1:{port}?connections={connections}")
    began = datetime.now(UTC)
    sender.start()
    try:
        wait_until_alive(connection, since=began)
        yield sender
    finally:
        sender.stop()
