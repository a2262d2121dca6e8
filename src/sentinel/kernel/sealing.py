"""Encrypting what must rest closed: AES-256-GCM with a key derived from a secret, one per purpose.

What the content belongs to is bound in (``bound_to``), so that nothing sealed can be moved to another
row. Rotating the secret works as for links: the first one seals, every one of them opens.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class CannotBeOpened(ValueError):
    """The secret it was sealed with is gone, or the bytes were changed."""


def seal(content: bytes, *, purpose: str, bound_to: str, secrets: Sequence[str]) -> bytes:
    """Encrypt ``content`` with the first secret; empty stays empty."""
    if not content:
        return b""
    nonce = os.urandom(_NONCE)
    return nonce + AESGCM(_key(purpose, secrets[0])).encrypt(nonce, content, bound_to.encode())


def unseal(sealed: bytes, *, purpose: str, bound_to: str, secrets: Sequence[str]) -> bytes:
    """The content again. Raises :class:`CannotBeOpened`."""
    sealed = bytes(sealed)
    if not sealed:
        return b""
    for secret in secrets:
        try:
            return AESGCM(_key(purpose, secret)).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound_to.encode())
        except InvalidTag:
            continue
    raise CannotBeOpened("sealed with a secret that is not known here")


def _key(purpose: str, secret: str) -> bytes:
    return hashlib.sha256(f"sentinel.{purpose}.sealing|{secret}".encode()).digest()
