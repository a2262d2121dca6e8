"""The worked example of RFC 8291, and what a push service reads in the signature."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from sentinel.channels.push.encryption import (
    LONGEST_TEXT,
    authorization,
    decrypt,
    encrypt,
)
from sentinel.kernel.push_keys import application_key, decode, encode, raw_public

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
# RFC 8291, section 5 and appendix A.
PLAIN = b"When I grow up, I want to be a watermelon"
BROWSER_PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
BROWSER_PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
BROWSER_SECRET = "BTBZMqHH6r4Tts7J_aSIgg"
OWN_PRIVATE = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
BODY = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6Tlz"
    "AC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)


def private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decode(text), "big"), ec.SECP256R1())


def test_the_worked_example_comes_out_byte_by_byte() -> None:
    body = encrypt(
        PLAIN,
        browser_key=decode(BROWSER_PUBLIC),
        browser_secret=decode(BROWSER_SECRET),
        own_key=private(OWN_PRIVATE),
        salt=decode(SALT),
    )
    assert encode(body) == BODY
    assert decrypt(decode(BODY), key=private(BROWSER_PRIVATE), secret=decode(BROWSER_SECRET)) == PLAIN


def test_a_fresh_message_is_readable_by_its_browser_alone() -> None:
    browser, other, secret = private(BROWSER_PRIVATE), private(OWN_PRIVATE), os.urandom(16)
    plain = "日本語".encode() * 10
    first, second = (
        encrypt(plain, browser_key=raw_public(browser.public_key()), browser_secret=secret) for _ in "12"
    )
    assert first != second
    assert decrypt(first, key=browser, secret=secret) == plain
    with pytest.raises(InvalidTag):
        decrypt(first, key=other, secret=secret)


def test_what_cannot_be_encrypted_is_said() -> None:
    key = raw_public(private(BROWSER_PRIVATE).public_key())
    with pytest.raises(ValueError, match="too long"):
        encrypt(b"x" * (LONGEST_TEXT + 1), browser_key=key, browser_secret=b"s" * 16)
    with pytest.raises(ValueError):  # noqa: PT011  # cryptography's own words
        encrypt(b"x", browser_key=b"\4" + b"\1" * 64, browser_secret=b"s" * 16)


def test_the_signature_names_the_service_and_who_sends() -> None:
    key = application_key("a secret key")
    header = authorization(origin="https://push.example", contact="https://s.example", key=key, now=NOW)
    assert header.startswith("vapid t=")
    token, _, public = header.removeprefix("vapid t=").partition(", k=")
    signed, _, signature = token.rpartition(".")
    claims = json.loads(decode(signed.split(".")[1]))
    assert (claims["aud"], claims["sub"]) == ("https://push.example", "https://s.example")
    assert 0 < claims["exp"] - NOW.timestamp() <= 86_400
    raw = decode(signature)
    proof = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    known = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decode(public))
    known.verify(proof, signed.encode(), ec.ECDSA(hashes.SHA256()))
    with pytest.raises(InvalidSignature):
        known.verify(proof, signed.encode() + b"x", ec.ECDSA(hashes.SHA256()))


def test_the_application_key_is_the_same_everywhere_and_changes_with_the_secret() -> None:
    one, again, other = (raw_public(application_key(s).public_key()) for s in ("one", "one", "other"))
    assert one == again != other
