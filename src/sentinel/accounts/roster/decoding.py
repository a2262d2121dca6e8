"""The bytes of a roster file → text, whatever office program wrote them. Pure."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass

from sentinel.accounts.errors import RosterRefused

MOST_BYTES = 50 * 1024 * 1024
_LOOK_AHEAD = 65_536

_OTHER_KINDS = (
    (b"PK\x03\x04", "an Excel or OpenDocument workbook"),
    (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a compressed file"),
    (b"{\\rtf", "a word processor's document"),
)
_MARKS = (  # UTF-32 begins like UTF-16, so it comes first
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Offices that do not write Unicode write one of these; the header tells which.
_OLD_ENCODINGS = ("cp1252", "cp932")


@dataclass(frozen=True)
class Decoded:
    """The text and the name of its encoding; ``is_guess`` when the bytes themselves could not tell."""

    text: str
    encoding: str
    is_guess: bool = False


def decode(content: bytes, *, recognised: Callable[[str], int], encoding: str | None = None) -> Decoded:
    """Find the encoding: a mark at the start, strict UTF-8, UTF-16 by its zero bytes, else the old one in
    whose reading of the first lines ``recognised`` counts most columns. ``encoding`` overrules it all.

    Raises RosterRefused for what is too big, empty, no text, or text in none of these.
    """
    _refuse_other_kinds(content)
    if encoding:
        return Decoded(_strictly(content, encoding), encoding)
    marked = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    if marked:
        return Decoded(_strictly(content, marked), marked.removesuffix("-sig"))
    wide = _wide(content[:_LOOK_AHEAD])
    if wide:
        return Decoded(_strictly(content, wide), "utf-16")
    try:
        return Decoded(_without_nul(content.decode("utf-8")), "utf-8")
    except UnicodeDecodeError:
        return _decode_old(content, recognised)


def _decode_old(content: bytes, recognised: Callable[[str], int]) -> Decoded:
    head = content[:_LOOK_AHEAD]
    # max() keeps the first of equals: Western European when the header does not tell.
    best = max(_OLD_ENCODINGS, key=lambda name: recognised(head.decode(name, errors="replace")))
    return Decoded(_strictly(content, best), best, is_guess=True)


def _strictly(content: bytes, encoding: str) -> str:
    try:
        return _without_nul(content.decode(encoding))
    except LookupError:
        raise RosterRefused("roster_encoding", f"There is no encoding of the name “{encoding}”.") from None
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise RosterRefused(
            "roster_encoding",
            f"Line {line} is not text in {encoding.upper()}. Save the file as “CSV UTF-8” and try again.",
            {"line": line},
        ) from None


def _without_nul(text: str) -> str:
    at = text.find("\0")
    if at >= 0:
        line = text.count("\n", 0, at) + 1
        raise RosterRefused(
            "roster_binary",
            f"Line {line} holds a zero byte: this is not a text file, or it is damaged.",
            {"line": line},
        )
    return text


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: of mostly Western text every second byte is zero."""
    if len(head) < 4:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 5 and even < odd // 20 + 1:
        return "utf-16-le"
    if even > len(head) // 5 and odd < even // 20 + 1:
        return "utf-16-be"
    return None


def _refuse_other_kinds(content: bytes) -> None:
    if len(content) > MOST_BYTES:
        size = len(content) / 1024 / 1024
        most = MOST_BYTES // 1024 // 1024
        raise RosterRefused(
            "roster_too_big", f"The file has {size:.0f} MB; {most} MB is the most. Split it by site."
        )
    if not content.strip():
        raise RosterRefused("roster_empty", "The file is empty.")
    for start, kind in _OTHER_KINDS:
        if content.startswith(start):
            raise RosterRefused(
                "roster_not_csv", f"This is {kind}, not a CSV file. Save it as “CSV UTF-8” first."
            )
