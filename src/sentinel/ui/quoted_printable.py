"""Text as quoted-printable (RFC 2045, 6.7), byte for byte as the standard library writes it, but faster.

Most mail is plain ASCII in short lines, where nearly nothing must be changed. The standard library looks
at every character of it; a storm of notices is then spent on that.

Pure.
"""

from __future__ import annotations

import re
from binascii import hexlify

LONGEST_LINE = 76
_SAFE = bytes([9, 10, *range(32, 127)])
_UNSAFE = re.compile(rb"[^\t\n\x20-\x7e]+")
_LINE_BREAK = re.compile(rb"\r\n?")


def quoted(text: str) -> bytes:
    """The text as the body of a mail part: CRLF lines of at most 76 bytes, ending with one.

    Raises UnicodeEncodeError for half a surrogate pair.
    """
    raw = _LINE_BREAK.sub(b"\n", text.encode())
    raw = raw.replace(b"=", b"=3D")
    if raw.translate(None, _SAFE):
        raw = _UNSAFE.sub(_escaped, raw)
    lines = raw.decode("ascii").removesuffix("\n").split("\n")
    return "\r\n".join([line if _fits(line) else _folded(line) for line in lines]).encode("ascii") + b"\r\n"


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"=" + hexlify(found[0], "=").upper()


def _fits(line: str) -> bool:
    return len(line) <= LONGEST_LINE and line[-1:] not in (" ", "\t")


def _folded(line: str) -> str:
    """A line broken softly, never within an escape; a blank at its end is made visible."""
    pieces, start = [], 0
    last_start = len(line) - 1 - LONGEST_LINE
    while start <= last_start:
        stop = start + LONGEST_LINE - 1
        if line[stop - 2] == "=":
            stop -= 2
        elif line[stop - 1] == "=":
            stop -= 1
        pieces.append(line[start:stop] + "=")
        start = stop
    if line[-1] not in " \t":
        return "\r\n".join([*pieces, line[start:]])
    blank, room = f"={ord(line[-1]):02X}", start - last_start
    end = blank if room >= 3 else f"{line[-1]}=\r\n" if room == 2 else f"=\r\n{blank}"
    return "\r\n".join([*pieces, line[start:-1] + end])
