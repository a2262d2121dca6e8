"""The worker's links are taken out of what is kept of a mail for others to read. Pure.

A reply quotes the mail it answers, and in that stand the links with which only this worker may answer,
confirm and unsubscribe. A colleague who reads the mail must not hold them: then "only the worker's own yes
closes" would be a matter of manners. The raw mail keeps them; administrators alone can save it.
"""

from __future__ import annotations

import re

from sentinel.inbound.reading.tokens import unwrapped

#: What stands in the place of a token.
VEIL = "…"
#: How many addresses of a mail are looked into; a person's mail has a dozen.
_MOST_ADDRESSES = 2_000
#: Behind "2f" too: filters that rewrite links write the slash as "%2F" or "-2F".
_TOKEN = re.compile(r"(?:(?<![a-z0-9])|(?<=2f))[a-z2-7]{44}(?![a-z0-9])", re.IGNORECASE)
#: Mail programs break long addresses, and quote what they broke.
_BROKEN = re.compile(r"(?<=/)(?:[a-z2-7](?:=?\n[>|\t ]*)?){43}[a-z2-7](?![a-z0-9])", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s\"'<>]{1,4000}", re.IGNORECASE)


def without_tokens(text: str) -> str:
    """The text with every signed token of ours replaced by :data:`VEIL`, and links that hide one packed."""
    if len(text) < 44:
        return text
    return _BROKEN.sub(VEIL, _TOKEN.sub(VEIL, _without_packed(text)))


def _without_packed(text: str) -> str:
    left = _MOST_ADDRESSES

    def veiled(match: re.Match[str]) -> str:
        nonlocal left
        left -= 1
        address = match[0]
        is_open = left < 0 or _TOKEN.search(address) is not None
        hides = not is_open and any(_TOKEN.search(reading) for reading in unwrapped(address))
        return VEIL if hides else address

    return _ADDRESS.sub(veiled, text)
