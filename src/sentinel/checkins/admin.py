"""The back office for the programme, for administrators only: what is asked, when, from which address.

The admin classes of Django know their model only in the stubs, hence the ignores.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.dates import WEEKDAYS

from sentinel.checkins.messages import QUESTIONS
from sentinel.checkins.models import Programme
from sentinel.checkins.selectors import describe_programme
from sentinel.checkins.services import record_programme_change
from sentinel.kernel import clock
from sentinel.people.models import User

LANGUAGES = {"en": "English", "de": "German", "fr": "French", "es": "Spanish", "ja": "Japanese"}
SHIPPED_DAYS, SHIPPED_START, SHIPPED_END = [1, 2, 3], "09:00", "11:00"
#: Numbers of the cadence, each with the smallest value that still means something.
CADENCE = {
    "new_worker_weeks": 0,
    "silent_cycles_before_slowing": 1,
    "minimum_days_between": 1,
    "follow_up_days": 1,
    "answer_valid_days": 1,
}
MOST = 365


def _question(language: str) -> forms.CharField:
    return forms.CharField(
        label=LANGUAGES[language],
        max_length=300,
        required=False,
        widget=forms.TextInput(attrs={"size": 90}),
        help_text=f"Left empty: {QUESTIONS[language]}",
    )


class ProgrammeForm(forms.ModelForm):  # type: ignore[type-arg]
    """A programme, with its questions as plain fields and its days as boxes."""

    question_en = _question("en")
    question_de = _question("de")
    question_fr = _question("fr")
    question_es = _question("es")
    question_ja = _question("ja")
    window_days = forms.TypedMultipleChoiceField(
        coerce=int, choices=list(WEEKDAYS.items()), widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Programme
        fields = (
            "name",
            "provider_name",
            "sender_address",
            "is_active",
            "window_days",
            "window_start",
            "window_end",
            *CADENCE,
        )
        help_texts = {
            "provider_name": "As workers read it: who asks.",
            "sender_address": "Mail to workers comes from here; your mail server must be allowed to use it.",
            "is_active": "Only the active programme asks. Pausing it stops questions, not answers.",
            "window_start": "Local time at the worker's site.",
            "new_worker_weeks": "For so many weeks a new worker is asked weekly, then monthly.",
            "silent_cycles_before_slowing": "After so many unanswered check-ins, less often.",
            "minimum_days_between": "Calendar days between two check-ins of a worker.",
            "follow_up_days": "Calendar days after a confirmed problem.",
            "answer_valid_days": "How long the links in a check-in can be answered.",
        }

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        stored = self.instance.questions if self.instance.pk else QUESTIONS
        for language in LANGUAGES:
            self.initial.setdefault(f"question_{language}", stored.get(language, ""))
        if self.instance.pk is None:
            shipped = {"window_days": SHIPPED_DAYS, "window_start": SHIPPED_START, "window_end": SHIPPED_END}
            # The model's own empty list stands in the initial values already.
            self.initial = {**self.initial, **shipped}

    def clean(self) -> dict[str, Any]:
        """Refuse a window that never opens and a second active programme; fill in the shipped questions."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        start, end = data.get("window_start"), data.get("window_end")
        if start and end and start >= end:
            self.add_error("window_end", "The window must end after it starts.")
        for name, least in CADENCE.items():
            if name in data and not least <= data[name] <= MOST:
                self.add_error(name, f"Between {least} and {MOST}, please.")
        others = Programme.objects.filter(is_active=True).exclude(pk=self.instance.pk)
        if data.get("is_active") and (other := others.first()):
            self.add_error("is_active", f"“{other.name}” is active, and only one can be: pause it first.")
        texts = {lang: data.get(f"question_{lang}") or QUESTIONS[lang] for lang in LANGUAGES}
        self.instance.questions = {**self.instance.questions, **texts}
        return data


@admin.register(Programme)
class Programmes(admin.ModelAdmin):  # type: ignore[type-arg]
    """What every permitted worker is asked."""

    form = ProgrammeForm
    actions = None  # the list's own "delete" would not look at the check-ins
    list_display = ("name", "provider_name", "sender_address", "is_active")
    fieldsets = (
        (None, {"fields": ("name", "provider_name", "sender_address", "is_active")}),
        (
            "The question",
            {
                "fields": tuple(f"question_{language}" for language in LANGUAGES),
                "description": "One plain question, in the worker's language.",
            },
        ),
        ("When", {"fields": ("window_days", "window_start", "window_end")}),
        ("How often", {"fields": tuple(CADENCE)}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: Programme | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and not (obj is not None and obj.check_ins.exists())

    def save_model(self, request: HttpRequest, obj: Programme, form: Any, change: bool) -> None:
        """Save and record, in one transaction."""
        stored = Programme.objects.select_for_update().get(pk=obj.pk) if change else None
        before = describe_programme(stored) if stored else None
        if not change:
            obj.started_at = clock.now()
        super().save_model(request, obj, form, change)
        after = describe_programme(obj)
        if after != before:
            _record(request, obj.pk, before=before, after=after)

    def delete_model(self, request: HttpRequest, obj: Programme) -> None:
        """Record what it was."""
        programme_id, before = obj.pk, describe_programme(obj)
        super().delete_model(request, obj)
        _record(request, programme_id, before=before, after=None)


def _record(
    request: HttpRequest,
    programme_id: int,
    *,
    before: dict[str, object] | None,
    after: dict[str, object] | None,
) -> None:
    if not isinstance(request.user, User):
        raise TypeError("the back office needs somebody who is signed in")
    record_programme_change(
        programme_id=programme_id, before=before, after=after, user=request.user, now=clock.now()
    )
