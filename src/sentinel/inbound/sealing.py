"""Raw mails and attachments rest encrypted: they name people and say what troubles them.

AES-256-GCM with a key derived from the secret key; the row's digest is bound in, so that no content can
be moved to another row. Rotating the secret works as for links: the older keys still open.
"""

from __future__ import annotations

import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE = 12


class CannotBeOpened(ValueError):
    """The secret it was sealed with is gone, or the bytes were changed."""


def seal(content: bytes, *, digest: str) -> bytes:
    """Encrypt ``content``; empty stays empty."""
    if not content:
        return b""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(_key(settings.SECRET_KEY)).encrypt(nonce, content, digest.encode())


def unseal(sealed: bytes, *, digest: str) -> bytes:
    """The content again. Raises :class:`CannotBeOpened`."""
    sealed = bytes(sealed)
    if not sealed:
        return b""
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        try:
            return AESGCM(_key(secret)).decrypt(sealed[:_NONCE], sealed[_NONCE:], digest.encode())
        except InvalidTag:
            continue
    raise CannotBeOpened("sealed with a secret that is not known here")


def _key(secret: object) -> bytes:
    return hashlib.sha256(b"sentinel.inbound.sealing|" + str(secret).encode()).digest()
