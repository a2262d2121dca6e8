"""Chooses the adapters: the one place that knows which part of the outside a process talks to."""

from functools import partial
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from sentinel.channels import registry
from sentinel.channels.base import Sender
from sentinel.channels.canary.sender import CanarySender
from sentinel.channels.chat.sender import ChatSender
from sentinel.channels.console.sender import ConsoleSender
from sentinel.channels.email.dkim import Signer
from sentinel.channels.email.sender import EmailSender, SmtpServer, Tls
from sentinel.channels.push.sender import PushSender
from sentinel.channels.voice.base import CallPort
from sentinel.channels.webhook.sender import WebhookSender
from sentinel.config.calls import sip_settings
from sentinel.demonstration.clock import DemonstrationClock
from sentinel.kernel import clock, traces
from sentinel.kernel.push_keys import application_key
from sentinel.people.sealing import open_target, secrets


def wire(*, demonstration: bool) -> None:
    """Set a process up; called once, when Django is ready.

    The engine replaces the clock by the database's own as soon as it runs.
    """
    traces.install(settings.SECRET_KEY)
    if demonstration:
        clock.install(DemonstrationClock())
    registry.register("canary", CanarySender)
    registry.register("console", ConsoleSender)
    registry.register(
        "chat", lambda: ChatSender(opener=partial(open_target, channel="chat"), allowed=settings.CHAT_TARGETS)
    )
    registry.register("push", push_sender)
    registry.register("webhook", webhook_sender)
    registry.register("email", lambda: EmailSender(mail_server(), signer=signer()))
    if settings.CALLS_BY.provider != "tel":
        registry.register("voice", voice_sender)


def voice_sender() -> Sender:
    """Calls, through whoever the settings name."""
    # why: everything about calls is needed only where somebody places them
    from sentinel.channels.voice.sender import VoiceSender

    port = call_port()
    if port is None:
        raise ImproperlyConfigured("nobody places calls here")
    return VoiceSender(port, caller_id=settings.CALLS_BY.caller)


def call_port() -> CallPort | None:
    """Who places calls; None when people dial themselves. The exchange's sockets open with the first call."""
    calls_by = settings.CALLS_BY
    if calls_by.provider == "sip":
        # why: the user agent is loaded only where there is an exchange
        from sentinel.channels.voice.exchange import Exchange

        return Exchange(sip_settings(calls_by))
    if calls_by.provider == "http_voice":
        # why: everything about calls is needed only where somebody places them
        from sentinel.config.voice_service import placing_voice

        return placing_voice()
    return None


def push_sender() -> PushSender:
    """Notices to browsers, signed with a key derived from the secret key; older secrets' keys still sign."""
    return PushSender(
        opener=partial(open_target, channel="push"),
        keys=[application_key(secret) for secret in secrets()],
        services=settings.PUSH_SERVICES,
        contact=settings.BASE_URL if settings.BASE_URL.startswith("https://") else "mailto:root@localhost",
        allow_private=settings.PRIVATE_TARGETS,
    )


def webhook_sender() -> WebhookSender:
    """Signed notices to programs."""
    return WebhookSender(
        opener=partial(open_target, channel="webhook"), allow_private=settings.PRIVATE_TARGETS
    )


def signer() -> Signer | None:
    """Our own DKIM key, when the relay does not sign. Raises KeyUnusable for one that cannot sign."""
    path = settings.ENVIRONMENT.dkim_key
    return Signer(path.read_text(), settings.ENVIRONMENT.dkim_selector) if path else None


def mail_server() -> SmtpServer:
    """The SMTP server of the settings, introduced by the name people know this Sentinel by."""
    tls = Tls.IMPLICIT if settings.EMAIL_USE_SSL else Tls.STARTTLS if settings.EMAIL_USE_TLS else Tls.NONE
    return SmtpServer(
        host=settings.EMAIL_HOST,
        port=settings.EMAIL_PORT,
        username=settings.EMAIL_HOST_USER,
        password=settings.EMAIL_HOST_PASSWORD,
        tls=tls,
        hello_name=urlsplit(settings.BASE_URL).hostname or "",
    )
