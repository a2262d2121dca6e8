"""`sentinel web`: serves the pages."""

import click
from django.conf import settings
from django.db import connections
from granian.constants import Interfaces
from granian.log import LogLevels
from granian.server import Server

from sentinel.ops.catalogues import ensure_compiled
from sentinel.ops.database import database_running
from sentinel.ops.modes import begin_work
from sentinel.ops.ports import refuse_if_taken


@click.command("web")
@click.option("--workers", type=click.IntRange(1, 64), default=1, show_default=True, help="Processes.")
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Requests at once, per process.",
)
def command(workers: int, threads: int) -> None:
    """Serve the pages: the workers' answers and the console.

    Listens on SENTINEL_HOST and SENTINEL_PORT. Start as many as you like on one database; it sends
    nothing by itself, that is the engine's work.
    """
    host, port = settings.ENVIRONMENT.host, settings.ENVIRONMENT.port
    refuse_if_taken(host, port)
    ensure_compiled()
    module, _, name = settings.WSGI_APPLICATION.rpartition(".")
    with database_running():
        begin_work()
        connections.close_all()  # the server's own processes open theirs
        Server(
            f"{module}:{name}",
            address=host,
            port=port,
            interface=Interfaces.WSGI,
            workers=workers,
            blocking_threads=threads,
            websockets=False,
            log_level=LogLevels.warning,
            log_dictconfig=settings.LOGGING,
            respawn_failed_workers=True,
        ).serve()
