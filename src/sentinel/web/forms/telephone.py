"""The form of the user's own telephone."""

from __future__ import annotations

from django import forms

from sentinel.calls.numbers import callable_number, sip_hosts
from sentinel.people.models import User
from sentinel.ui.formatting import telephone_text

#: What the column holds.
LONGEST = 32


class TelephoneForm(forms.Form):
    """A number as people write it; kept as E.164. ``sip:`` addresses of the own exchange are taken too."""

    number = forms.CharField(
        label="Your telephone",
        required=False,
        max_length=60,
        help_text="With the country, like +49 30 123456. Empty: no telephone.",
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "tel"}),
    )

    def clean_number(self) -> str:
        """The number as exchanges want it."""
        text = str(self.cleaned_data["number"]).strip()
        number = callable_number(text, sip_hosts=sip_hosts())
        if text and not number:
            raise forms.ValidationError("This is no telephone number. Write it like +49 30 123456.")
        if len(number) > LONGEST:
            raise forms.ValidationError("This address is too long.")
        return number


def own_number_form(user: User) -> TelephoneForm:
    """The form with the number as it stands."""
    return TelephoneForm(prefix="telephone", initial={"number": telephone_text(user.telephone)})
