"""What a user types to be reached another way."""

from __future__ import annotations

from django import forms


class ChatForm(forms.Form):
    """A chat or an SMS number, as an Apprise address."""

    target = forms.CharField(
        label="Address",
        max_length=2000,
        help_text="As Apprise writes it: tgram://token/chat, slack://…, twilio://SID:token@from/to. "
        "It is kept encrypted and never shown again.",
        # A browser must not offer the secret to whoever sits here next.
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "autocapitalize": "off"}),
    )
    label = forms.CharField(label="What you call it", max_length=60, required=False)


class PushForm(forms.Form):
    """A browser's subscription, filled in by the page's script."""

    subscription = forms.CharField(max_length=2000, widget=forms.HiddenInput())
    label = forms.CharField(label="What you call this device", max_length=60, required=False)
