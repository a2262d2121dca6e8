"""The back office for ladders, for administrators only. Running loops carry a copy and are never edited.

The admin classes of Django know their model only in the stubs, hence the ignores.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from sentinel.escalation.models import Ladder, Rung
from sentinel.escalation.reaching import ladder_reach
from sentinel.escalation.rules import (
    DEFAULT_POLICY,
    LONGEST,
    MOST_DAYS,
    Audience,
    RungFacts,
    ask_faults,
    rung_faults,
)
from sentinel.escalation.selectors import describe_ladder
from sentinel.escalation.services import record_ladder_change, replace_rungs
from sentinel.kernel import clock
from sentinel.kernel.durations import BadDuration, describe_duration, parse_duration
from sentinel.people.models import User

DURATIONS = ("acknowledge_within", "call_within", "call_again_after")
DAYS = (
    "promise_within_days",
    "solve_within_days",
    "stopped_solve_within_days",
    "ask_by_call_after_days",
    "ask_on_after_days",
)
_UNIT = re.compile(r"(week|day|hour|minute|second)s?", re.IGNORECASE)
NOT_TOUCHED = (
    "A change counts for problems that are reported from now on. Running loops are not touched: each keeps "
    "the ladder as it was when it began. To put this one in force for a problem, choose “Plan the ladder "
    "anew” on the problem's page."
)


class DurationText(forms.CharField):
    """A duration in words: shows "1 hour 30 minutes", reads that and "1h 30m"."""

    def __init__(self, *, shortest: timedelta, **options: Any) -> None:
        self.shortest = shortest
        super().__init__(widget=forms.TextInput(attrs={"size": 18}), **options)

    def prepare_value(self, value: Any) -> Any:
        """The words for a stored duration; what somebody typed stays as it is."""
        return describe_duration(value) if isinstance(value, timedelta) else value

    def clean(self, value: Any) -> Any:
        """The duration, in business time."""
        text = super().clean(value)
        try:
            duration = parse_duration(_UNIT.sub(lambda match: match[1][0], text))
        except BadDuration as bad:
            raise ValidationError(bad.message) from None
        if not self.shortest <= duration <= LONGEST:
            raise ValidationError(
                f"Between {describe_duration(self.shortest)} and {describe_duration(LONGEST)}, please."
            )
        return duration

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Whether it is another duration, not only other words for it."""
        try:
            return bool(self.clean(data) != initial)
        except ValidationError:
            return True


