"""The mail of a claimed message; :mod:`sentinel.ui.mime` builds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sentinel.kernel.clock import as_utc
from sentinel.kernel.links import Purpose
from sentinel.outbox.services import Claimed
from sentinel.ui import mime
from sentinel.ui.drafts import finished
from sentinel.ui.links import mailbox
from sentinel.ui.mime import BadAddress, CannotBeBuilt, Envelope

__all__ = ["BadAddress", "CannotBeBuilt", "Envelope", "build"]


def build(message: Claimed) -> Envelope:
    """The mail of a claimed message. Raises :class:`CannotBeBuilt`; the same input gives the same bytes.

    With a domain for incoming mail, replies and bounces come back under signed addresses of the message. A
    payload with a ``bounce_to`` brings both of its own: it is no message of the outbox, but a delivery.
    """
    if message.payload.get("bounce_to"):
        return replace(_built(message, message.payload), sender=str(message.payload["bounce_to"]))
    # Signed on the message's own day: a repeat on another day must be the same bytes.
    signed_on = as_utc(message.created_at).date()
    reply_to = mailbox(Purpose.REPLY_TO_MESSAGE, message.id, today=signed_on)
    payload = {**message.payload, "reply_to": reply_to} if reply_to else message.payload
    bounce_to = mailbox(Purpose.BOUNCE_OF_MESSAGE, message.id, today=signed_on)
    envelope = _built(message, payload)
    return replace(envelope, sender=bounce_to) if bounce_to else envelope


def _built(message: Claimed, payload: Mapping[str, Any]) -> Envelope:
    return mime.build(
        finished(payload),
        to=message.address,
        identity=message.message_id,
        at=message.created_at,
        kind=message.kind,
    )
