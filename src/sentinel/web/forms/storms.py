"""Forms of acts on many problems at once. Each lists the problems, ticked, so that nobody acts unseen."""

from __future__ import annotations

from typing import Any, cast

from django import forms

from sentinel.problems.models import Cause, Problem
from sentinel.web.forms.fields import date_input, offer, text_field


class ManyForm(forms.Form):
    """Which problems it is about."""

    problems = forms.ModelMultipleChoiceField(
        Problem.objects.none(), label="For", widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, rows: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        listed = rows.select_related("worker", "account", "cause")
        offer(self, "problems", listed, label=_name)
        self.fields["problems"].initial = [row.pk for row in listed]
        by_account: dict[str, list[tuple[int, str]]] = {}
        for row in listed:
            by_account.setdefault(row.account.name, []).append((row.pk, _name(row)))
        if len(by_account) > 1:
            field = cast("forms.ModelMultipleChoiceField[Problem]", self.fields["problems"])
            field.choices = sorted(by_account.items())
        self.order_fields([name for name in self.fields if name != "problems"])


class TakeAllForm(ManyForm):
    """Nothing to say: take them."""


class CauseForm(ManyForm):
    """One cause for all of them, an open one or a new one."""

    cause = forms.ModelChoiceField(
        Cause.objects.none(), label="A cause that is known", required=False, empty_label="A new one"
    )
    title = forms.CharField(label="Name of a new cause", max_length=200, required=False)
    description = text_field("What is known of it", rows=2, required=False, help_text="For colleagues only.")

    def __init__(self, *args: Any, causes: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "cause", causes)

    def clean(self) -> dict[str, Any]:
        """A known cause or a name, not neither."""
        values: dict[str, Any] = super().clean() or {}
        if not values.get("cause") and not str(values.get("title") or "").strip():
            self.add_error("title", "Name the cause, or choose one that is known.")
        return values


class PromiseAllForm(ManyForm):
    """The same date for everybody."""

    due_on = forms.DateField(label="Solved by", widget=date_input(), help_text="Each worker hears of it.")
    what = text_field("What you will do", rows=2, required=False, help_text="One line each worker reads.")
    reason = text_field(
        "Why it moves", rows=2, required=False, help_text="Needed where a date was promised before."
    )


class ProposeAllForm(ManyForm):
    """The claim that the cause is gone, to those who are ticked. One cause at a time: its problems are
    ticked, and where there are several the others say which cause is theirs."""

    cause = forms.ModelChoiceField(Cause.objects.none(), label="Cause", empty_label=None)
    what_was_done = text_field(
        "What was done", help_text="Each worker reads this and decides for themselves."
    )
    root_cause = text_field("Root cause", help_text="Only for us: why could it happen at all?")

    def __init__(self, *args: Any, rows: Any, causes: Any, **kwargs: Any) -> None:
        super().__init__(*args, rows=rows, **kwargs)
        offer(self, "cause", causes)
        first = causes.first()
        self.fields["cause"].initial = first
        self.fields["problems"].initial = [row.pk for row in rows if row.cause_id == first.pk]
        if causes.count() > 1:
            field = cast("forms.ModelMultipleChoiceField[Problem]", self.fields["problems"])
            field.choices = sorted(_by_cause(rows.select_related("worker", "cause")).items())

    def clean(self) -> dict[str, Any]:
        """Nobody is asked about a cause that is not theirs."""
        values: dict[str, Any] = super().clean() or {}
        cause, chosen = values.get("cause"), values.get("problems")
        if cause is not None and chosen is not None:
            others = [problem.worker.name for problem in chosen if problem.cause_id != cause.pk]
            if others:
                self.add_error("problems", f"Of another cause, so untick: {', '.join(others)}.")
        return values


def _by_cause(rows: Any) -> dict[str, list[tuple[int, str]]]:
    found: dict[str, list[tuple[int, str]]] = {}
    for row in rows:
        found.setdefault(row.cause.title, []).append((row.pk, _name(row)))
    return found


def _name(problem: Problem) -> str:
    return problem.worker.name
