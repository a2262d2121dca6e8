"""Raw mails and attachments rest encrypted: they name people and say what troubles them.

The row's digest is bound in, so that no content can be moved to another row; see
:mod:`sentinel.kernel.sealing`.
"""

from __future__ import annotations

from django.conf import settings

from sentinel.kernel import sealing
from sentinel.kernel.sealing import CannotBeOpened

__all__ = ["CannotBeOpened", "seal", "unseal"]

_PURPOSE = "inbound"


def seal(content: bytes, *, digest: str) -> bytes:
    """Encrypt ``content``; empty stays empty."""
    return sealing.seal(content, purpose=_PURPOSE, bound_to=digest, secrets=_secrets())


def unseal(sealed: bytes, *, digest: str) -> bytes:
    """The content again. Raises :class:`CannotBeOpened`."""
    return sealing.unseal(sealed, purpose=_PURPOSE, bound_to=digest, secrets=_secrets())


def _secrets() -> list[str]:
    return [str(secret) for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
