"""`sentinel engine`: the process in the background."""

import click

from sentinel.engine.loop import run_forever
from sentinel.ops.catalogues import ensure_compiled
from sentinel.ops.database import database_running
from sentinel.ops.modes import begin_work
from sentinel.ops.supervisor import stop_on_signals


@click.command("engine")
def command() -> None:
    """Fire duties that are due and send what is in the outbox, until stopped.

    Start as many as you like on one database: they share the work, and when one dies the others
    take over what it had begun.
    """
    ensure_compiled()
    stop = stop_on_signals()
    with database_running():
        begin_work()
        run_forever(stop)
