"""The key by which browsers and push services know this Sentinel, and how such keys are written."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def encode(raw: bytes) -> str:
    """Base64 for addresses, without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes again. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def raw_public(key: ec.EllipticCurvePublicKey) -> bytes:
    """A public key as browsers write it: the uncompressed point, 65 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def application_key(secret: str) -> ec.EllipticCurvePrivateKey:
    """The key that identifies this Sentinel to push services, derived from its secret key.

    So every machine on one database has the same one, and nothing needs to be kept or copied.
    """
    wide = hashlib.sha512(b"sentinel.push.application|" + secret.encode()).digest()
    return ec.derive_private_key(int.from_bytes(wide, "big") % (_ORDER - 1) + 1, ec.SECP256R1())
