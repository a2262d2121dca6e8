"""The `sentinel` command: finds its subcommands by itself, one file each in `commands/`.

A file there offers one `command`, whose own name counts, not the file's.
"""

import importlib
import os
import pkgutil
import sys
from functools import cache

import click
import django
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError

from sentinel import __version__
from sentinel.kernel.errors import Refused
from sentinel.ops import commands
from sentinel.ops.postgres import PostgresUnavailable

SETTINGS = "sentinel.config.settings"
WRONG_SETTINGS = 2


@cache
def _found() -> dict[str, click.Command]:
    found = {}
    for module in pkgutil.iter_modules(commands.__path__):
        command = importlib.import_module(f"{commands.__name__}.{module.name}").command
        found[command.name] = command
    return found


class Subcommands(click.Group):
    """Lists what lies in `commands/`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_found())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return _found().get(cmd_name)


@click.group(cls=Subcommands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sentinel")
def sentinel() -> None:
    """Sentinel finds and removes customers' problems before anybody has to complain.

    `sentinel up` serves the whole system. In production, start `sentinel web` and `sentinel engine`
    under a supervisor of your own, as many of each as you like on one PostgreSQL. Everything is set
    by SENTINEL_* variables; `sentinel doctor` says what is wrong with them.
    """


def main() -> None:
    """Run the command; a wrong setting ends it with one line each and exit code 2."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS)
    try:
        # Subcommands import models at their top, so the packages must be ready before they are found.
        django.setup()
        sentinel()
    except ImproperlyConfigured as error:
        for line in str(error).splitlines():
            click.echo(f"sentinel: {line}", err=True)
        sys.exit(WRONG_SETTINGS)
    except OperationalError as error:
        # The database went away or was never there; everything else about it is a defect and shows itself.
        click.echo(f"sentinel: PostgreSQL does not answer: {str(error).splitlines()[0]}", err=True)
        sys.exit(1)
    except (Refused, PostgresUnavailable) as error:
        click.echo(f"sentinel: {error}", err=True)
        sys.exit(1)
