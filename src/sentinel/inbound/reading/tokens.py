"""Our own signed links in a mail, also where a mail gateway has wrapped or a mail program broken them."""

from __future__ import annotations

import binascii
import re
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from sentinel.inbound.reading.headers import lenient_base64
from sentinel.inbound.reading.shapes import Ours

_MOST_TOKENS = 100
_MOST_ADDRESSES = 2_000
_WEB_ADDRESS = re.compile(r"https?://[^\s\"'<>]{1,4000}", re.IGNORECASE)
_BROKEN = re.compile(r"=?\n[>|\t ]*")
#: Proofpoint, version 2: "-3A" is "%3A", "_" is "/".
_PROOFPOINT = re.compile(r"-([0-9A-Fa-f]{2})")
_PACKED = re.compile(r"[?&]u=([A-Za-z0-9+/_-]{20,2000}={0,2})(?=&|$)")


@lru_cache(maxsize=32)
def _pattern(base_url: str) -> tuple[str, re.Pattern[str]]:
    parts = urlsplit(base_url.lower())
    place = parts.netloc + parts.path.rstrip("/")
    return parts.netloc, re.compile(re.escape(place) + r"/([a-z]{1,2})/([a-z2-7]{44})(?![a-z0-9])")


def find_tokens(texts: list[str], ours: Ours) -> tuple[tuple[str, str], ...]:
    """(purpose, token) of every link of ours in these texts, in order, each once."""
    host, pattern = _pattern(ours.base_url)
    found: dict[tuple[str, str], None] = {}
    if not host:
        return ()
    for text in texts:
        lowered = text.lower()
        _collect(pattern, lowered, found)
        if host in lowered:
            # Mail programs break long addresses; the token may continue on the next quoted line.
            _collect(pattern, _BROKEN.sub("", lowered), found)
        for number, match in enumerate(_WEB_ADDRESS.finditer(text)):
            if number >= _MOST_ADDRESSES or len(found) >= _MOST_TOKENS:
                break
            address = match[0].replace("&amp;", "&")
            if urlsplit_host(address) != host:
                for reading in unwrapped(address):
                    _collect(pattern, reading.lower(), found)
    return tuple(found)


def urlsplit_host(address: str) -> str:
    """The host of a web address, lower case; "" for a broken one."""
    return address.partition("://")[2].partition("/")[0].lower()


def _collect(pattern: re.Pattern[str], text: str, found: dict[tuple[str, str], None]) -> None:
    for match in pattern.finditer(text):
        if len(found) >= _MOST_TOKENS:
            return
        found.setdefault((match[1], match[2]), None)


def unwrapped(address: str) -> list[str]:
    """What a rewritten link may have been: Safe Links, urldefense, Barracuda, Cisco, Sophos, Google, others.

    Nearly all of them carry the original percent-encoded once to three times.
    """
    readings, text = [], address
    for _ in range(3):
        if "%" not in text:
            break
        text = unquote(text)
        readings.append(text)
    host = urlsplit_host(address)
    if "urldefense" in host and "/v2/" in address:
        readings.append(unquote(_PROOFPOINT.sub(r"%\1", address).replace("_", "/")))
    elif "urldefense" in host:
        readings.append(address)
    if match := _PACKED.search(address):
        readings.append(_unpacked(match[1]))
    if not readings:
        readings.append(address)
    return readings


def _unpacked(text: str) -> str:
    try:
        return lenient_base64(text.replace("-", "+").replace("_", "/").encode("ascii")).decode(
            "utf-8", "replace"
        )
    except (binascii.Error, ValueError):
        return ""
