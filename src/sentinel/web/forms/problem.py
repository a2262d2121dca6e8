"""Forms of the problem's acts."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone

from sentinel.checkins.rules import Severity
from sentinel.people.models import User
from sentinel.problems.models import Call
from sentinel.problems.rules import CallOutcome, Verdict
from sentinel.web import words as console_words
from sentinel.web.forms.fields import acting_users, date_input, offer, text_field


class NothingForm(forms.Form):
    """An act that needs no words."""


class WriteForm(forms.Form):
    """A mail to the worker."""

    text = text_field(
        "Your words to the worker",
        rows=5,
        help_text="Goes out as a mail from you; a reply comes to your own mailbox.",
    )


class PromiseForm(forms.Form):
    """The first promise."""

    due_on = forms.DateField(label="Solved by", widget=date_input(), help_text="The worker hears of it.")
    what = text_field("What you will do", rows=2, required=False, help_text="One line the worker reads.")


class MovePromiseForm(PromiseForm):
    """Another date instead of the one that was promised."""

    reason = text_field("Why it moves", rows=2, help_text="The worker reads this too.")


class ProposeForm(forms.Form):
    """The claim that it is solved."""

    what_was_done = text_field("What was done", help_text="The worker reads this and decides.")
    root_cause = text_field("Root cause", help_text="Only for us: why could it happen at all?")


class TelephoneForm(forms.Form):
    """The worker's verdict, said in a call on record."""

    call = forms.ModelChoiceField(Call.objects.none(), label="Said in the call", empty_label=None)
    verdict = forms.ChoiceField(
        label="What the worker said",
        choices=[(Verdict.YES.value, "Yes, it is solved"), (Verdict.NO.value, "Not yet")],
        widget=forms.RadioSelect,
    )
    words = text_field("In the worker's words", rows=2, required=False)

    def __init__(self, *args: Any, calls: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "call", calls, label=_call_label)


def _call_label(call: Any) -> str:
    return f"{timezone.localtime(call.at):%a %H:%M}, {call.caller.name}"


class HandOverForm(forms.Form):
    """Who answers for it from now on."""

    to = forms.ModelChoiceField(User.objects.none(), label="To", empty_label="Choose a colleague")
    note = text_field("What they need to know", rows=2, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "to", acting_users())


class NoteForm(forms.Form):
    """Something to remember; the worker does not see it."""

    text = text_field("Note", rows=2)


class ReplanForm(forms.Form):
    """Why the problem shall follow today's ladder instead of its frozen one."""

    reason = text_field("Why", rows=2)


class EndForm(forms.Form):
    """The end without the worker's yes."""

    reason = forms.ChoiceField(label="Reason", choices=console_words.choices(console_words.END_REASONS))
    note = text_field("What happened", rows=2)


class CallForm(forms.Form):
    """What came of a call. ``call_back_at`` is in the worker's own time."""

    outcome = forms.ChoiceField(choices=console_words.choices(console_words.OUTCOMES))
    note = forms.CharField(label="One line", required=False, max_length=1000)
    number = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)
    call_back_at = forms.CharField(
        label="Call back at", required=False, widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )

    def __init__(self, data: Any = None, *, zone: str) -> None:
        if data is not None and data.get("call_back"):
            # One press on a suggested time says both.
            data = data.copy()
            data["outcome"], data["call_back_at"] = CallOutcome.CALL_BACK.value, data["call_back"]
        super().__init__(data)
        self._zone = zone

    def clean_call_back_at(self) -> datetime | None:
        """The worker's wall time as an instant; ignored for every other outcome."""
        if self.data.get("outcome") != CallOutcome.CALL_BACK.value:
            return None
        text = str(self.cleaned_data["call_back_at"])
        if not text:
            raise forms.ValidationError("Say when the worker wants to be called.")
        try:
            wall = datetime.fromisoformat(text)
        except ValueError:
            raise forms.ValidationError("Write date and time like 2026-06-12 14:30.") from None
        return wall.replace(tzinfo=ZoneInfo(self._zone))


class NewProblemForm(forms.Form):
    """What a worker said, entered by a user."""

    words = text_field("The worker's own words", rows=4, help_text="As they said it; never edited.")
    severity = forms.ChoiceField(
        label="How bad is it?",
        choices=[(value, label) for value, (label, _) in console_words.SEVERITIES.items()],
        initial=Severity.HINDERS.value,
        widget=forms.RadioSelect,
    )
