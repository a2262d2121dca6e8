"""Fields that many forms of the console share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django import forms

from sentinel.people.models import User
from sentinel.people.rules import Role

ACTING_ROLES = [Role.OWNER.value, Role.MANAGER.value, Role.EXECUTIVE.value, Role.OFFICER.value]


def text_field(
    label: str, *, rows: int = 3, required: bool = True, help_text: str = "", initial: str = ""
) -> forms.CharField:
    """A field for several lines."""
    area = forms.Textarea(attrs={"rows": rows})
    return forms.CharField(
        label=label, required=required, help_text=help_text, initial=initial, max_length=4000, widget=area
    )


def date_input() -> forms.DateInput:
    """A date as the browser's own picker wants it."""
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def moment_input() -> forms.DateTimeInput:
    """Date and time as the browser's own picker wants them."""
    return forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


def offer(form: forms.Form, name: str, rows: Any, *, label: Callable[[Any], str] | None = None) -> None:
    """Let a field choose among ``rows``, shown by ``label``."""
    field = cast("forms.ModelChoiceField[Any]", form.fields[name])
    if label is not None:
        field.label_from_instance = label  # type: ignore[method-assign,assignment]  # Django's own way needs a subclass
    field.queryset = rows


def site_name(site: Any) -> str:
    """A site among those of one account."""
    return str(site.name)


def acting_users() -> Any:
    """Users who may answer for a problem."""
    return User.objects.filter(is_active=True, roles__overlap=ACTING_ROLES).order_by("name")


def people(*roles: Role) -> Any:
    """Active users with one of the roles."""
    return User.objects.filter(is_active=True, roles__overlap=[r.value for r in roles]).order_by("name")
