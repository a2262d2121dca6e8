"""Does to a running house what befalls one sooner or later, and counts what it cost.

    .venv/bin/python bench/chaos.py                     everything, about eight minutes
    .venv/bin/python bench/chaos.py kills frozen        only these
    .venv/bin/python bench/chaos.py --kills 20          a shorter beginning

Real engine processes, a real PostgreSQL of its own that waits for its disk, real SMTP; nothing leaves this
machine. Letters are committed twenty times a second while it happens; only what was committed counts. As
root the network is cut between two network namespaces, and the disk that fills up is a small file system
in memory; without these rights a proxy swallows the bytes, and the full disk is left out. The clock is
stepped for this database's connections only, see `movable_clock`.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(CHECKOUT))
os.environ["DJANGO_SETTINGS_MODULE"] = "sentinel.config.testing"

import django  # noqa: E402

django.setup()

import psycopg  # noqa: E402
from django.db import connections  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import setup_databases, teardown_databases  # noqa: E402

from sentinel.ops.postgres import Cluster, cluster_in  # noqa: E402
from tests.fakes.cable import Cable  # noqa: E402
from tests.fakes.smtp import SmtpServer  # noqa: E402
from tests.stories.chaos import chaos, wait_for  # noqa: E402
from tests.stories.disasters import (  # noqa: E402
    HEADINGS,
    IN_FLIGHT,
    Report,
    clock_stepped,
    database_restarted,
    frozen_engine,
    house,
    provider_cut_off,
)
from tests.world import World, build_world  # noqa: E402

NAMESPACE, HERE, THERE = "sentinel-chaos", "10.213.77.1", "10.213.77.2"
#: Of the engines that are killed; the other scenes take the product's own.
LEASE_WHEN_KILLED = 1.0
#: A new engine takes a third of a processor's second: killed faster, two processors do little besides.
SECONDS_BETWEEN_KILLS = (0.2, 0.6)
#: As docs/how-to/watch-sentinel.md advises.
SECONDS_BETWEEN_QUESTIONS, SECONDS_OF_SILENCE = 30.0, 80.0


def say(text: str) -> None:
    print(text, flush=True)


@contextmanager
def fresh_database(home: Path = CHECKOUT / ".sentinel") -> Iterator[tuple[World, Cluster]]:
    """An empty database with the cast, on a server of our own with PostgreSQL's own safe settings."""
    with cluster_in(home, "chaos").running() as cluster:
        default = connections.databases["default"]
        default["HOST"] = str(cluster.socket_folder)
        default["TEST"]["NAME"] = f"chaos_{os.getpid()}"
        made = setup_databases(verbosity=0, interactive=False)
        try:
            yield build_world(), cluster
        finally:
            cluster.ensure_started()
            connections.close_all()
            teardown_databases(made, verbosity=0)


def kills(wanted: argparse.Namespace) -> Report:
    """SIGKILL at random, three engines at work. A message may meet several; judged is what one costs."""
    with fresh_database() as (world, _):
        outcome = chaos(
            world,
            kills=wanted.kills,
            engines=3,
            problems=wanted.kills,
            letters=5 * wanted.kills,
            lease_seconds=LEASE_WHEN_KILLED,
            seconds_between=SECONDS_BETWEEN_KILLS,
        )
    say(str(outcome))
    found = outcome.recoveries
    return Report(
        name=f"{outcome.kills} SIGKILLs over three engines",
        letters=outcome.messages,
        lost=outcome.lost + found.missing,
        repeats=outcome.repeats,
        repeats_allowed=outcome.kills * IN_FLIGHT,
        changed=outcome.changed_repeats,
        wrong_ladders=outcome.wrong_ladders,
        recovery=found.worst,
        bound=LEASE_WHEN_KILLED + 1,
        note=f"per kill; the slowest message took {outcome.percentile(1.0):.2f} s and met "
        f"{outcome.slowest_met} kills",
    )


def frozen(wanted: argparse.Namespace) -> Report:
    """SIGSTOP for longer than the lease, then SIGCONT."""
    with fresh_database() as (world, _):
        return frozen_engine(world, lease_seconds=wanted.lease)


def stop_at_once(cluster: Cluster) -> None:
    """What `pg_ctl stop -m immediate` does: no checkpoint, no good-bye; the next start recovers."""
    process = int((cluster.data / "postmaster.pid").read_text().split()[0])
    os.kill(process, signal.SIGQUIT)
    wait_for(lambda: not (cluster.data / "postmaster.pid").exists(), "the end of PostgreSQL", 30)


