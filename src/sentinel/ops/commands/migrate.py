"""`sentinel migrate`: brings the database to this release."""

import click

from sentinel.ops.database import database_running, migrate


@click.command("migrate")
def command() -> None:
    """Bring the database to the shape this release needs.

    `sentinel up` does it by itself. In production run it once before starting a new release; running
    it again changes nothing.
    """
    with database_running():
        migrate()
