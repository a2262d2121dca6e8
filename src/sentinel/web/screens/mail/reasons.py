"""Whoever stops, lifts or releases something says why."""

from __future__ import annotations

from sentinel.kernel.errors import Refused
from sentinel.web.access import ConsoleRequest
from sentinel.web.forms.mail import ReasonForm


def reason_of(request: ConsoleRequest, *, ask: str) -> str:
    """The reason the viewer gave. Raises Refused with ``ask`` when there is none."""
    form = ReasonForm(request.POST)
    if not form.is_valid():
        raise Refused("reason_missing", ask)
    return str(form.cleaned_data["reason"])
