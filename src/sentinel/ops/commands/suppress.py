"""`sentinel suppress`: the list of addresses and domains that get no check-ins."""

import sys

import click

from sentinel.kernel import clock
from sentinel.ops.database import database_running
from sentinel.standing.selectors import suppression_of, suppressions
from sentinel.standing.services import lift_suppression, suppress
from sentinel.standing.states import SuppressedBecause


@click.group("suppress")
def command() -> None:
    """Leave addresses and whole domains alone: nobody there gets a check-in, whatever a roster says."""


@command.command("add")
@click.argument("address")
@click.option("--note", default="", help="Why, in your own words.")
@click.option(
    "--because",
    type=click.Choice([reason.value for reason in SuppressedBecause]),
    default=SuppressedBecause.REQUEST.value,
    show_default=True,
    help="What kind of reason it is.",
)
def add(address: str, note: str, because: str) -> None:
    """Put ADDRESS on the list: one address, or a whole domain as @example.com."""
    with database_running():
        entry = suppress(address=address, because=SuppressedBecause(because), note=note, now=clock.now())
        click.echo(f"{entry.address} gets no check-ins since {entry.since:%Y-%m-%d %H:%M} UTC.")


@command.command("list")
@click.argument("text", default="")
@click.option("--all", "with_lifted", is_flag=True, help="Also show entries that were lifted.")
def list_entries(text: str, with_lifted: bool) -> None:
    """Print the entries whose address or note contains TEXT, the newest first."""
    with database_running():
        entries = suppressions(text=text, with_lifted=with_lifted)
        for entry in entries.iterator():
            lifted = f"  lifted {entry.lifted_at:%Y-%m-%d}: {entry.lifted_reason}" if entry.lifted_at else ""
            line = f"{entry.since:%Y-%m-%d}  {entry.because:9}  {entry.address}  {entry.note}{lifted}"
            click.echo(line.rstrip())


@command.command("lift")
@click.argument("address")
@click.option("--reason", required=True, help="Why this address may be written to again.")
def lift(address: str, reason: str) -> None:
    """Take ADDRESS off the list again; the entry stays on record with the reason."""
    with database_running():
        entry = suppression_of(address)
        wanted = address.strip().strip("<>").lower()
        if entry is None:
            click.echo(f"{wanted} is not on the list.", err=True)
            sys.exit(1)
        if entry.address.startswith("@") and not wanted.startswith("@"):
            click.echo(f"The whole domain {entry.address} is on the list; lift that one.", err=True)
            sys.exit(1)
        lift_suppression(suppression_id=entry.pk, reason=reason, now=clock.now())
        click.echo(f"{entry.address} may be written to again.")
