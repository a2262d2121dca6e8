"""DKIM signatures (RFC 6376): rsa-sha256, relaxed headers, simple body. Pure.

For relays that do not sign. The two headers of one-click unsubscribing are signed, which RFC 8058 asks for;
``From`` is signed once more than it occurs, so that nobody can add a second one.
"""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from functools import lru_cache

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

#: What is signed, if it is there; all that a reader sees or a mail system acts on.
SIGNED = (
    b"from", b"to", b"subject", b"date", b"message-id", b"reply-to", b"in-reply-to", b"references",
    b"mime-version", b"content-type", b"content-transfer-encoding", b"list-id", b"list-unsubscribe",
    b"list-unsubscribe-post", b"auto-submitted", b"feedback-id",
)  # fmt: skip
SHORTEST_KEY = 1024

_FOLD = re.compile(rb"\r\n(?=[ \t])")
_BLANKS = re.compile(rb"[ \t]+")
_ADDRESS_DOMAIN = re.compile(rb"@([A-Za-z0-9.-]+)>?\s*$")


class KeyUnusable(ValueError):
    """The key cannot sign mail."""


class Signer:
    """Signs mails with one key; the domain is that of each mail's From address.

    ``key``: a private RSA key, PEM, without a password. Raises :class:`KeyUnusable`.
    """

    def __init__(self, key: str, selector: str) -> None:
        try:
            loaded = serialization.load_pem_private_key(key.encode(), password=None)
        except (ValueError, TypeError) as error:
            raise KeyUnusable(f"this is no private key in PEM form: {error}") from error
        if not isinstance(loaded, rsa.RSAPrivateKey) or loaded.key_size < SHORTEST_KEY:
            raise KeyUnusable("DKIM needs an RSA key of at least 1024 bits; 2048 are right")
        self._key = loaded
        self._selector = selector.encode("ascii")

    def sign(self, mail: bytes) -> bytes:
        """The signature's header line with its CRLF, to be put in front of ``mail`` (CRLF lines).

        Equal mails have equal signatures: no time is noted. Raises ValueError without a From address.
        """
        head, _, body = mail.partition(b"\r\n\r\n")
        fields = _fields(head)
        names = [name for name in SIGNED if name in fields]
        domain = _domain_of(fields.get(b"from", b""))
        digest = b64encode(hashlib.sha256(_simple(body)).digest())
        listed = b":".join((*names, b"from"))
        header = b"v=1; a=rsa-sha256; c=relaxed/simple; d=%s; s=%s;\r\n h=%s;\r\n bh=%s;\r\n b=" % (
            domain,
            self._selector,
            listed,
            digest,
        )
        lines = [b"%s:%s\r\n" % (name, fields[name]) for name in names]
        lines.append(b"dkim-signature:" + _relaxed(header))
        signature = self._key.sign(b"".join(lines), padding.PKCS1v15(), hashes.SHA256())
        return b"DKIM-Signature: " + header + _in_lines(b64encode(signature)) + b"\r\n"


def _fields(head: bytes) -> dict[bytes, bytes]:
    """Header name, lower case, to its relaxed value; of several the last, which is the one signed first."""
    fields = {}
    for line in _FOLD.sub(b"", head).split(b"\r\n"):
        name, colon, value = line.partition(b":")
        if colon:
            fields[name.strip().lower()] = _relaxed(value)
    return fields


def _relaxed(value: bytes) -> bytes:
    return _BLANKS.sub(b" ", _FOLD.sub(b"", value)).strip()


def _simple(body: bytes) -> bytes:
    """Exactly one line break at the end (RFC 6376, 3.4.3)."""
    return body.rstrip(b"\r\n") + b"\r\n"


@lru_cache(maxsize=256)
def _domain_of(sender: bytes) -> bytes:
    found = _ADDRESS_DOMAIN.search(sender)
    if found is None:
        raise ValueError("the mail has no From address to sign for")
    return found[1].lower()


def _in_lines(signature: bytes) -> bytes:
    return b"\r\n ".join(signature[start : start + 72] for start in range(0, len(signature), 72))
