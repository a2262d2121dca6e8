"""Where chats, browsers and webhooks are reached is a secret: whoever has the address can write there.

Such a target rests encrypted and travels encrypted in the outbox; only the sender opens it, at the
moment it sends. See :mod:`sentinel.kernel.sealing`.
"""

from __future__ import annotations

import base64
import binascii

from django.conf import settings

from sentinel.kernel import sealing
from sentinel.kernel.sealing import CannotBeOpened

_PURPOSE = "targets"


def seal_target(target: str, *, channel: str) -> str:
    """Encrypt a target; text in, text out (base64), fit for a column and for a payload."""
    sealed = sealing.seal(target.encode(), purpose=_PURPOSE, bound_to=channel, secrets=secrets())
    return base64.b64encode(sealed).decode()


def open_target(sealed: str, *, channel: str) -> str:
    """The target again. Raises :class:`~sentinel.kernel.sealing.CannotBeOpened`."""
    try:
        content = base64.b64decode(sealed, validate=True)
    except (binascii.Error, ValueError):
        raise CannotBeOpened("this was never sealed") from None
    return sealing.unseal(content, purpose=_PURPOSE, bound_to=channel, secrets=secrets()).decode()


def secrets() -> list[str]:
    """The secret that is used now, then those that were used before."""
    return [str(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
