"""`sentinel programme`: what workers are asked, when, and from which address."""

from __future__ import annotations

from datetime import datetime, time

import click
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils.dates import WEEKDAYS

from sentinel.checkins.models import Programme
from sentinel.checkins.selectors import active_programme, describe_programme
from sentinel.checkins.services import create_programme, record_programme_change
from sentinel.escalation.services import ensure_default_ladder
from sentinel.kernel import clock
from sentinel.ops.database import database_running

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@click.group("programme")
def command() -> None:
    """Set up and show the programme: the question, the window, the sender."""


@command.command("show")
def show() -> None:
    """Show the active programme: who asks what, when, and from which address."""
    with database_running():
        programme = active_programme()
        if programme is None:
            raise click.ClickException(
                "there is no active programme, so nobody is asked: `sentinel programme create`"
            )
        _tell(programme)


@command.command("create")
@click.option("--provider", required=True, help="Your company, as workers read it.")
@click.option("--sender", required=True, metavar="ADDRESS", help="The address mail to workers comes from.")
@click.option("--name", default="Check-in", show_default=True, help="What you call the programme.")
@click.option(
    "--day",
    "days",
    multiple=True,
    type=click.Choice(DAYS),
    default=("tue", "wed", "thu"),
    show_default=True,
    help="A day on which may be asked; may be given several times.",
)
@click.option(
    "--from",
    "start",
    default="09:00",
    show_default=True,
    type=click.DateTime(["%H:%M"]),
    help="Start of the window, local time at the site.",
)
@click.option(
    "--until",
    "end",
    default="11:00",
    show_default=True,
    type=click.DateTime(["%H:%M"]),
    help="End of the window, local time at the site.",
)
def create(
    provider: str, sender: str, name: str, days: tuple[str, ...], start: datetime, end: datetime
) -> None:
    """Create the programme that asks, with the shipped question in five languages and the shipped cadence.

    Refuses while one is active. The back office changes it later, question by question.
    """
    try:
        validate_email(sender)
    except ValidationError:
        raise click.UsageError(f"{sender!r} is not a mail address.") from None
    if start >= end:
        raise click.UsageError("The window must end after it starts.")
    with database_running(), transaction.atomic():
        _refuse_second(name)
        now = clock.now()
        programme = create_programme(
            name=name,
            provider_name=provider,
            sender_address=sender,
            now=now,
            window_days=sorted({DAYS.index(day) for day in days}),
            window_start=time(start.hour, start.minute),
            window_end=time(end.hour, end.minute),
        )
        record_programme_change(
            programme_id=programme.pk, before=None, after=describe_programme(programme), user=None, now=now
        )
        # The back office then shows a ladder to look at before the first problem needs it.
        ensure_default_ladder()
        _tell(programme)


def _refuse_second(name: str) -> None:
    if active := active_programme():
        raise click.ClickException(
            f"the programme {active.name!r} is active, and only one can be:"
            " change or pause it in the back office"
        )
    if Programme.objects.filter(name=name).exists():
        raise click.ClickException(
            f"there is a paused programme {name!r}: activate it in the back office, or give another --name"
        )


def _tell(programme: Programme) -> None:
    days = ", ".join(str(WEEKDAYS[day]) for day in programme.window_days)
    click.echo(f"{programme.name}: {programme.provider_name} asks from {programme.sender_address}")
    click.echo(f"on {days}, {programme.window_start:%H:%M} to {programme.window_end:%H:%M} at the site")
    for language, question in programme.questions.items():
        click.echo(f"  {language}  {question}")
