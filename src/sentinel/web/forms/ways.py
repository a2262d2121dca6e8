"""What a user types to be reached another way."""

from __future__ import annotations

import base64
import secrets

from django import forms

from sentinel.hooks.rules import KINDS


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


class WebhookForm(forms.Form):
    """An address that takes signed notices, with the key they shall be signed with."""

    url = forms.CharField(
        label="Address", max_length=1000, help_text="It takes JSON by POST, for example https://host/hook."
    )
    secret = forms.CharField(
        label="Signing key",
        help_text="Give this to the program that receives; it is never shown again.",
        widget=forms.TextInput(attrs={"readonly": True, "autocomplete": "off"}),
    )
    label = forms.CharField(label="What you call it", max_length=60, required=False)

    def clean_secret(self) -> str:
        """Nobody weakens the key by typing one of their own."""
        secret = str(self.cleaned_data["secret"])
        try:
            good = secret.startswith("whsec_") and len(base64.b64decode(secret[6:], validate=True)) >= 24
        except ValueError:
            good = False
        if not good:
            raise forms.ValidationError("Leave the key as it was made.")
        return secret


class HookForm(WebhookForm):
    """An endpoint of the house: the same, and which events it wants."""

    kinds = forms.MultipleChoiceField(
        label="Events",
        choices=[(kind.value, kind.value) for kind in KINDS],
        widget=forms.CheckboxSelectMultiple,
    )
    field_order = ("label", "url", "secret", "kinds")


def fresh_key() -> str:
    """A new signing key as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()


def fresh_webhook_form() -> WebhookForm:
    """An empty form with a new key in it."""
    return WebhookForm(prefix="webhook", initial={"secret": fresh_key()})
