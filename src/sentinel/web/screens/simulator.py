"""The ladder simulator: a frown at this site at this time, and who would hear what when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpResponse

from sentinel.accounts.models import Site
from sentinel.accounts.selectors import accounts_visible_to
from sentinel.checkins.rules import Severity
from sentinel.escalation.simulation import policy_in_force, predict
from sentinel.people.reach import without_way
from sentinel.web import words
from sentinel.web.access import ConsoleRequest, screen, show
from sentinel.web.forms.fields import moment_input, offer


class SimulatorForm(forms.Form):
    """The imagined frown. ``at`` is wall time at the site."""

    site = forms.ModelChoiceField(Site.objects.none(), empty_label=None)
    at = forms.CharField(label="Frown at, in the site's time", widget=moment_input())
    severity = forms.ChoiceField(
        label="How bad",
        choices=[(value, label) for value, (label, _) in words.SEVERITIES.items()],
        initial=Severity.HINDERS.value,
    )

    def __init__(self, *args: Any, sites: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "site", sites, label=lambda site: f"{site.name}, {site.account.name}")

    def clean_at(self) -> datetime:
        """A wall time without zone."""
        try:
            wall = datetime.fromisoformat(str(self.cleaned_data["at"]))
        except ValueError:
            raise forms.ValidationError("Write date and time like 2026-06-12 16:50.") from None
        return wall.replace(tzinfo=None)


@screen()
def simulator(request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in, for sites of accounts they may see. Reads only: nothing is set or sent."""
    visible = accounts_visible_to(request.user, request.now)
    sites = Site.objects.filter(account__in=visible.values("pk")).select_related(
        "account__owner__calendar", "account__deputy__calendar", "account__manager__calendar", "calendar"
    )
    sites = sites.order_by("account__name", "name")
    form = SimulatorForm(request.GET or None, sites=sites, initial=_next_friday(sites.first(), request.now))
    context: dict[str, Any] = {"form": form, "has_sites": sites.exists()}
    if form.is_bound and form.is_valid():
        context |= _predicted(form.cleaned_data)
    return show(request, "web/team/simulator.html", context, status=422 if form.errors else 200)


def _predicted(values: dict[str, Any]) -> dict[str, Any]:
    site: Site = values["site"]
    at = values["at"].replace(tzinfo=ZoneInfo(site.zone)).astimezone(UTC)
    steps = predict(site=site, at=at, severity=Severity(values["severity"]), steps=8)
    name, _ = policy_in_force(site)
    grouped = [
        (key, list(rows))
        for key, rows in groupby(steps, key=lambda step: (step.position, step.repeat, step.at))
    ]
    lost = without_way({step.user.pk: step.user for step in steps}.values())
    return {
        "steps": grouped,
        "site": site,
        "frown_at": at,
        "ladder_name": name,
        "out_of_reach": {user.pk for user in lost},
    }


def _next_friday(site: Site | None, now: datetime) -> dict[str, Any]:
    """The hardest moment of a week as the first suggestion: Friday 16:50 at the site."""
    zone = ZoneInfo(site.zone if site else "UTC")
    local = now.astimezone(zone)
    friday = local + timedelta(days=(4 - local.weekday()) % 7)
    return {"at": friday.strftime("%Y-%m-%dT16:50"), "site": site.pk if site else None}
