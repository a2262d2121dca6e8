"""DKIM signatures, checked by a verifier that shares no line with the signer."""

from __future__ import annotations

import hashlib
import re
from base64 import b64decode
from functools import cache

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from sentinel.channels.email.dkim import KeyUnusable, Signer

MAIL = (
    b"From: Maria Keller <care@Provider.Example>\r\n"
    b"To: olena@lindgren.example\r\n"
    b"Subject: =?utf-8?q?Haben_Sie_ein?=\r\n =?utf-8?q?_Problem=3F?=\r\n"
    b"Date: Fri, 06 Mar 2026 09:00:00 +0000\r\n"
    b"Message-ID: <rd-abc@provider.example>\r\n"
    b"List-Unsubscribe: <https://s.example/u/abc/>, <mailto:u-abc@in.sentinel.example>\r\n"
    b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    b"Content-Type:   text/plain;\r\n\tcharset=utf-8  \r\n"
    b"\r\n"
    b"Hello\r\n  spaces  stay \r\n\r\n.dot\r\n\r\n\r\n"
)


@cache
def key(bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def pem(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def signed(mail: bytes = MAIL) -> bytes:
    return Signer(pem(key()), "sentinel").sign(mail) + mail


def tags_of(mail: bytes) -> dict[str, str]:
    """The tags of the first header, unfolded (RFC 6376, 3.2)."""
    first = mail.split(b"\r\nFrom:")[0].decode()
    assert first.startswith("DKIM-Signature:")
    value = re.sub(r"\r\n\s+", " ", first.partition(":")[2])
    return {tag.strip(): text.strip() for tag, _, text in (part.partition("=") for part in value.split(";"))}


def verify(mail: bytes) -> None:
    """RFC 6376, section 6, for relaxed/simple; raises InvalidSignature."""
    tags = tags_of(mail)
    assert (tags["v"], tags["a"], tags["c"]) == ("1", "rsa-sha256", "relaxed/simple")
    head, body = mail.split(b"\r\n\r\n", 1)
    while body.endswith(b"\r\n\r\n"):
        body = body[:-2]
    if b64decode(tags["bh"]) != hashlib.sha256(body).digest():
        raise InvalidSignature("the body was changed")
    headers: list[list[str]] = []
    for line in head.decode().split("\r\n"):
        if line[0] in " \t":
            headers[-1][1] += line
        else:
            headers.append(list(line.partition(":")[::2]))
    signing, others = headers[0], headers[1:]
    data = ""
    for name in tags["h"].split(":"):
        found = next((at for at in range(len(others) - 1, -1, -1) if others[at][0].lower() == name), None)
        if found is not None:
            data += relaxed(*others.pop(found)) + "\r\n"
    without = re.sub(r"(\bb=)[^;]*$", r"\1", signing[1])
    data += relaxed(signing[0], without)
    key().public_key().verify(
        b64decode(tags["b"].replace(" ", "")), data.encode(), padding.PKCS1v15(), hashes.SHA256()
    )


def relaxed(name: str, value: str) -> str:
    return name.strip().lower() + ":" + re.sub(r"[ \t]+", " ", value).strip()


def test_a_signature_holds() -> None:
    verify(signed())


def test_it_names_the_domain_of_the_from_address_and_the_key() -> None:
    tags = tags_of(signed())
    assert (tags["d"], tags["s"]) == ("provider.example", "sentinel")


def test_it_covers_what_one_click_unsubscribing_needs_and_one_from_too_many() -> None:
    names = tags_of(signed())["h"].split(":")
    assert {
        "list-unsubscribe",
        "list-unsubscribe-post",
        "from",
        "to",
        "subject",
        "date",
        "message-id",
    } <= set(names)
    assert names.count("from") == 2


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Hello", b"Hallo"),
        (b"olena@", b"joao@"),
        (b"One-Click", b"Two-Click"),
        (b"https://s.example/u/abc/", b"https://evil.example/"),
        (b"To: ", b"From: Somebody Else <x@evil.example>\r\nTo: "),
    ],
)
def test_a_changed_mail_does_not_hold(before: bytes, after: bytes) -> None:
    with pytest.raises(InvalidSignature):
        verify(signed().replace(before, after, 1))


def test_folding_and_blanks_in_headers_may_change_on_the_way() -> None:
    verify(signed().replace(b"text/plain;\r\n\tcharset=utf-8  ", b"text/plain; charset=utf-8"))


def test_the_same_mail_has_the_same_signature() -> None:
    assert signed() == signed()


def test_no_line_of_it_is_too_long() -> None:
    assert max(map(len, Signer(pem(key()), "sentinel").sign(MAIL).split(b"\r\n"))) < 250


@pytest.mark.parametrize(
    "wrong", ["", "no key", pem(ec.generate_private_key(ec.SECP256R1()))], ids=["empty", "words", "curve"]
)
def test_a_key_that_cannot_sign_is_refused(wrong: str) -> None:
    with pytest.raises(KeyUnusable):
        Signer(wrong, "sentinel")


def test_a_mail_without_a_from_address_is_refused() -> None:
    with pytest.raises(ValueError, match="no From address"):
        Signer(pem(key()), "sentinel").sign(b"To: x@y.example\r\n\r\nhi\r\n")
