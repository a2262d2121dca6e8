"""`sentinel manage`: Django's own commands, for people who work on Sentinel."""

import click
from django.core.management import execute_from_command_line

from sentinel.ops.database import database_running


@click.command(
    "manage",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Run one of Django's commands with the database started.

    For people who work on Sentinel: `sentinel manage makemigrations`, `sentinel manage shell`.
    """
    with database_running():
        execute_from_command_line(["sentinel manage", *arguments])
