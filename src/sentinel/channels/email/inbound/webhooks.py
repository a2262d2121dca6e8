"""The webhooks of mail providers, by django-anymail (extra ``providers``): replies, bounces, complaints.

Anymail checks the secret in constant time, understands each provider and hands events over by signals of
its own. This is the only module that listens to signals: Anymail calls nobody in any other way. Nothing
here has a path of its own: a reply is kept as the mail it is, a bounce or complaint as the report that a
mail system would have sent, both through :mod:`sentinel.inbound.keeping`.
"""

from __future__ import annotations

import hashlib
import json
import logging
from base64 import b64decode
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from anymail.signals import (
    AnymailInboundEvent,
    AnymailTrackingEvent,
    EventType,
    RejectReason,
    inbound,
    tracking,
)
from anymail.urls import urlpatterns as anymail_patterns
from anymail.webhooks.amazon_ses import AmazonSESInboundWebhookView, AmazonSESTrackingWebhookView
from anymail.webhooks.base import AnymailBaseWebhookView
from django.conf import settings
from django.http import HttpRequest
from django.urls import path

from sentinel.channels.email.inbound.addresses import OURS, envelope_of, is_mailbox_of_ours
from sentinel.channels.email.inbound.provider_reports import (
    ProviderEvent,
    What,
    as_mail,
    our_message_id,
    strings_in,
)
from sentinel.inbound.keeping import LARGEST, keep_mail
from sentinel.kernel import clock

logger = logging.getLogger(__name__)

_REPORTED = {
    EventType.BOUNCED: What.FAILED,
    EventType.REJECTED: What.FAILED,
    EventType.FAILED: What.FAILED,
    EventType.DEFERRED: What.DELAYED,
    EventType.COMPLAINED: What.COMPLAINT,
}
#: Where providers put the mail as it came, if they give it.
_RAW_FIELDS = ("RawEmail", "body-mime", "content", "email")


def keep_reply(event: AnymailInboundEvent, esp_name: str, **_: object) -> None:
    """Keep a mail that a provider received for us. An error makes the provider try again."""
    if event.event_type != EventType.INBOUND:
        logger.warning("%s reports that it could not hand over a mail: %s", esp_name, event.event_type)
        return
    raw = _raw_of(event)[:LARGEST]
    sender, recipient = envelope_of(raw, otherwise=f"postmaster@{settings.INBOUND_DOMAIN}")
    named = str(event.message.envelope_recipient or "")
    if event.message.envelope_sender is not None:
        sender = str(event.message.envelope_sender).strip("<>")
    keep_mail(
        raw=raw,
        envelope_from=sender,
        envelope_to=named if is_mailbox_of_ours(named) else recipient,
        source=_source(esp_name),
        now=clock.now(),
    )


def keep_event(event: AnymailTrackingEvent, esp_name: str, **_: object) -> None:
    """Keep a bounce, delay or complaint as a report; what else providers tell does not concern us."""
    what = _REPORTED.get(event.event_type)
    if what is None:
        return
    texts = list(strings_in(_plain(event.esp_event)))
    report = ProviderEvent(
        provider=esp_name,
        identity=event.event_id or _fingerprint(texts),
        what=what,
        recipient=event.recipient or "",
        at=event.timestamp,
        details=event.mta_response or "",
        description=event.description or "",
        hint=_hint(event, texts),
        original_id=our_message_id(texts),
    )
    to = _bounce_address(texts, report.original_id)
    keep_mail(
        raw=as_mail(report, to=to),
        envelope_from="",
        envelope_to=to,
        source=_source(esp_name),
        now=clock.now(),
    )


def _source(esp_name: str) -> str:
    return esp_name.lower().replace(" ", "_")


def _plain(esp_event: object) -> object:
    """Anymail hands over JSON, posted fields, or the whole request."""
    return esp_event.POST if isinstance(esp_event, HttpRequest) else esp_event


def _fingerprint(texts: list[str]) -> str:
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def _hint(event: AnymailTrackingEvent, texts: list[str]) -> str:
    """The status that the provider's own categories amount to, for reports without one."""
    words = " ".join([event.description or "", *(text for text in texts if len(text) < 40)]).lower()
    if "transient" in words or "softbounce" in words or "undetermined" in words:
        return "4.0.0"
    if event.reject_reason == RejectReason.INVALID or "hardbounce" in words or "permanent:" in words:
        return "5.1.1"
    if event.reject_reason in (RejectReason.BLOCKED, RejectReason.SPAM):
        return "5.7.1"
    return "5.0.0"


def _bounce_address(texts: list[str], original_id: str) -> str:
    """The address of ours that the mail named for bounces, as far as the provider repeats its envelope."""
    found = [address for text in texts for address in OURS.findall(text) if is_mailbox_of_ours(address)]
    if original_id.lower().startswith("rd-"):
        found.append(f"{original_id.partition('@')[0]}@{settings.INBOUND_DOMAIN}")
    found.sort(key=lambda address: not address.lower().startswith("b"))
    return next(filter(is_mailbox_of_ours, found), f"postmaster@{settings.INBOUND_DOMAIN}")


def _raw_of(event: AnymailInboundEvent) -> bytes:
    """The mail as it came, else rebuilt from its parts; the same event gives the same bytes."""
    fields = _plain(event.esp_event)
    if isinstance(fields, Mapping):
        for name in _RAW_FIELDS:
            value = fields.get(name)
            if isinstance(value, str) and value:
                return _bytes(value, fields)
    message = event.message
    for number, part in enumerate(message.walk()):
        if part.is_multipart() and part.get_boundary() is None:
            part.set_boundary(f"=_{number}_{_fingerprint([event.event_id or ''])[:24]}")
    try:
        return bytes(message.as_bytes())
    except Exception:  # a mail that its own builder cannot write is still somebody's mail
        logger.exception("a mail of a provider cannot be put together again; its fields are kept")
        text = "\n".join(strings_in(fields))
        return b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text.encode("utf-8", "replace")


def _bytes(value: str, fields: Mapping[str, Any]) -> bytes:
    action = (fields.get("receipt") or {}).get("action") or {}
    if action.get("encoding") == "BASE64":
        return b64decode(value)
    return value.encode("utf-8", "replace")


class _ConfirmedByHand:
    """Amazon SES without Amazon's large library: that is only needed to confirm subscriptions by itself,
    and to fetch mails that Amazon puts into S3."""

    def __init__(self, **kwargs: object) -> None:
        self.auto_confirm_enabled = True
        self.session_params: dict[str, object] = {}
        self.client_params: dict[str, object] = {}
        AnymailBaseWebhookView.__init__(self, **kwargs)

    def auto_confirm_sns_subscription(self, sns_message: Mapping[str, object]) -> None:
        logger.warning("Amazon asks to confirm a subscription; open %s", sns_message.get("SubscribeURL"))


class _SesTracking(_ConfirmedByHand, AmazonSESTrackingWebhookView):  # type: ignore[misc]  # has no types
    pass


class _SesInbound(_ConfirmedByHand, AmazonSESInboundWebhookView):  # type: ignore[misc]  # has no types
    pass


# Anymail's own signals; see above.
inbound.connect(keep_reply, dispatch_uid="sentinel.keep_reply")
tracking.connect(keep_event, dispatch_uid="sentinel.keep_event")

urlpatterns = list(anymail_patterns)
if find_spec("boto3") is None:
    urlpatterns = [
        path("amazon_ses/inbound/", _SesInbound.as_view()),
        path("amazon_ses/tracking/", _SesTracking.as_view()),
        *urlpatterns,
    ]
