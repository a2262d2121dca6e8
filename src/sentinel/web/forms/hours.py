"""When a user may be disturbed, and absences out of a calendar file."""

from __future__ import annotations

from datetime import time
from typing import Any

from django import forms

from sentinel.people.absence_files import MOST_BYTES
from sentinel.people.models import User, known_zones, office_week
from sentinel.people.selectors import active_users
from sentinel.web.forms.fields import offer

DAYS = (
    ("mon", "Monday"),
    ("tue", "Tuesday"),
    ("wed", "Wednesday"),
    ("thu", "Thursday"),
    ("fri", "Friday"),
    ("sat", "Saturday"),
    ("sun", "Sunday"),
)


def _clock() -> forms.TimeInput:
    return forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class QuietHoursForm(forms.Form):
    """From when until when, per weekday; an empty day is quiet all day. Wall times in ``zone``."""

    zone = forms.ChoiceField(label="Time zone")

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        # Whoever has chosen nothing yet starts from their working hours.
        week = user.reach_week or (user.calendar.week if user.calendar else office_week())
        kwargs["initial"] = {"zone": user.reach_zone or user.zone}
        for day, _name in DAYS:
            spans = week.get(day) or [["", ""]]
            kwargs["initial"] |= {f"{day}_from": spans[0][0], f"{day}_until": spans[-1][1]}
        super().__init__(*args, **kwargs)
        for day, name in DAYS:
            self.fields[f"{day}_from"] = forms.TimeField(
                label=f"{name}, from", required=False, widget=_clock()
            )
            self.fields[f"{day}_until"] = forms.TimeField(
                label=f"{name}, until", required=False, widget=_clock()
            )
        zones: Any = self.fields["zone"]
        zones.choices = [(zone, zone) for zone in sorted(known_zones())]

    def rows(self) -> list[tuple[str, forms.BoundField, forms.BoundField]]:
        """One line per weekday: its name, from when, until when."""
        return [(name, self[f"{day}_from"], self[f"{day}_until"]) for day, name in DAYS]

    def clean(self) -> dict[str, Any]:
        """Both ends of a day, or neither."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        for day, name in DAYS:
            if bool(data.get(f"{day}_from") is None) != bool(data.get(f"{day}_until") is None):
                self.add_error(None, f"{name}: say from when and until when, or leave both empty.")
        return data

    def week(self) -> dict[str, list[list[str]]]:
        """The hours as :func:`~sentinel.people.quiet.set_quiet_hours` takes them."""
        data = self.cleaned_data
        named = ((day, data[f"{day}_from"], data[f"{day}_until"]) for day, _name in DAYS)
        return {day: [[_text(start), _text(end)]] for day, start, end in named if start is not None}


class AbsenceFileForm(forms.Form):
    """A calendar file that some other program exported."""

    file = forms.FileField(
        label="Calendar file (.ics)",
        help_text=f"As Outlook, Google or Apple export it; at most {MOST_BYTES // 1024} kB.",
        widget=forms.FileInput(attrs={"accept": ".ics,text/calendar"}),
    )


class AbsenceCalendarForm(forms.Form):
    """The address of a calendar elsewhere, which of its events count, and who stands in."""

    url = forms.CharField(
        label="Address of the calendar",
        max_length=2_000,
        help_text="The secret address in iCal format, https:// or webcal://. It is kept sealed.",
        widget=forms.TextInput(attrs={"inputmode": "url", "autocomplete": "off", "spellcheck": "false"}),
    )
    words = forms.CharField(
        label="Only events with one of these words",
        required=False,
        max_length=200,
        help_text="With commas, such as holiday, leave. Without words: whole days and events of four hours.",
    )
    deputy = forms.ModelChoiceField(
        User.objects.none(), label="Stands in", required=False, empty_label="The deputy of each account"
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "deputy", active_users().exclude(pk=user.pk))


class FoundAbsencesForm(forms.Form):
    """Which of the events that were found shall become absences, and who stands in."""

    found = forms.CharField(widget=forms.HiddenInput(), max_length=100_000)
    take = forms.MultipleChoiceField(
        label="Which of them", required=False, widget=forms.CheckboxSelectMultiple
    )
    deputy = forms.ModelChoiceField(
        User.objects.none(), label="Stands in", required=False, empty_label="The deputy of each account"
    )

    def __init__(self, *args: Any, user: User, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        taken: Any = self.fields["take"]
        taken.choices = choices
        offer(self, "deputy", active_users().exclude(pk=user.pk))


def _text(wall: time) -> str:
    return f"{wall:%H:%M}"
