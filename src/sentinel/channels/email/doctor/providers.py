"""Providers whose relays send from addresses other than the one we hand mail to. Pure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Provider:
    """A provider by the domain of its relays, and what its customers include in their SPF record."""

    name: str
    relays: str
    spf_include: str


PROVIDERS = (
    Provider(name="Amazon SES", relays="amazonaws.com", spf_include="amazonses.com"),
    Provider(name="Brevo", relays="brevo.com", spf_include="spf.brevo.com"),
    Provider(name="Brevo", relays="sendinblue.com", spf_include="spf.brevo.com"),
    Provider(name="Google Workspace", relays="gmail.com", spf_include="_spf.google.com"),
    Provider(name="Google Workspace", relays="google.com", spf_include="_spf.google.com"),
    Provider(name="Mailgun", relays="mailgun.org", spf_include="mailgun.org"),
    Provider(name="Mailjet", relays="mailjet.com", spf_include="spf.mailjet.com"),
    Provider(name="Microsoft 365", relays="office365.com", spf_include="spf.protection.outlook.com"),
    Provider(name="Microsoft 365", relays="outlook.com", spf_include="spf.protection.outlook.com"),
    Provider(name="Postmark", relays="postmarkapp.com", spf_include="spf.mtasv.net"),
    Provider(name="SendGrid", relays="sendgrid.net", spf_include="sendgrid.net"),
    Provider(name="SparkPost", relays="sparkpostmail.com", spf_include="sparkpostmail.com"),
)


def provider_of(host: str) -> Provider | None:
    """The provider that runs a relay, when it is one of the known."""
    name = host.lower().rstrip(".")
    return next((p for p in PROVIDERS if name == p.relays or name.endswith(f".{p.relays}")), None)
