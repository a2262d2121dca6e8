"""Keeps demonstrations and real work apart: one database belongs to one of the two for good."""

import click
from django.conf import settings

from sentinel.accounts.models import Account
from sentinel.demonstration.models import ClockOffset


def refuse_wrong_mode() -> None:
    """Raises ClickException when this database was begun in the other mode.

    An invented customer must never get into real figures, and the clock of real duties must never
    be moved. The row of the demonstration's clock marks a database as a demonstration; an empty
    database takes the mode of its first start.
    """
    # why not the services: this is about what the tables hold in either mode, where they refuse.
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
