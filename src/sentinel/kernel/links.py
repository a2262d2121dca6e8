"""The signed links through which workers act; they never log in.

A token is 27 bytes in lower-case base32 (44 letters and digits, readable again when a mail program turns
it to upper case or the reader types it): version (1), day of issue (2), subject id (8), and the
first 16 bytes of an HMAC-SHA256 over purpose, version, day and id. It holds no personal data. The purpose is
signed but not carried, so that a link made for one purpose opens nothing else.

Reading a token proves who was asked, not that a human came: scanners open links too. What a visit
may change is decided elsewhere.
"""

import hmac
from base64 import b32decode
from collections.abc import Sequence
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from struct import Struct
from typing import TYPE_CHECKING

from sentinel.kernel.errors import Refused

if TYPE_CHECKING:
    from hashlib import _Hash

VALID_DAYS = 45
_VERSION = 1
_EPOCH = date(2020, 1, 1)
_BODY = Struct(">BHQ")
_HEAD, _SUBJECT = Struct(">BH"), Struct(">Q")
_MAC_BYTES = 16
_TOKEN_LENGTH = 44
_PADDING = "===="
_SHORTEST_SECRET = 16
_BLOCK = 64
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = tuple(first + second for first in _ALPHABET for second in _ALPHABET)
#: Where a token's letters and its bytes come out even: ten bytes are sixteen letters.
_EVEN = 10
_FIRST, _LAST = Struct(">IBIB"), Struct(">IBIBIBH")
_NOTHING = bytes(_BODY.size + _MAC_BYTES)


class Purpose(StrEnum):
    """What a link is for. Values are part of what is signed: never reuse one."""

    ANSWER = "a"
    PROBLEM = "p"
    CONFIRM = "c"
    PREFERENCES = "s"
    UNSUBSCRIBE = "u"
    OBJECT = "o"
    # These four are parts of mail addresses, never of pages.
    REPLY_TO_DELIVERY = "rd"
    REPLY_TO_MESSAGE = "rm"
    BOUNCE_OF_DELIVERY = "bd"
    BOUNCE_OF_MESSAGE = "bm"


class LinkError(Refused):
    """The link cannot be used."""


class LinkForged(LinkError):
    """Not a link of ours for this purpose: mistyped, cut short, changed, or signed with a retired secret."""


class LinkExpired(LinkError):
    """Our own link, too old. `details["subject_id"]` is authentic, so a fresh link can be offered by mail."""


def sign(purpose: Purpose, subject_id: int, *, secret: bytes, issued_on: date) -> str:
    """A URL-safe token for one purpose and one subject (0 <= id < 2**64); equal input, equal token."""
    return Pen(purpose, secret=secret, issued_on=issued_on).sign(subject_id)


class Pen:
    """Signs many subjects for one purpose on one day, in half the time: equal input, equal token."""

    __slots__ = ("_begun", "_head", "_outer")

    def __init__(self, purpose: Purpose, *, secret: bytes, issued_on: date) -> None:
        self._head = _HEAD.pack(_VERSION, (issued_on - _EPOCH).days)
        begun, self._outer = _keyed(purpose, secret)
        self._begun = begun.copy()
        self._begun.update(self._head)

    def sign(self, subject_id: int) -> str:
        """As :func:`sign`."""
        subject = _SUBJECT.pack(subject_id)
        inner, outer = self._begun.copy(), self._outer.copy()
        inner.update(subject)
        outer.update(inner.digest())
        return _encode(self._head + subject + outer.digest()[:_MAC_BYTES])


