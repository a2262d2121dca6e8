"""What workers fill in. Nearly everything is optional: a face is enough."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from sentinel.accounts.rules import Rhythm
from sentinel.checkins.rules import Face, ResponseKind, Severity
from sentinel.checkins.services import TEXT_LIMIT

_LANGUAGES = list(settings.LANGUAGES)
_SEVERITIES = [
    (Severity.ANNOYING.value, _("It is annoying")),
    (Severity.HINDERS.value, _("It hinders my work")),
    (Severity.STOPPED.value, _("My work has stopped")),
]
_KINDS = [
    (ResponseKind.COMMENT.value, _("A comment")),
    (ResponseKind.SUGGESTION.value, _("A suggestion")),
    (ResponseKind.PRAISE.value, _("Praise")),
]
_MAY_CALL = [("yes", _("Yes, please call me")), ("no", _("No, please write to me"))]
_RHYTHMS = [
    (Rhythm.PROGRAMME.value, _("As you think best: often at first, then seldom")),
    (Rhythm.WEEKLY.value, _("Every week")),
    (Rhythm.MONTHLY.value, _("Every month")),
    (Rhythm.QUARTERLY.value, _("Every three months")),
    (Rhythm.PAUSE.value, _("Not for now")),
]


def _text(label: Any, *, rows: int = 4) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=False,
        max_length=TEXT_LIMIT,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class SettledChoice(forms.ChoiceField):
    """A choice that is made already: what is not sent means ``default``, and nobody has to look at it."""

    def __init__(self, *, default: str, **options: Any) -> None:
        super().__init__(initial=default, **options)
        self.default = default

    def clean(self, value: Any) -> Any:
        """The choice sent, else the default."""
        return super().clean(value or self.default)


class CallWishes(forms.Form):
    """Whether, where, when and in which language to call."""

    may_call = SettledChoice(
        label=_("May we call you?"), choices=_MAY_CALL, widget=forms.RadioSelect, default="yes"
    )
    number = forms.CharField(
        label=_("Telephone number"),
        required=False,
        max_length=32,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
    when = forms.CharField(
        label=_("When is a good time?"),
        required=False,
        max_length=200,
        help_text=_("For example: weekdays until 15:00"),
    )
    language = forms.ChoiceField(label=_("In which language?"), choices=_LANGUAGES, required=False)

    def wishes(self) -> dict[str, Any]:
        """The cleaned wishes, in the words of the workflows."""
        return {
            "may_call": self.cleaned_data["may_call"] != "no",
            "number": self.cleaned_data["number"],
            "when": self.cleaned_data["when"],
            "language": self.cleaned_data["language"],
        }


class AnswerForm(CallWishes):
    """One answer: a face, and whatever the worker likes to add."""

    face = forms.ChoiceField(choices=[(face.value, face.value) for face in Face])
    text = _text(_("In your own words"), rows=5)
    severity = forms.ChoiceField(
        label=_("How bad is it?"), choices=_SEVERITIES, widget=forms.RadioSelect, required=False
    )
    kind = forms.ChoiceField(label=_("What is it?"), choices=_KINDS, widget=forms.RadioSelect, required=False)


class LateForm(forms.Form):
    """Words for a check-in that is long over. Here they are required: a bare face says nothing any more."""

    text = forms.CharField(
        label=_("In your own words"), max_length=TEXT_LIMIT, widget=forms.Textarea(attrs={"rows": 5})
    )


class WordsForm(forms.Form):
    """Optional words beside a button."""

    words = _text(_("In your own words"), rows=3)


class PreferencesForm(forms.Form):
    """How often to ask, until when not, in which language, and the number to call."""

    rhythm = forms.ChoiceField(
        label=_("How often may we ask you?"), choices=_RHYTHMS, widget=forms.RadioSelect
    )
    paused_until = forms.DateField(
        label=_("Do not ask me until"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        input_formats=["%Y-%m-%d"],
        help_text=_("For a holiday or leave. Leave it empty otherwise."),
    )
    language = forms.ChoiceField(label=_("Language of our mail"), choices=_LANGUAGES)
    telephone = forms.CharField(
        label=_("Telephone number"),
        required=False,
        max_length=32,
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel"}),
    )
