"""Forms of accounts, sites, permissions, workers and rosters."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms

from sentinel.accounts.models import Account, Site
from sentinel.accounts.rules import Tier
from sentinel.people.models import User, WorkCalendar
from sentinel.people.rules import Role
from sentinel.web import words
from sentinel.web.forms.fields import date_input, offer, people, site_name, text_field


class PermissionForm(forms.Form):
    """The customer's consent, as it was given."""

    given_by = forms.CharField(label="Given by", max_length=200, help_text="The person at the customer.")
    given_on = forms.DateField(label="Given on", widget=date_input())
    valid_until = forms.DateField(label="Valid until", required=False, widget=date_input())
    evidence = text_field("Where it can be read", rows=2, help_text="Contract clause, letter or mail.")
    sites = forms.ModelMultipleChoiceField(
        Site.objects.none(),
        label="Only these sites",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None chosen: all sites, also future ones.",
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "sites", Site.objects.filter(account=account), label=site_name)


class WithdrawForm(forms.Form):
    """Why the permission ends."""

    reason = forms.CharField(label="Why", max_length=500)


class HandAccountForm(forms.Form):
    """The account's next owner."""

    owner = forms.ModelChoiceField(User.objects.none(), label="To", empty_label="Choose a colleague")
    note = text_field("What they need to know", rows=2, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "owner", people(Role.OWNER, Role.MANAGER))


class PeopleForm(forms.Form):
    """Who stands behind the owner, and how fast the ladder climbs."""

    deputy = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Nobody")
    manager = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="The owner's manager")
    focus_executive = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Nobody")
    tier = forms.ChoiceField(choices=[(Tier.STANDARD.value, "Standard"), (Tier.KEY.value, "Key account")])

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "deputy", people(Role.OWNER, Role.MANAGER))
        offer(self, "manager", people(Role.MANAGER, Role.EXECUTIVE))
        offer(self, "focus_executive", people(Role.EXECUTIVE))


class SiteForm(forms.Form):
    """A place of the account."""

    name = forms.CharField(max_length=200)
    address = text_field("Address", rows=2, required=False)
    zone = forms.CharField(label="Time zone", max_length=60, help_text="Like Europe/Kyiv.")
    calendar = forms.ModelChoiceField(
        WorkCalendar.objects.order_by("name"), label="Working hours", empty_label=None
    )
    language = forms.ChoiceField(choices=words.choices(words.LANGUAGES))

    def clean_zone(self) -> str:
        """An IANA zone name."""
        zone = str(self.cleaned_data["zone"]).strip()
        if zone not in available_timezones():
            raise forms.ValidationError("This is not a time zone; use a name like Europe/Berlin.")
        return zone


class RepairForm(forms.Form):
    """The right address."""

    email = forms.EmailField(label="E-mail address", help_text="Leave it as it is when it works again.")


class RosterForm(forms.Form):
    """A roster as an office exports it."""

    file = forms.FileField(
        label="Roster file",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.tsv,text/csv"}),
        help_text="CSV with at least name, e-mail and site; comma, semicolon or tab; any order of columns.",
    )
    default_site = forms.ModelChoiceField(
        Site.objects.none(),
        label="Lines without a site belong to",
        required=False,
        empty_label="Nowhere: refuse them",
    )
    is_complete_list = forms.BooleanField(
        label="This is the complete list: whoever is not in it has left", required=False
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "default_site", Site.objects.filter(account=account), label=site_name)
