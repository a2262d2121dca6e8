"""The rota: who stands on a day, who takes it over, what is left to whoever comes next."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms

from sentinel.people.models import OfficerShift, User
from sentinel.people.rota import own_days, shifts_to_note
from sentinel.people.rules import Role
from sentinel.people.selectors import active_users_with_role
from sentinel.web.forms.fields import date_input, offer, text_field


class ShiftForm(forms.Form):
    """Who is officer on a day, and what they should know."""

    on = forms.DateField(label="Day", widget=date_input())
    officer = forms.ModelChoiceField(User.objects.none(), empty_label="Choose an officer")
    hand_over_note = text_field("What they should know", rows=2, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "officer", active_users_with_role(Role.OFFICER, Role.EXECUTIVE))


class SwapForm(forms.Form):
    """A day of one's own, and whom to ask."""

    shift = forms.ModelChoiceField(OfficerShift.objects.none(), label="Your day", empty_label="Choose a day")
    of = forms.ModelChoiceField(User.objects.none(), label="Ask", empty_label="Choose an officer")
    note = forms.CharField(label="Why", required=False, max_length=500)

    def __init__(self, *args: Any, user: User, now: datetime, give: str = "", **kwargs: Any) -> None:
        """``give``: the day that is chosen already, as a date; anything else chooses none."""
        super().__init__(*args, **kwargs)
        days = own_days(user, now)
        offer(self, "shift", days, label=_day)
        if give:
            self.initial["shift"] = next((day.pk for day in days if day.on.isoformat() == give), None)
        others = active_users_with_role(Role.OFFICER, Role.EXECUTIVE).exclude(pk=user.pk)
        offer(self, "of", others)


class NoteForm(forms.Form):
    """What the next officer must know."""

    shift = forms.ModelChoiceField(OfficerShift.objects.none(), label="Of", empty_label=None)
    text = text_field("What the next officer must know", rows=5, required=False)

    def __init__(self, *args: Any, user: User, now: datetime, **kwargs: Any) -> None:
        days = shifts_to_note(user, now)
        if days:
            kwargs["initial"] = {"shift": days[0].pk, "text": days[0].left_note}
        super().__init__(*args, **kwargs)
        offer(
            self,
            "shift",
            OfficerShift.objects.filter(pk__in=[s.pk for s in days]).order_by("-on"),
            label=_day,
        )


def _day(shift: OfficerShift) -> str:
    return f"{shift.on:%A, %-d %B}"
