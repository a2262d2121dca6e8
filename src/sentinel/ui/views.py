"""The living style guide: every component in every tone, so that a changed token is seen at one glance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from sentinel.ui.frames import ConsoleFrame, NavItem

TONES = ("neutral", "info", "soon", "suffer", "calm")
SAMPLE_NOW = datetime(2026, 6, 12, 13, 50, tzinfo=UTC)


class SampleForm(forms.Form):
    """One field of each kind; shown bound and invalid so that every state of a field is visible."""

    number = forms.CharField(label=_("Telephone"), help_text=_("With the country code."))
    cause = forms.ChoiceField(
        label=_("Cause"), choices=[("delivery", _("Delivery")), ("invoice", _("Invoice"))]
    )
    day = forms.DateField(label=_("Promise"), widget=forms.DateInput(attrs={"type": "date"}))
    done = forms.CharField(label=_("What was done"), widget=forms.Textarea(attrs={"rows": 3}), required=False)
    outcome = forms.ChoiceField(
        label=_("Outcome"),
        choices=[("reached", _("Reached")), ("no_answer", _("No answer"))],
        widget=forms.RadioSelect,
        help_text=_("What happened when you called."),
    )
    agreed = forms.BooleanField(label=_("The worker agreed to the date"))


def styleguide(request: HttpRequest) -> HttpResponse:
    """Draw the style guide inside the console's own frame, or a sample frame where there is none."""
    sections = [
        NavItem(str(_("Words and tones")), "#words", current=True),
        NavItem(str(_("Actions")), "#actions"),
        NavItem(str(_("Lists")), "#lists", count=3),
        NavItem(str(_("Forms")), "#forms", count=2, tone="suffer"),
    ]
    context = {
        "tones": TONES,
        "sections": sections,
        "now": SAMPLE_NOW,
        "due": {
            "ok": SAMPLE_NOW + timedelta(days=2, hours=4),
            "soon": SAMPLE_NOW + timedelta(minutes=12),
            "now": SAMPLE_NOW,
            "late": SAMPLE_NOW - timedelta(hours=3, minutes=5),
        },
        "form": SampleForm({"number": "", "day": "yesterday", "outcome": "", "done": "", "cause": "invoice"}),
        "fresh": SampleForm(auto_id="fresh_%s"),
        "page": Paginator(range(1, 213), 25).page(2),
    }
    return render(request, "ui/styleguide.html", context | sample_frame(request))


def sample_frame(request: HttpRequest) -> dict[str, ConsoleFrame]:
    """A frame for the style guide where no context processor gives one: it is then viewed on its own."""
    if getattr(request, "user", None) is not None:
        return {}
    return {"frame": ConsoleFrame(provider="Sentinel")}
