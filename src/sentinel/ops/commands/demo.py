"""`sentinel demo`: the invented provider that a newcomer tries Sentinel with."""

from collections.abc import Callable

import click
from django.conf import settings
from django.db import connection

from sentinel.demonstration.cast import PASSWORD
from sentinel.demonstration.selectors import count_caught_mails, demonstration
from sentinel.demonstration.services import refuse_outside_demonstration
from sentinel.kernel import clock
from sentinel.ops.database import database_running, migrate
from sentinel.ops.demo.fill import SEED, Filled, Scale, fill, reset
from sentinel.ops.demo.player import Interrupted
from sentinel.ops.modes import begin_work
from sentinel.ops.supervisor import stop_on_signals
from sentinel.people.selectors import active_users
from sentinel.problems.models import Problem
from sentinel.problems.selectors import open_problems

WEEKS = click.option(
    "--weeks",
    type=click.IntRange(3, 52),
    default=Scale().weeks,
    show_default=True,
    help="How many weeks of history are played.",
)
SEED_OPTION = click.option(
    "--seed", type=int, default=SEED, show_default=True, help="The same seed and time give the same history."
)


@click.group("demo")
def command() -> None:
    """Fill, start over, or look at the demonstration. Only in demonstration mode."""


@command.command("fill")
@WEEKS
@SEED_OPTION
def fill_command(weeks: int, seed: int) -> None:
    """Play the demonstration's history, if that was not done yet.

    `sentinel up` does it by itself in demonstration mode. A filling that was interrupted is done anew
    from its start; a complete one is left alone.
    """
    _run(lambda say, stop: fill(say=say, should_stop=stop, scale=Scale(weeks=weeks), seed=seed))


@command.command("reset")
@WEEKS
@SEED_OPTION
@click.confirmation_option(
    "--yes", prompt="Everything in this demonstration is forgotten. Go on?", help="Do not ask."
)
def reset_command(weeks: int, seed: int) -> None:
    """Forget everything in the demonstration and play it anew, up to now. `sentinel up` must not run."""
    _run(lambda say, stop: reset(say=say, should_stop=stop, scale=Scale(weeks=weeks), seed=seed))


@command.command("status")
def status_command() -> None:
    """Say who can sign in, where, and what to try first."""
    refuse_outside_demonstration()
    with database_running():
        found = demonstration()
        if found is None or found.filled_at is None:
            click.echo("The demonstration is not filled yet: `sentinel demo fill`, or just `sentinel up`.")
            return
        click.echo(f"It is {clock.now():%A %Y-%m-%d %H:%M} UTC on the demonstration's clock.")
        click.echo(
            f"{Problem.objects.count()} problems, {open_problems().count()} of them open; "
            f"{count_caught_mails()} mails in the mail room."
        )
        click.echo(f"\nSign in at {settings.BASE_URL}/sign-in/ (password of everybody: {PASSWORD})\n")
        for user in active_users():
            click.echo(f"  {user.email:32} {user.name:16} {', '.join(user.roles)}")
        click.echo(_FIRST_STEPS)


_FIRST_STEPS = """
First steps:
  1. Come in as Maria Behrens (owner): Today says whom to call now.
  2. Open the mail room, choose a check-in, and frown as the worker.
  3. Back as Maria: take it, call, promise a date, propose the solution.
  4. In the mail room again: answer “not yet”, or “solved”.
  5. `sentinel clock advance 2h`: watch the ladder climb when nobody reacts."""


def _run(work: Callable[[Callable[[str], None], Callable[[], bool]], Filled | None]) -> None:
    refuse_outside_demonstration()
    stop = stop_on_signals()
    with database_running():
        migrate(verbosity=0)
        begin_work()
        try:
            filled = work(click.echo, stop.is_set)
        except Interrupted:
            connection.close()
            raise click.ClickException("interrupted; the next filling begins from the start") from None
    click.echo(str(filled) if filled else "The demonstration is filled already.")
