"""One cell of a roster: cleaned, or refused with a reason in plain words. Pure."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

#: How long a value may be, as the columns of Worker say.
LONGEST = {"name": 200, "e-mail": 254, "department": 120, "external id": 80}

_EXCEL_TEXT = re.compile(r'^=\s*"(.*)"$', re.DOTALL)
_EMPTY_MARKS = frozenset({"-", "–", "—", "n/a", "#n/a", "null"})
_FORMULA_STARTS = ("=", "+", "-", "@")
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.I
)
_ADDRESS_IN_ANGLES = re.compile(r"^[^<>]*<([^<>]+)>$")
# Characters that show nothing but make two equal texts different, or turn the direction of what follows.
_UNSEEN = dict.fromkeys(
    [0x200B, 0x200E, 0x200F, 0x2060, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
)

_LANGUAGES = {
    "en": ("en", "eng", "english", "englisch", "anglais", "ingles", "英語"),
    "de": ("de", "deu", "ger", "german", "deutsch", "allemand", "aleman", "ドイツ語"),
    "fr": ("fr", "fra", "fre", "french", "franzosisch", "francais", "frances", "フランス語"),
    "es": ("es", "spa", "spanish", "spanisch", "espagnol", "espanol", "スペイン語"),
    "ja": ("ja", "jp", "jpn", "japanese", "japanisch", "japonais", "japones", "日本語"),
}


class CellRefused(ValueError):
    """The cell cannot be used; its text is the reason, a clause without a full stop."""


def clean(text: str) -> str:
    """Without spaces around, runs of white space (NBSP, ideographic, line breaks) as one space, without
    invisible characters, and with Excel's ``="0123"`` unwrapped."""
    if not text:
        return ""
    if not (text.isascii() and text.isprintable()):
        # White space first: splitting also removes line breaks, which count as control characters.
        text = " ".join(unicodedata.normalize("NFC", text).translate(_UNSEEN).split())
        text = "".join(c for c in text if unicodedata.category(c) != "Cc")
    wrapped = _EXCEL_TEXT.match(text.strip()) if "=" in text else None
    return " ".join((wrapped.group(1).replace('""', '"') if wrapped else text).split())


def clean_optional(text: str) -> str:
    """As :func:`clean`; the marks offices write for "nothing" are empty."""
    cleaned = clean(text)
    return "" if cleaned.lower() in _EMPTY_MARKS else cleaned


def check_text(text: str, what: str) -> str:
    """The cleaned text, unless it is too long for us or a formula for the next spreadsheet."""
    if text.startswith(_FORMULA_STARTS):
        raise CellRefused(f"the {what} starts with “{text[0]}” like a spreadsheet formula")
    if len(text) > LONGEST[what]:
        raise CellRefused(f"the {what} has {len(text)} characters; {LONGEST[what]} is the most")
    return text


def read_name(text: str) -> str:
    """A person's name, which must not be empty."""
    cleaned = check_text(clean(text), "name")
    if not cleaned:
        raise CellRefused("the name is empty")
    return cleaned


def read_email(text: str) -> str:
    """One mail address, its domain in lower case; understands ``Anna <anna@example.com>`` and ``mailto:``."""
    address = unicodedata.normalize("NFKC", clean(text)) if not text.isascii() else clean(text)
    in_angles = _ADDRESS_IN_ANGLES.match(address)
    if in_angles:
        address = in_angles.group(1).strip()
    if address[:7].lower() == "mailto:":
        address = address[7:]
    if not address:
        raise CellRefused("the e-mail is empty")
    if len(address) > LONGEST["e-mail"]:
        raise CellRefused(f"the e-mail has {len(address)} characters; {LONGEST['e-mail']} is the most")
    if not address.isascii():
        odd = next(c for c in address if not c.isascii())
        raise CellRefused(f"the e-mail {address} has the character “{odd}”, which a mail address cannot have")
    local, _, domain = address.rpartition("@")
    if not _EMAIL.fullmatch(address) or ".." in local or local.startswith(".") or local.endswith("."):
        raise CellRefused(f"“{address}” is not an e-mail address")
    return f"{local}@{domain.lower()}"


@lru_cache(maxsize=1_024)
def read_language(text: str) -> str:
    """The code of "de", "DE", "de-AT", "German" or "Deutsch"; CellRefused for what we do not speak."""
    if not text:
        return ""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    first = re.split(r"[-_ (]", plain)[0]
    for code, words in _LANGUAGES.items():
        if any(word in (unicodedata.normalize("NFC", plain), first) or text == word for word in words):
            return code
    raise CellRefused(f"the language “{text[:40]}” is not one of English, German, French, Spanish, Japanese")
