"""`sentinel simulate`: who would hear of a frown, and when."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import click
from django.db.models import Q

from sentinel.accounts.models import Site
from sentinel.checkins.rules import Severity
from sentinel.escalation.simulation import predict
from sentinel.kernel import clock
from sentinel.ops.database import database_running


@click.command("simulate")
@click.argument("site_name", metavar="SITE")
@click.option("--at", "wall", metavar="'YYYY-MM-DD HH:MM'", help="Local time at the site; default: now.")
@click.option(
    "--severity",
    type=click.Choice([s.value for s in Severity]),
    default=Severity.HINDERS.value,
    show_default=True,
    help="How bad it is for the worker.",
)
@click.option(
    "--steps", type=click.IntRange(1, 100), default=8, show_default=True, help="Firings to look ahead."
)
def command(site_name: str, wall: str | None, severity: str, steps: int) -> None:
    """Tell who hears what when after a frown at SITE to which nobody reacts. Changes nothing.

    The engine takes its steps from the same function, so this is what will happen.
    """
    with database_running():
        site = _site(site_name)
        at = _instant(wall, site)
        click.echo(f"A frown at {site} on {_local(at, site.zone)} ({severity}):")
        for step in predict(site=site, at=at, severity=Severity(severity), steps=steps):
            rung = f"rung {step.position}" + (f", repeat {step.repeat}" if step.repeat else "")
            mail = "" if step.mail_at == step.at else f", mail {_local(step.mail_at, step.zone)}"
            role = (
                " and takes over"
                if step.takes_over
                else (" and answers for it" if step.is_accountable else "")
            )
            click.echo(f"  {_local(step.at, step.zone)}  {rung:18} {step.user.name}{role}{mail}")


def _site(name: str) -> Site:
    sites = list(
        Site.objects.select_related("account__owner__calendar", "calendar").filter(
            Q(name__iexact=name) | Q(pk=int(name) if name.isdecimal() else None)
        )[:2]
    )
    if len(sites) != 1:
        known = ", ".join(Site.objects.order_by("name").values_list("name", flat=True)[:20]) or "none yet"
        raise click.UsageError(
            f"{'More than one' if sites else 'No'} site is called {name!r}. Sites: {known}"
        )
    return sites[0]


def _instant(wall: str | None, site: Site) -> datetime:
    if wall is None:
        return clock.now()
    try:
        return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(site.zone)).astimezone(UTC)
    except ValueError:
        raise click.UsageError(f"{wall!r} is not a time like '2026-03-06 16:50'") from None


def _local(at: datetime, zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(zone)):%a %d %b %H:%M} ({zone.rpartition('/')[2].replace('_', ' ')})"
