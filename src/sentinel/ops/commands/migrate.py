"""`sentinel migrate`: brings the database to this release."""

import click

from sentinel.ops.catalogues import ensure_compiled
from sentinel.ops.database import database_running, migrate


@click.command("migrate")
def command() -> None:
    """Bring the database to the shape this release needs.

    `sentinel up` does it by itself. In production run it once before starting a new release; running
    it again changes nothing. Translations that changed are compiled, too.
    """
    ensure_compiled()
    with database_running():
        migrate()
