"""`sentinel clock`: the demonstration's movable clock."""

from datetime import timedelta

import click

from sentinel.demonstration.services import advance_clock, refuse_outside_demonstration
from sentinel.kernel import clock
from sentinel.ops.database import database_running
from sentinel.ops.durations import Duration


@click.group("clock")
def command() -> None:
    """See or move the time of a demonstration."""


@command.command("show")
def show() -> None:
    """Print the time Sentinel goes by, in UTC."""
    with database_running():
        click.echo(f"{clock.now():%A %Y-%m-%d %H:%M:%S} UTC")


@command.command("advance")
@click.argument("duration", type=Duration())
def advance(duration: timedelta) -> None:
    """Move the clock on by DURATION: 90m, 2d, 1w2d4h. Only forwards, and only in a demonstration.

    Every duty and message that becomes due in between is then handled by the engine, in order.
    """
    refuse_outside_demonstration()
    with database_running():
        now = advance_clock(by=duration, actor_name="sentinel clock", now=clock.now())
        click.echo(f"It is now {now:%A %Y-%m-%d %H:%M:%S} UTC")