class LadderForm(forms.ModelForm):  # type: ignore[type-arg]
    """A ladder's own numbers."""

    acknowledge_within = DurationText(
        shortest=timedelta(minutes=1),
        help_text="Business time, like all durations here: 15m, 1h 30m. A day (1d) would be 24 open hours.",
    )
    call_within = DurationText(shortest=timedelta(minutes=1), help_text="After the report.")
    call_again_after = DurationText(
        shortest=timedelta(minutes=1), help_text="After a first call that reached nobody."
    )

    class Meta:
        model = Ladder
        fields = ("name", "account", "tier", *DURATIONS, *DAYS, "ask_again_after_days")
        help_texts = {
            "account": "Only for this account.",
            "tier": "For all accounts of this tier that have no ladder of their own.",
            "ask_again_after_days": "Business days after the proposal, with commas between.",
            "ask_by_call_after_days": "One of those days: then somebody also calls.",
            "ask_on_after_days": "After the last of those days, every so many business days, for ever.",
        }

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.instance.pk is None:
            for name in (*DURATIONS, *DAYS):
                self.initial.setdefault(name, getattr(DEFAULT_POLICY, name))
            self.initial.setdefault("ask_again_after_days", list(DEFAULT_POLICY.ask_again_after_days))

    def clean(self) -> dict[str, Any]:
        """Refuse what would leave a ladder governing nothing, or a loop without a next step."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for name in DAYS:
            if name in data and not 1 <= data[name] <= MOST_DAYS:
                self.add_error(name, f"Between 1 and {MOST_DAYS} business days, please.")
        if "ask_again_after_days" in data and "ask_by_call_after_days" in data:
            again = tuple(data["ask_again_after_days"])
            for fault in ask_faults(
                ask_again_after_days=again, ask_by_call_after_days=data["ask_by_call_after_days"]
            ):
                self.add_error("ask_again_after_days", fault)
        if "tier" in self.fields and bool(data.get("tier")) == bool(data.get("account")):
            self.add_error("tier", "Choose either one account or one tier; the default is for all others.")
        self._refuse_second_of_tier(data)
        return data

    def _refuse_second_of_tier(self, data: dict[str, Any]) -> None:
        tier = data.get("tier")
        if not tier or data.get("account"):
            return
        others = Ladder.objects.filter(tier=tier, account__isnull=True).exclude(pk=self.instance.pk)
        if others.exists():
            self.add_error("tier", "This tier has a ladder already; edit that one.")


class RungForm(forms.ModelForm):  # type: ignore[type-arg]
    """One rung. Positions are checked over all rungs at once, see :class:`RungFormSet`."""

    after = DurationText(shortest=timedelta(0))
    audience = forms.MultipleChoiceField(
        choices=[(part.value, part.name.title()) for part in Audience], widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Rung
        fields = ("position", "after", "audience", "takes_over", "breaks_quiet_hours")

    def has_changed(self) -> bool:
        """A new rung counts even when it was left as it was offered."""
        return self.instance.pk is None or super().has_changed()

    def clean_audience(self) -> list[str]:
        """In the order it had; people are told in the rung's order."""
        chosen: list[str] = self.cleaned_data["audience"]
        before = [part for part in self.initial.get("audience") or () if part in chosen]
        return before + [part for part in chosen if part not in before]

    def validate_unique(self) -> None:
        """Not against the stored rungs: they are replaced, so that positions can be swapped."""

    def validate_constraints(self) -> None:
        """As above."""


