"""`sentinel verify`: whether the timeline still says what was written."""

import sys

import click

from sentinel.ops.database import database_running, unapplied_migrations
from sentinel.timeline.selectors import broken_links, streams


@click.command("verify")
def command() -> None:
    """Walk every hash chain of the timeline and name each place where it does not hold. Changes nothing.

    Ends with exit code 0 when all chains hold, 1 otherwise, so that a monitor can call it.
    """
    with database_running():
        if unapplied_migrations():
            raise click.ClickException(
                "the database is not ready for this release: run `sentinel migrate` first"
            )
        names = streams()
        broken = 0
        for name in names:
            for link in broken_links(name):
                broken += 1
                click.echo(f"BROKEN  {link.stream}, event {link.seq}: {link.why}")
    if broken:
        click.echo(f"{broken} broken links in {len(names)} chains")
        sys.exit(1)
    click.echo(f"All {len(names)} chains hold.")
