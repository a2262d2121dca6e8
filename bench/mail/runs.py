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
from bench.mail.provider import Provider
from bench.mail.servers import CHECKOUT, Place
from sentinel.accounts.models import Site
from sentinel.bulk.models import Edition, Run, Template
from sentinel.checkins.messages import QuestionFacts, question_in, sender_of
from sentinel.checkins.models import Programme
from sentinel.workflows.check_in_editions import shape_of, shared_words, tidy, verified_template

CONNECTIONS = 100
SECONDS_BETWEEN_LOOKS = 0.02

_DELIVERIES = """
INSERT INTO bulk_delivery (run_id, edition_id, check_in_id, worker_id, account_id, name, address, domain,
    issued_at, state, next_at, attempts, relay, enhanced, answer, reason)
SELECT %(run)s, edition.id, check_in.id, worker.id, site.account_id, worker.name, worker.email,
    split_part(worker.email, '@', 2), %(at)s, 'pending', %(at)s, 0, '', '', '', ''
FROM accounts_worker worker
JOIN checkins_checkin check_in ON check_in.worker_id = worker.id
JOIN accounts_site site ON site.id = worker.site_id
JOIN bulk_edition edition ON edition.run_id = %(run)s AND edition.key = site.id::text
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


def launch(connection: psycopg.Connection, provider: Provider) -> None:
    """Write a run with every worker's check-in, paused; :func:`go` starts it.

    The rows are what the launch workflow writes; it decides about each worker first, which is not what is
    measured here.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    programme = Programme.objects.get(pk=provider.programme_id)
    run = Run.objects.create(
        programme_id=programme.pk, day=now.date(), name="Check-in", created_at=now, state="paused"
    )
    for site in Site.objects.select_related("account__owner"):
        _edition(run, site, programme, now)
    made = connection.execute(_DELIVERIES, {"run": run.pk, "at": now})
    connection.execute("UPDATE bulk_run SET total = %s", [made.rowcount])
    # What was just written goes to disk now, and not in the middle of what is measured next.
    connection.execute("VACUUM ANALYZE bulk_delivery")
    connection.execute("CHECKPOINT")


def go(connection: psycopg.Connection) -> float:
    """Let the sender begin; returns when that was (``perf_counter``)."""
    began = time.perf_counter()
    connection.execute("UPDATE bulk_run SET state = 'running'")
    return began


def _edition(run: Run, site: Site, programme: Programme, now: datetime) -> None:
    facts = tidy(
        QuestionFacts(
            check_in_id=1,
            programme_id=programme.pk,
            worker_id=1,
            worker_name="Ann",
            language=site.language,
            site_name=site.name,
            sender=sender_of(programme=programme, person=site.account.owner),
            question=question_in(programme.questions, site.language),
            is_first=False,
            now=now,
        )
    )
    template, _ = Template.objects.get_or_create(
        key=f"{site.language}", language=site.language, defaults={"created_at": now, "compiled": b""}
    )
    if not template.compiled:
        template.compiled = verified_template(shape_of(facts))
        template.save()
    Edition.objects.create(
        run=run, template=template, key=str(site.pk), sender=facts.sender.address, shared=shared_words(facts)
    )


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