def restart(wanted: argparse.Namespace) -> Report:
    """PostgreSQL stopped with -m immediate, away for ten seconds, started again."""
    with fresh_database() as (world, cluster):
        return database_restarted(
            world,
            away=partial(stop_at_once, cluster),
            back=cluster.ensure_started,
            seconds=10,
            lease_seconds=wanted.lease,
            name="PostgreSQL stopped for 10 s",
        )


class FarSink(SmtpServer):
    """The mail server at the other end of the cable."""

    async def _listen(self):  # type: ignore[no-untyped-def]
        return await self._loop.create_server(self._session, HERE, self.port)


def run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)


@contextmanager
def network_of_its_own() -> Iterator[bool]:
    """Two ends of a cable, the engines' one in a namespace; False where that is not permitted."""
    try:
        run("ip", "netns", "add", NAMESPACE)
    except (OSError, subprocess.CalledProcessError):
        yield False
        return
    try:
        run("ip", "link", "add", "chaos0", "type", "veth", "peer", "name", "chaos1", "netns", NAMESPACE)
        run("ip", "addr", "add", f"{HERE}/30", "dev", "chaos0")
        run("ip", "link", "set", "chaos0", "up")
        run("ip", "-n", NAMESPACE, "addr", "add", f"{THERE}/30", "dev", "chaos1")
        for name in ("lo", "chaos1"):
            run("ip", "-n", NAMESPACE, "link", "set", name, "up")
        yield True
    finally:
        with suppress(subprocess.CalledProcessError):
            run("ip", "link", "del", "chaos0")
        run("ip", "netns", "del", NAMESPACE)


def network(wanted: argparse.Namespace) -> Report:
    """The cable to the mail server is pulled for twenty seconds."""
    with fresh_database() as (world, _), network_of_its_own() as is_permitted, ExitStack() as ends:
        sink = ends.enter_context(FarSink() if is_permitted else SmtpServer())
        if is_permitted:
            switch = partial(run, "ip", "link", "set", "chaos0")
            cut: Callable[[], None] = partial(switch, "down")
            mend: Callable[[], None] = partial(switch, "up")
            smtp, inside, how = (HERE, sink.port), ["ip", "netns", "exec", NAMESPACE], "link down"
        else:
            cable = ends.enter_context(Cable(to=sink.port))
            cut, mend = cable.cut, cable.mend
            smtp, inside, how = ("127.0.0.1", cable.port), [], "silent proxy"
        return provider_cut_off(
            world,
            cut=cut,
            mend=mend,
            seconds=20,
            lease_seconds=wanted.lease,
            name=f"mail server cut off 20 s ({how})",
            sink=sink,
            smtp=smtp,
            inside=inside,
        )


@contextmanager
def small_disk(megabytes: int = 200) -> Iterator[Path | None]:
    """A file system of a few megabytes; None where mounting is not permitted."""
    folder = Path(tempfile.mkdtemp(prefix="sentinel-chaos-"))
    folder.chmod(0o755)
    try:
        run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "none", str(folder))
    except (OSError, subprocess.CalledProcessError):
        folder.rmdir()
        yield None
        return
    try:
        yield folder
    finally:
        run("umount", "--lazy", str(folder))  # PostgreSQL's last process may take a moment to be gone
        folder.rmdir()


