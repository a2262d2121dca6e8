"""Forms of the mail screens."""

from __future__ import annotations

from typing import Any

from django import forms

from sentinel.accounts.models import Worker
from sentinel.problems.models import Problem
from sentinel.web.forms.fields import offer, text_field


class ReasonForm(forms.Form):
    """Why somebody stops or releases something."""

    reason = forms.CharField(label="Why", max_length=300)


class SuppressForm(forms.Form):
    """An address or a whole domain that is left alone from now on."""

    address = forms.CharField(
        label="Address or domain",
        max_length=320,
        help_text="One address, or @example.com for a whole domain.",
    )
    note = forms.CharField(label="Who asked for it, and where", max_length=500)


class LimitForm(forms.Form):
    """How fast a recipient domain may be written to."""

    limit_per_minute = forms.FloatField(
        label="Mails per minute at most",
        min_value=0.1,
        max_value=1_000_000,
        required=False,
        help_text="Empty: no limit of ours. Sentinel slows down by itself when the domain asks for it.",
    )


class DomainForm(forms.Form):
    """A domain to look at, or to limit."""

    domain = forms.RegexField(
        r"^[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+$",
        label="Domain",
        max_length=253,
        error_messages={"invalid": "Enter a domain name, for example example.com."},
    )


class SettleMailForm(forms.Form):
    """What a person makes of a mail that nobody could place."""

    CHOICES = (
        ("problem", "It belongs to an open problem"),
        ("worker", "It is a new problem of a worker"),
        ("nothing", "It needs nothing more"),
    )
    what = forms.ChoiceField(label="What is it?", choices=CHOICES, widget=forms.RadioSelect)
    problem = forms.ModelChoiceField(
        Problem.objects.none(),
        required=False,
        empty_label="Choose a problem",
        help_text="When it belongs to an open problem.",
    )
    worker = forms.ModelChoiceField(
        Worker.objects.none(),
        required=False,
        empty_label="Choose a worker",
        help_text="When it is a new problem: whose.",
    )
    address = forms.CharField(
        label="Or the worker's e-mail address",
        max_length=254,
        required=False,
        help_text="When the list above does not hold them: it ends after 200 names.",
    )
    note = text_field("Note", rows=2, required=False, help_text="Needed when nothing follows from it.")

    def __init__(self, *args: Any, problems: Any, workers: Any, everybody: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "problem", problems, label=_problem_label)
        offer(self, "worker", workers, label=_worker_label)
        self._everybody = everybody

    def clean(self) -> dict[str, Any]:
        """What was chosen needs its object or its note."""
        values = super().clean() or {}
        what = values.get("what")
        address = str(values.get("address") or "").strip()
        if what == "worker" and address and self._everybody is not None:
            values["worker"] = self._everybody.filter(email__iexact=address).first()
            if values["worker"] is None:
                self.add_error("address", "None of the workers you may see has this address.")
                return values
        if what in ("problem", "worker") and not values.get(what):
            self.add_error(what, "Choose one.")
        if what == "nothing" and not str(values.get("note") or "").strip():
            self.add_error("note", "Say why nothing follows from it.")
        return values


def _problem_label(problem: Any) -> str:
    words = problem.words or "frown without words"
    return f"{problem.worker.name}, {problem.account.name}: {words[:60]}"


def _worker_label(worker: Any) -> str:
    return f"{worker.name} ({worker.site.account.name})"
