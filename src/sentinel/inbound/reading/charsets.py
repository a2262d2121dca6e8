"""Bytes to text: by what the mail declares when that can be true, else by what the bytes look like."""

from __future__ import annotations

import codecs
from functools import lru_cache

#: What mail calls a charset, and what it means in practice.
_ALIASES = {
    "us-ascii": "cp1252", "ascii": "cp1252", "ansi_x3.4-1968": "cp1252", "iso-8859-1": "cp1252",
    "latin1": "cp1252", "latin-1": "cp1252", "iso8859-1": "cp1252", "iso_8859-1": "cp1252", "x-ansi":
        "cp1252",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030", "gb_2312-80": "gb18030",
    "shift_jis": "cp932", "shift-jis": "cp932", "sjis": "cp932", "x-sjis": "cp932", "ms_kanji": "cp932",
    "windows-31j": "cp932", "iso-2022-jp": "iso2022_jp_ext", "iso-2022-jp-ms": "iso2022_jp_ext",
    "cp50220": "iso2022_jp_ext", "x-euc-jp": "euc_jp", "ks_c_5601-1987": "cp949", "ksc5601": "cp949",
    "euc-kr": "cp949", "iso-8859-9": "cp1254", "iso-8859-11": "cp874", "tis-620": "cp874",
    "iso-8859-8-i": "iso-8859-8", "unicode-1-1-utf-7": "utf-7", "unicode-1-1-utf-8": "utf-8",
    "utf8": "utf-8", "x-utf-8": "utf-8", "utf8mb4": "utf-8", "x-mac-roman": "mac-roman",
    "macintosh": "mac-roman", "windows-874": "cp874", "big5": "big5hkscs",
}  # fmt: skip
#: Codecs that are no charsets, or cost more than they are worth.
_REFUSED = frozenset(
    {"idna", "punycode", "unicode-escape", "unicode_escape", "raw-unicode-escape", "raw_unicode_escape"}
    | {"undefined", "mbcs", "oem", "charmap"}
)
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


@lru_cache(maxsize=256)
def _codec(charset: str) -> str:
    """The name of a usable text codec, or ""."""
    name = charset.strip().strip("\"'").lower()
    if not name or len(name) > 60 or not name.isascii() or "\x00" in name:
        return ""
    try:
        info = codecs.lookup(_ALIASES.get(name, name))
    except (LookupError, ValueError):
        return ""
    is_text = getattr(info, "_is_text_encoding", True)
    return "" if not is_text or info.name in _REFUSED else info.name


def decode(data: bytes, charset: str) -> tuple[str, bool]:
    """The text, and whether the declared charset was true."""
    for bom, name in _BOMS:
        if data.startswith(bom):
            return data.decode(name, "replace"), True
    codec = _codec(charset)
    if codec and codec != "cp1252":
        try:
            return data.decode(codec), True
        except (UnicodeError, ValueError):
            pass
    guessed = _guess(data)
    if guessed is not None:
        return guessed, not charset or codec == "cp1252"
    if codec and codec != "cp1252":
        text = data.decode(codec, "replace")
        # A cut letter at the end is no lie; a text full of wrong bytes is.
        if text.count("\ufffd") <= max(1, sum(letter > "\x7f" for letter in text[:50_000]) // 4):
            return text, False
    return data.decode("cp1252", "replace"), codec == "cp1252" and charset != ""


def _guess(data: bytes) -> str | None:
    """UTF-8 and ISO-2022-JP prove themselves; single bytes never do."""
    if b"\x1b$" in data or b"\x1b(" in data:
        try:
            return data.decode("iso2022_jp_ext")
        except UnicodeError:
            pass
    try:
        return data.decode("utf-8")
    except UnicodeError:
        return None


def decode_header_bytes(data: bytes) -> str:
    """A header value that should be ASCII and often is not."""
    return decode(data, "")[0]