class RungFormSet(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """All rungs of a ladder, judged together. ``warnings``: whom they would not reach, now or ever."""

    warnings: tuple[str, ...] = ()

    def rungs(self) -> tuple[RungFacts, ...]:
        """What was entered, without what was marked for deletion."""
        rows = [form.cleaned_data for form in self.forms if form.cleaned_data]
        return tuple(
            RungFacts(
                position=row["position"],
                after=row["after"],
                audience=tuple(Audience(part) for part in row["audience"]),
                takes_over=row["takes_over"],
                breaks_quiet_hours=row["breaks_quiet_hours"],
            )
            for row in sorted((row for row in rows if not row.get("DELETE")), key=lambda row: row["position"])
        )

    def clean(self) -> None:
        """The rules that make a ladder lead somewhere."""
        if any(self.errors) or self.instance.acknowledge_within is None:
            return
        faults = rung_faults(rungs=self.rungs(), acknowledge_within=self.instance.acknowledge_within)
        if faults:
            raise ValidationError(faults)
        self._judge_reach()

    def _judge_reach(self) -> None:
        """Refuse a rung that would reach nobody; whatever is doubtful is told once it is saved."""
        found = ladder_reach(
            ladder=self.instance,
            is_default=_is_default(None if self.instance._state.adding else self.instance)
            and not (self.instance.account_id or self.instance.tier),
            rungs=self.rungs(),
            now=clock.now(),
        )
        if found.faults:
            raise ValidationError(list(found.faults))
        self.warnings = found.warnings


class Rungs(admin.TabularInline):  # type: ignore[type-arg]
    """The steps of a ladder."""

    model = Rung
    form = RungForm
    formset = RungFormSet
    max_num = 20

    def get_extra(self, request: HttpRequest, obj: Ladder | None = None, **_options: Any) -> int:
        """A new ladder starts with the rungs Sentinel ships."""
        return 0 if obj else len(DEFAULT_POLICY.rungs)


@admin.register(Ladder)
class Ladders(admin.ModelAdmin):  # type: ignore[type-arg]
    """Who hears of a problem when it is late. There is always one default, and it stays."""

    form = LadderForm
    inlines = (Rungs,)
    actions = None  # the list's own "delete" would not spare the default
    list_display = ("name", "governs", "acknowledged_within", "called_within", "rung_count")
    list_select_related = ("account",)
    autocomplete_fields = ("account",)
    save_as = False

    @admin.display(description="governs")
    def governs(self, obj: Ladder) -> str:
        """Whose problems start with it."""
        if obj.is_default:
            return "everybody without another ladder"
        return f"the account {obj.account}" if obj.account else f"the tier {obj.get_tier_display()}"

    @admin.display(description="acknowledge within")
    def acknowledged_within(self, obj: Ladder) -> str:
        """In words."""
        return describe_duration(obj.acknowledge_within)

    @admin.display(description="call within")
    def called_within(self, obj: Ladder) -> str:
        """In words."""
        return describe_duration(obj.call_within)

    @admin.display(description="rungs")
    def rung_count(self, obj: Ladder) -> int:
        """How many steps it has."""
        return obj.rungs.count()

    def get_fieldsets(self, request: HttpRequest, obj: Ladder | None = None) -> Any:
        """The default governs whoever is left, so there is nothing to choose."""
        default = _is_default(obj)
        scope = (
            "This is the default ladder: it governs every account without another one. " if default else ""
        )
        whom = ("name",) if default else ("name", "account", "tier")
        asking = ("ask_again_after_days", "ask_by_call_after_days", "ask_on_after_days")
        return (
            (None, {"fields": whom, "description": scope + NOT_TOUCHED}),
            ("Times", {"fields": (*DURATIONS, *DAYS[:3])}),
            ("Asking the worker whether it is solved", {"fields": asking}),
        )

    def get_formset_kwargs(self, request: HttpRequest, obj: Ladder, inline: Any, prefix: str) -> Any:
        """Offer a new ladder the shipped rungs."""
        options: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if obj._state.adding:
            options["initial"] = [
                {
                    "position": rung.position,
                    "after": rung.after,
                    "audience": [part.value for part in rung.audience],
                    "takes_over": rung.takes_over,
                    "breaks_quiet_hours": rung.breaks_quiet_hours,
                }
                for rung in DEFAULT_POLICY.rungs
            ]
        return options

    def has_delete_permission(self, request: HttpRequest, obj: Ladder | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not (obj is not None and obj.is_default)

    def save_model(self, request: HttpRequest, obj: Ladder, form: Any, change: bool) -> None:
        """Note what it was, under a lock: two administrators saving at once are told apart."""
        stored = Ladder.objects.select_for_update().get(pk=obj.pk) if change else None
        form.before = describe_ladder(stored) if stored else None
        obj.is_default = _is_default(stored)
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Replace the rungs as a whole."""
        replace_rungs(ladder=form.instance, rungs=formset.rungs())
        # What Django's own log of this change reads.
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Record the change, in its transaction."""
        super().save_related(request, form, formsets, change)
        for warning in (line for formset in formsets for line in getattr(formset, "warnings", ())):
            messages.warning(request, warning)
        after = describe_ladder(Ladder.objects.get(pk=form.instance.pk))
        if after != form.before:
            _record(request, form.instance.pk, before=form.before, after=after)

    def delete_model(self, request: HttpRequest, obj: Ladder) -> None:
        """Record what it was; its accounts fall back to their tier's ladder or the default."""
        ladder_id, before = obj.pk, describe_ladder(obj)
        super().delete_model(request, obj)
        _record(request, ladder_id, before=before, after=None)


def _is_default(obj: Ladder | None) -> bool:
    """Whether this ladder is the default; the first one of an installation becomes it."""
    if obj is not None:
        return obj.is_default
    return not Ladder.objects.filter(is_default=True).exists()


def _record(
    request: HttpRequest, ladder_id: int, *, before: dict[str, object] | None, after: dict[str, object] | None
) -> None:
    if not isinstance(request.user, User):
        raise TypeError("the back office needs somebody who is signed in")
    record_ladder_change(ladder_id=ladder_id, before=before, after=after, user=request.user, now=clock.now())
