"""Telephone numbers as people write them → E.164. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

# "+" and seven digits: the shortest numbers anywhere. Some plans call "12" possible, for want of a rule.
SHORTEST = 7


@dataclass(frozen=True, slots=True)
class Telephone:
    """``number`` in E.164 ("+4930123456", empty when unreadable) and what to say about it, if anything."""

    number: str
    trouble: str = ""


@lru_cache(maxsize=4_096)
def read_telephone(text: str, country: str) -> Telephone:
    """Read a number as dialled in ``country`` (ISO 3166, may be empty) or written with "+".

    Only the length is judged, not whether the number was ever given out: numbering plans change.
    """
    if not text:
        return Telephone("")
    for candidate in _spellings(text, country):
        try:
            parsed = phonenumbers.parse(candidate, country or None)
        except NumberParseException:
            continue
        number = phonenumbers.format_number(parsed, PhoneNumberFormat.E164)
        if phonenumbers.is_possible_number(parsed) and len(number) > SHORTEST:
            dropped = f"the extension {parsed.extension} of {text} is not kept" if parsed.extension else ""
            return Telephone(number, dropped)
    if not country and not text.startswith("+"):
        return Telephone("", f"the telephone number {_short(text)} has no “+” and its site no country")
    return Telephone("", f"{_short(text)} is not a telephone number")


def _spellings(text: str, country: str) -> list[str]:
    plain = "".join(c for c in text if not c.isspace())
    if plain.startswith("00"):
        # "00" means "+" in most of the world; where it does not, the country's own reading comes first.
        return [text, "+" + plain[2:]] if country else ["+" + plain[2:]]
    return [text]


def _short(text: str) -> str:
    return f"“{text}”" if len(text) <= 40 else f"“{text[:40]}…”"
