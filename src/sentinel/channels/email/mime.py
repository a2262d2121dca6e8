"""The mail of a claimed message; :mod:`sentinel.ui.mime` builds it."""

from __future__ import annotations

from sentinel.outbox.services import Claimed
from sentinel.ui import mime
from sentinel.ui.mime import BadAddress, CannotBeBuilt, Envelope

__all__ = ["BadAddress", "CannotBeBuilt", "Envelope", "build"]


def build(message: Claimed) -> Envelope:
    """The mail of a claimed message. Raises :class:`CannotBeBuilt`; the same input gives the same bytes."""
    return mime.build(
        message.payload,
        to=message.address,
        identity=message.message_id,
        at=message.created_at,
        kind=message.kind,
    )
