"""`sentinel mailroom`: keeps the demonstration's mail in the house."""

import click
from django.conf import settings

from sentinel.demonstration.mailroom import HOST, run_until
from sentinel.kernel.errors import Refused
from sentinel.ops.database import database_running
from sentinel.ops.supervisor import stop_on_signals


@click.command("mailroom")
def command() -> None:
    """Catch every mail of a demonstration, until stopped.

    A real SMTP server on this machine only. The console's mail room shows what it kept; nothing is
    passed on. `sentinel up` starts it by itself.
    """
    stop = stop_on_signals()
    try:
        with database_running():
            run_until(stop, port=settings.MAIL_ROOM_PORT)
    except Refused as refusal:
        raise click.ClickException(refusal.message) from None
    except OSError as error:
        raise click.ClickException(
            f"the mail room cannot listen on {HOST}:{settings.MAIL_ROOM_PORT}: {error.strerror}"
        ) from None
