"""Keeps demonstrations and real work apart: one database belongs to one of the two for good."""

from datetime import timedelta

import click
from django.conf import settings

from sentinel.accounts.models import Account
from sentinel.demonstration.models import ClockOffset
from sentinel.demonstration.services import set_clock_offset
from sentinel.ops.database import unapplied_migrations


def begin_work() -> None:
    """Refuse a database that is not ready for this release or this mode, and claim an empty one.

    Raises ClickException when this database was begun in the other mode.

    An invented customer must never get into real figures, and the clock of real duties must never
    be moved. The row of the demonstration's clock marks a database as a demonstration; an empty
    database takes the mode of its first start.
    """
    if unapplied_migrations():
        raise click.ClickException("the database is not ready for this release: run `sentinel migrate` first")
    # Not through the services: they answer for this process's mode, and here the tables' counts.
    is_demonstration = ClockOffset.objects.exists()
    if settings.DEMONSTRATION and not is_demonstration and Account.objects.exists():
        raise click.ClickException(
            "this database holds real accounts, so it cannot run a demonstration: "
            "unset SENTINEL_DEMONSTRATION, or choose another SENTINEL_DATABASE_URL or SENTINEL_DATA_DIR"
        )
    if is_demonstration and not settings.DEMONSTRATION:
        raise click.ClickException(
            "this database holds a demonstration, so it cannot do real work: "
            "set SENTINEL_DEMONSTRATION=true, or choose another SENTINEL_DATABASE_URL or SENTINEL_DATA_DIR"
        )
    if settings.DEMONSTRATION and not is_demonstration:
        set_clock_offset(offset=timedelta())