def fill(folder: Path, cluster: Cluster) -> None:
    """Take every free byte, then use up the journal that PostgreSQL has in store, until it gives up."""
    with (folder / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(b"x" * 65536)
    with suppress(psycopg.Error), psycopg.connect(cluster.url("postgres"), autocommit=True) as admin:
        for _ in range(2000):  # megabytes; it has fewer in store
            admin.execute("SELECT pg_logical_emit_message(true, 'chaos', repeat('x', 1000000))")


def answers(cluster: Cluster) -> bool:
    try:
        psycopg.connect(cluster.url("postgres"), connect_timeout=3).close()
    except psycopg.OperationalError:
        return False
    return True


def disk(wanted: argparse.Namespace) -> Report | None:
    """PostgreSQL's disk is full for ten seconds, its journal included."""
    with small_disk() as folder:
        if folder is None:
            say("disk full: left out, mounting a small file system is not permitted here")
            return None

        def freed(cluster: Cluster) -> None:
            say(f"PostgreSQL {'still answers' if answers(cluster) else 'has given up'} on its full disk")
            (folder / "ballast").unlink()
            cluster.ensure_started()  # whoever supervises PostgreSQL does so

        with fresh_database(folder) as (world, cluster):
            return database_restarted(
                world,
                away=partial(fill, folder, cluster),
                back=partial(freed, cluster),
                seconds=10,
                lease_seconds=wanted.lease,
                name="PostgreSQL's disk full for 10 s",
            )


def clock(wanted: argparse.Namespace, *, by: timedelta) -> Report:
    """The database's clock jumps."""
    with fresh_database() as (world, _):
        return clock_stepped(world, by=by, lease_seconds=wanted.lease)


class Watchman(BaseHTTPRequestHandler):
    """Remembers when it was called."""

    calls: list[float] = []

    def do_GET(self) -> None:
        self.calls.append(time.time())
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


@contextmanager
def watchman() -> Iterator[str]:
    """A dead man's switch; yields its address."""
    server = HTTPServer(("127.0.0.1", 0), Watchman)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


def seconds_until_asking_finds_out(died_at: float) -> float:
    """Ask `/health/engine` every half minute, as seldom as advised; ring at the second failure."""
    failures, next_at = 0, died_at + SECONDS_BETWEEN_QUESTIONS - 0.1  # it was asked right before
    while failures < 2:
        time.sleep(max(0.0, next_at - time.time()))
        next_at += SECONDS_BETWEEN_QUESTIONS
        failures = failures + 1 if Client().get("/health/engine").status_code == 503 else 0
    return time.time() - died_at


def death(_wanted: argparse.Namespace) -> None:
    """All engines die; how soon does somebody outside know?"""
    with (
        fresh_database() as (world, _),
        watchman() as address,
        house(world, engines=1, lease_seconds=30, further={"SENTINEL_HEARTBEAT_URL": address}) as at,
    ):
        wait_for(lambda: len(Watchman.calls) >= 4, "signs of life", 240)
        gaps = [late - early for early, late in zip(Watchman.calls, Watchman.calls[1:], strict=False)]
        assert Client().get("/health/engine").status_code == 200
        wait_for(lambda: time.time() - Watchman.calls[-1] < 0.1, "the worst moment: right after a call", 60)
        died_at = time.time()
        for engine in list(at.nursery.running):
            at.nursery.kill(engine)
        asked = seconds_until_asking_finds_out(died_at)
        wait_for(lambda: time.time() - Watchman.calls[-1] > SECONDS_OF_SILENCE, "silence", 120)
        silent = time.time() - died_at
    say(
        f"death of all engines: noticed by asking /health/engine after {asked:.0f} s, by the missing call "
        f"after {silent:.0f} s (bound 90 s); while alive it called every {max(gaps):.0f} s at most"
    )


SCENES: dict[str, Callable[[argparse.Namespace], Report | None]] = {
    "kills": kills,
    "frozen": frozen,
    "restart": restart,
    "network": network,
    "disk": disk,
    "forward": partial(clock, by=timedelta(hours=1)),
    "back": partial(clock, by=timedelta(seconds=-10)),
    "death": death,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", nargs="*", help=", ".join(SCENES))
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--lease", type=float, default=30.0, help="seconds; the product's own is 30")
    wanted = parser.parse_args()
    if unknown := set(wanted.scenes) - set(SCENES):
        parser.error(f"there is no scene {', '.join(unknown)}; there are {', '.join(SCENES)}")
    load = os.getloadavg()[0]
    say(f"{os.cpu_count()} processors, load {load:.1f} before it began")
    reports = []
    for name in wanted.scenes or SCENES:
        report = SCENES[name](wanted)
        if report is not None:
            reports.append(report)
            say(str(report))
    say("")
    say(HEADINGS)
    for report in reports:
        say(str(report))
    say(f"load {os.getloadavg()[0]:.1f} when it ended")
    if not all(report.holds for report in reports):
        raise SystemExit("something was lost, missed, changed, or repeated too often")
    if not all(report.is_in_time for report in reports):
        raise SystemExit("nothing was lost, but a recovery took longer than its bound: was the machine busy?")


if __name__ == "__main__":
    main()
