"""`sentinel up`: the whole system with one command."""

import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import click
from django.conf import settings

from sentinel.ops.catalogues import ensure_compiled
from sentinel.ops.commands.inbound import variable_of_the_ear
from sentinel.ops.database import database_running, migrate
from sentinel.ops.demo.fill import fill_at_first_start
from sentinel.ops.modes import begin_work
from sentinel.ops.ports import refuse_if_taken
from sentinel.ops.postgres import Cluster
from sentinel.ops.supervisor import Part, stop_on_signals, supervise

SECONDS_BETWEEN_LOOKS_AT_THE_DATABASE = 5.0


@click.command("up")
@click.option("--empty", is_flag=True, help="Leave an unfilled demonstration empty.")
def command(empty: bool) -> None:
    """Serve the whole system: database, web and engine together.

    Without SENTINEL_DATABASE_URL it brings its own PostgreSQL, which keeps its files in
    SENTINEL_DATA_DIR. The first start of a demonstration plays its history. A part that crashes is
    started again. Ctrl-C stops everything cleanly; the data stays for the next time.
    """
    environment = settings.ENVIRONMENT
    refuse_if_taken(environment.host, environment.port)
    if settings.CATCHES_MAIL:
        refuse_if_taken("127.0.0.1", settings.MAIL_ROOM_PORT)
    if environment.ear is not None:
        refuse_if_taken(environment.ear.host, environment.ear.port, variable_of_the_ear())
    ensure_compiled()
    stop = stop_on_signals()
    with database_running() as cluster:
        migrate(verbosity=0)
        begin_work()
        if settings.DEMONSTRATION and not empty and not fill_at_first_start(_say, stop.is_set):
            return
        parts = [_part(name) for name in names_of_parts()]
        threading.Thread(target=_announce, args=(stop,), daemon=True).start()
        supervise(parts, stop, say=_say, meanwhile=_watch(cluster))
    _say("stopped")


def names_of_parts() -> list[str]:
    """The commands that together are the whole system, in the order of their start."""
    environment = settings.ENVIRONMENT
    # Whatever takes mail comes first, so that it already listens when somebody sends.
    takes_mail = ["mailroom"] if environment.catches_mail else []
    if environment.ear is not None or environment.mailbox is not None:
        takes_mail.append("inbound")
    return [*takes_mail, "web", "engine", "sender"]


def _part(name: str) -> Part:
    return Part(name, [sys.executable, "-m", "sentinel", name])


def _say(text: str) -> None:
    click.echo(f"sentinel: {text}", err=True)


def _watch(cluster: Cluster | None) -> Callable[[], None]:
    """What to do on every round: see that the embedded server, if there is one, is still there."""
    looked_at = time.monotonic()

    def watch() -> None:
        nonlocal looked_at
        if cluster and time.monotonic() - looked_at > SECONDS_BETWEEN_LOOKS_AT_THE_DATABASE:
            looked_at = time.monotonic()
            cluster.ensure_started()

    return watch


def _announce(stop: threading.Event) -> None:
    """Print the address as soon as it answers; a person may open it at once."""
    environment = settings.ENVIRONMENT
    host = "127.0.0.1" if environment.host in ("0.0.0.0", "::") else environment.host  # noqa: S104
    while not stop.wait(0.2):
        try:
            urllib.request.urlopen(f"http://{host}:{environment.port}/health/web", timeout=5).close()
        except (OSError, urllib.error.URLError):
            continue
        _say(f"ready at {settings.BASE_URL}  (Ctrl-C stops it)")
        if settings.DEMONSTRATION:
            _say("this is a DEMONSTRATION: invented people, a movable clock, no mail leaves this machine")
        return
