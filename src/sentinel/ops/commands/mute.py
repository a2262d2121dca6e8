"""`sentinel mute`: notices to users wait while something is tested."""

from datetime import timedelta

import click

from sentinel.kernel import clock
from sentinel.ops.database import database_running
from sentinel.ops.durations import Duration
from sentinel.outbox.mutes import current_mute
from sentinel.outbox.waiting import put_off
from sentinel.workflows.mute_notices import mute_notices, unmute_notices


@click.group("mute")
def command() -> None:
    """Let notices to users wait during a test. The console still shows them, and the loop goes on."""


@command.command("start")
@click.option(
    "--for", "length", type=Duration(), default="30m", show_default=True, help="How long; 4h at most."
)
@click.option("--reason", required=True, help="Why; everybody reads it on the console.")
@click.option("--with-workers", is_flag=True, help="Let mail to workers about their problems wait, too.")
def start(length: timedelta, reason: str, with_workers: bool) -> None:
    """Mute from now on; it ends by itself."""
    with database_running():
        mute = mute_notices(
            user=None, length=length, reason=reason, with_workers=with_workers, now=clock.now()
        )
        click.echo(f"Notices are muted until {mute.until:%Y-%m-%d %H:%M} UTC.")


@command.command("end")
def end() -> None:
    """End the mute in force now; what waited goes out, one message per person and way."""
    with database_running():
        waited = unmute_notices(user=None, now=clock.now())
        click.echo(f"Notices go out again; {waited} had waited.")


@command.command("show")
def show() -> None:
    """Say whether notices are muted, why, and what waits."""
    with database_running():
        mute = current_mute(clock.now())
        if mute is None:
            click.echo("Notices are not muted.")
        else:
            click.echo(f"Muted until {mute.until:%Y-%m-%d %H:%M} UTC by {mute.by}: {mute.reason}")
        for one in put_off():
            click.echo(f"{one.count:5}  {one.channel:8} {one.address}  {one.next_at:%H:%M} UTC: {one.words}")