def read(
    token: str, purpose: Purpose, *, secrets: Sequence[bytes], today: date, valid_days: int = VALID_DAYS
) -> int:
    """The subject id of a token signed for `purpose` with any of `secrets` (rotation: newest first).

    Valid from its day of issue through `valid_days` days later. A day of issue after `today` is accepted: the
    signature proves that it is ours, and a clock set back must not lock a worker out.
    Raises LinkForged or LinkExpired. Malformed tokens cost the same work as well-formed ones.
    """
    if not secrets:
        raise ValueError("reading a link needs at least one secret")
    raw = _decode(token)
    candidate = _NOTHING if raw is None else raw
    body, mac = candidate[: _BODY.size], candidate[_BODY.size :]
    # No short cut in either loop or condition: time must not tell which secret or byte was wrong.
    matches = [hmac.compare_digest(mac, _mac(purpose, body, secret)) for secret in secrets]
    version, day, subject_id = _BODY.unpack(body)
    if raw is None or not any(matches) or version != _VERSION:
        raise LinkForged("link_forged", "This link is not complete. Please open it again from the e-mail.")
    issued_on = _EPOCH + timedelta(days=day)
    if today > issued_on + timedelta(days=valid_days):
        raise LinkExpired(
            "link_expired",
            "This link is too old. Please use the one in our latest e-mail, or simply reply to it.",
            {"subject_id": subject_id, "issued_on": issued_on.isoformat()},
        )
    return int(subject_id)


def _mac(purpose: Purpose, body: bytes, secret: bytes) -> bytes:
    begun, outer = _keyed(purpose, secret)
    inner, outer = begun.copy(), outer.copy()
    inner.update(body)
    outer.update(inner.digest())
    return outer.digest()[:_MAC_BYTES]


@lru_cache(maxsize=64)
def _keyed(purpose: Purpose, secret: bytes) -> "tuple[_Hash, _Hash]":
    """HMAC-SHA256 (RFC 2104) up to where messages begin to differ: going on from here takes half the time."""
    if len(secret) < _SHORTEST_SECRET:
        raise ValueError(f"a link secret has at least {_SHORTEST_SECRET} bytes")
    key = (sha256(secret).digest() if len(secret) > _BLOCK else secret).ljust(_BLOCK, b"\0")
    inner, outer = (sha256(bytes(byte ^ pad for byte in key)) for pad in (0x36, 0x5C))
    # The prefix keeps these signatures apart from any other use of the same secret.
    inner.update(b"sentinel.link|" + purpose.value.encode() + b"|")
    return inner, outer


def _encode(raw: bytes) -> str:
    """27 bytes in base32: ten bits are two letters. The standard library takes three times as long, and a
    million mails carry five tokens each."""
    a, b, c, d, e, f, g = _LAST.unpack_from(raw, _EVEN)
    pair = _PAIRS
    return (
        f"{_encode_first(raw[:_EVEN])}"
        f"{pair[a >> 22]}{pair[a >> 12 & 1023]}{pair[a >> 2 & 1023]}{pair[(a & 3) << 8 | b]}"
        f"{pair[c >> 22]}{pair[c >> 12 & 1023]}{pair[c >> 2 & 1023]}{pair[(c & 3) << 8 | d]}"
        f"{pair[e >> 22]}{pair[e >> 12 & 1023]}{pair[e >> 2 & 1023]}{pair[(e & 3) << 8 | f]}"
        f"{pair[g >> 6]}{pair[g << 4 & 1023]}"
    )


@lru_cache(maxsize=4096)
def _encode_first(raw: bytes) -> str:
    """Version, day and the upper bytes of the id: the same for 256 neighbours, and nothing secret."""
    a, b, c, d = _FIRST.unpack(raw)
    pair = _PAIRS
    return (
        f"{pair[a >> 22]}{pair[a >> 12 & 1023]}{pair[a >> 2 & 1023]}{pair[(a & 3) << 8 | b]}"
        f"{pair[c >> 22]}{pair[c >> 12 & 1023]}{pair[c >> 2 & 1023]}{pair[(c & 3) << 8 | d]}"
    )


def _decode(token: str) -> bytes | None:
    """The bytes of a well-formed token, else None. Only the canonical spelling (in any case) is one."""
    if len(token) != _TOKEN_LENGTH or not token.isascii():
        return None
    try:
        raw = b32decode(token + _PADDING, casefold=True)
    except ValueError:
        return None
    # 44 characters carry four bits more than 27 bytes: without this, 16 spellings would open one link.
    return raw if _encode(raw) == token.lower() else None
