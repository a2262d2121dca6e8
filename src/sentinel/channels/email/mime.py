"""The mail of a claimed message; :mod:`sentinel.ui.mime` builds it."""

from __future__ import annotations

from dataclasses import replace

from sentinel.kernel.clock import as_utc
from sentinel.kernel.links import Purpose
from sentinel.outbox.services import Claimed
from sentinel.ui import mime
from sentinel.ui.links import mailbox
from sentinel.ui.mime import BadAddress, CannotBeBuilt, Envelope

__all__ = ["BadAddress", "CannotBeBuilt", "Envelope", "build"]


def build(message: Claimed) -> Envelope:
    """The mail of a claimed message. Raises :class:`CannotBeBuilt`; the same input gives the same bytes.

    With a domain for incoming mail, replies and bounces come back under signed addresses of the message.
    """
    # Signed on the message's own day: a repeat on another day must be the same bytes.
    signed_on = as_utc(message.created_at).date()
    reply_to = mailbox(Purpose.REPLY_TO_MESSAGE, message.id, today=signed_on)
    envelope = mime.build(
        {**message.payload, "reply_to": reply_to} if reply_to else message.payload,
        to=message.address,
        identity=message.message_id,
        at=message.created_at,
        kind=message.kind,
    )
    bounce_to = mailbox(Purpose.BOUNCE_OF_MESSAGE, message.id, today=signed_on)
    return replace(envelope, sender=bounce_to) if bounce_to else envelope
