"""`sentinel user`: the people of the provider who may sign in."""

import click
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from sentinel.ops.database import database_running
from sentinel.people.models import User
from sentinel.people.rules import Role


@click.group("user")
def command() -> None:
    """Add the people who may sign in."""


@command.command("add")
@click.argument("email")
@click.option("--name", required=True, help="Full name, as customers read it in their mail.")
@click.option(
    "--role",
    "roles",
    multiple=True,
    required=True,
    type=click.Choice([role.value for role in Role]),
    help="May be given several times.",
)
@click.option("--zone", default="UTC", show_default=True, help="Time zone, for example Europe/Berlin.")
@click.option("--language", default="en", show_default=True, help="Language of the console.")
@click.password_option(help="Asked for when it is left out, which keeps it out of the shell's history.")
def add(email: str, name: str, roles: tuple[str, ...], zone: str, language: str, password: str) -> None:
    """Add a user with the sign-in address EMAIL.

    The first one of a new installation should be an administrator:

        sentinel user add ada@example.com --name "Ada Byron" --role administrator
    """
    is_administrator = Role.ADMINISTRATOR.value in roles
    columns = {"roles": sorted(set(roles)), "zone": zone, "language": language}
    user = User(email=User.objects.normalize_email(email), name=name, is_staff=is_administrator, **columns)
    user.is_superuser = is_administrator
    user.set_password(password)
    with database_running():
        if User.objects.filter(email__iexact=email).exists():
            raise click.ClickException(f"there is a user with the address {email} already")
        try:
            with transaction.atomic():
                validate_password(password, user)
                user.full_clean(validate_constraints=False)
                user.save()
        except ValidationError as error:
            raise click.ClickException("; ".join(error.messages)) from None
    click.echo(f"{user.name} may sign in as {user.email}.")
