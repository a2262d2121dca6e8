"""A finished mail taken apart again into the payload it could have been built from. Pure."""

from __future__ import annotations

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from typing import Any

#: What the builder sets by itself.
_BUILT = frozenset(
    {
        "from", "to", "subject", "date", "message-id", "reply-to", "mime-version", "content-type",
        "content-transfer-encoding", "content-language", "x-sentinel-kind",
    }
)  # fmt: skip


def payload_of_mail(content: bytes) -> dict[str, Any]:
    """The outbox payload of a filled mail, for senders that take one message at a time, and for people."""
    mail = message_from_bytes(content, _class=EmailMessage, policy=default_policy)
    (sender,) = mail["From"].addresses
    return {
        "subject": str(mail["Subject"]),
        "text": _words(mail, "plain"),
        "html": _words(mail, "html"),
        "language": str(mail["Content-Language"] or ""),
        "from_name": sender.display_name,
        "from_address": sender.addr_spec,
        "reply_to": str(mail["Reply-To"] or ""),
        "headers": {name: str(value) for name, value in mail.items() if name.lower() not in _BUILT},
    }


def _words(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    return str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
