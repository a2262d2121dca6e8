"""Encrypting a push message for one browser (RFC 8291, RFC 8188) and signing who sends it (RFC 8292).

Written out here because the library that others use is not to be had as a wheel; checked against the
worked example of RFC 8291, appendix A.
"""

from __future__ import annotations

import json
import os
import struct
from datetime import datetime, timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sentinel.kernel.push_keys import encode, raw_public

#: One record holds everything; push services take 4096 bytes in all.
RECORD_SIZE = 4096
LONGEST_TEXT = 3_900
#: RFC 8292 allows a day; a clock that is wrong by hours must not matter.
TOKEN_LIVES = timedelta(hours=12)


def encrypt(
    plain: bytes,
    *,
    browser_key: bytes,
    browser_secret: bytes,
    own_key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """One ``aes128gcm`` record for the browser. ``own_key`` and ``salt`` are fresh unless a test sets them.

    Raises ValueError when the browser's key is no point of the curve, or the text is too long.
    """
    if len(plain) > LONGEST_TEXT:
        raise ValueError("too long for a push message")
    own_key = own_key or ec.generate_private_key(ec.SECP256R1())
    salt = salt or os.urandom(16)
    browser = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), browser_key)
    own_public = raw_public(own_key.public_key())
    shared = own_key.exchange(ec.ECDH(), browser)
    keyed = _derive(shared, browser_secret, b"WebPush: info\0" + browser_key + own_public, 32)
    content_key = _derive(keyed, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(keyed, salt, b"Content-Encoding: nonce\0", 12)
    sealed = AESGCM(content_key).encrypt(nonce, plain + b"\2", None)
    return salt + struct.pack(">IB", RECORD_SIZE, len(own_public)) + own_public + sealed


def decrypt(body: bytes, *, key: ec.EllipticCurvePrivateKey, secret: bytes) -> bytes:
    """What a browser does with the body; for tests and for a fake push service."""
    salt, (_size, length) = body[:16], struct.unpack(">IB", body[16:21])
    sender = body[21 : 21 + length]
    shared = key.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
    keyed = _derive(shared, secret, b"WebPush: info\0" + raw_public(key.public_key()) + sender, 32)
    content_key = _derive(keyed, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derive(keyed, salt, b"Content-Encoding: nonce\0", 12)
    return AESGCM(content_key).decrypt(nonce, body[21 + length :], None).rstrip(b"\0")[:-1]


def authorization(*, origin: str, contact: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> str:
    """The ``Authorization`` header for one push service (``origin``: its scheme and host).

    ``contact``: an https or mailto address where the service can reach whoever runs this Sentinel.
    """
    claims = {"aud": origin, "exp": int((now + TOKEN_LIVES).timestamp()), "sub": contact}
    parts = ({"typ": "JWT", "alg": "ES256"}, claims)
    signed = ".".join(encode(json.dumps(part, separators=(",", ":")).encode()) for part in parts)
    r, s = decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
    signature = encode(r.to_bytes(32, "big") + s.to_bytes(32, "big"))
    return f"vapid t={signed}.{signature}, k={encode(raw_public(key.public_key()))}"


def _derive(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(material)
