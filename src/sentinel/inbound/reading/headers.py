"""Headers: bounded, lenient, without the standard parser, whose cost is the square of hostile input."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterable, Iterator

from sentinel.inbound.reading.charsets import decode, decode_header_bytes

LONGEST_VALUE = 20_000
_MOST_HEADERS = 2_000
_NAME = re.compile(rb"[!-9;-~]{1,200}[ \t]{0,5}:")
_WORD = re.compile(r"=\?([\w.:+-]{1,60})(?:\*[\w-]{1,20})?\?([bBqQ])\?([^?]{0,2000})\?=")
_CONTROL = re.compile("[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]+")
# Marks that turn the direction of text: a name that reads backwards is never innocent.
_TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_ID = re.compile(r"<([^<>\s]{1,400})>")
_ADDRESS = re.compile(r"[^\s<>@,;:\"()\[\]\\]{1,128}@[^\s<>@,;:\"()\[\]\\]{1,255}")


class Headers:
    """The headers of a mail or a part; names in lower case, values still undecoded."""

    def __init__(self, pairs: Iterable[tuple[str, bytes]]) -> None:
        self.pairs = list(pairs)
        self._first: dict[str, bytes] = {}
        for name, value in self.pairs:
            self._first.setdefault(name, value)

    def __contains__(self, name: str) -> bool:
        return name in self._first

    def raw(self, name: str) -> str:
        """The first value of that name on one line, without decoding encoded words."""
        return one_line(decode_header_bytes(self._first.get(name, b"")[:LONGEST_VALUE]))

    def text(self, name: str) -> str:
        """The first value of that name as people read it."""
        return one_line(decode_words(self.raw(name)))

    def all(self, name: str) -> list[str]:
        """Every value of that name, on one line each, undecoded."""
        return [
            one_line(decode_header_bytes(value[:LONGEST_VALUE])) for key, value in self.pairs if key == name
        ]

    def count(self, name: str) -> int:
        return sum(1 for key, _ in self.pairs if key == name)


def one_line(text: str) -> str:
    """No line breaks, no control or turning characters, single spaces."""
    return " ".join(_TURNING.sub("", _CONTROL.sub(" ", text)).split())


def parse_headers(block: bytes) -> tuple[Headers, int, bool]:
    """The headers at the start of ``block``, where their body begins, and whether a limit was met.

    A line that is no header ends them, unless another header follows it: then it is a broken line.
    """
    pairs: list[tuple[str, list[bytes]]] = []
    position, size = 0, len(block)
    while position < size:
        end = block.find(b"\n", position)
        stop = size if end < 0 else end
        line = block[position:stop].rstrip(b"\r")
        following = size if end < 0 else end + 1
        if not line.strip():
            return _headers(pairs), following, False
        if line[:1] in b" \t" and pairs:
            pairs[-1][1].append(line)
        elif match := _NAME.match(line):
            if len(pairs) >= _MOST_HEADERS:
                return _headers(pairs), following, True
            pairs.append((match[0].rstrip(b": \t").decode("ascii").lower(), [line[match.end() :]]))
        elif not (_is_mailbox_line(line) or (pairs and _NAME.match(block, following))):
            return _headers(pairs), position, False
        position = following
    return _headers(pairs), size, False


def _is_mailbox_line(line: bytes) -> bool:
    return line.startswith((b"From ", b">From "))


def _headers(pairs: Iterable[tuple[str, list[bytes]]]) -> Headers:
    return Headers((name, b" ".join(lines).strip()) for name, lines in pairs)


def decode_words(text: str) -> str:
    """RFC 2047, as lenient as mail programs: inside quotes, between letters, in unknown charsets."""
    if "=?" not in text:
        return text
    out: list[str] = []
    pending: tuple[str, bytearray] | None = None
    position = 0
    for match in _WORD.finditer(text):
        between = text[position : match.start()]
        data = _word_bytes(match[2], match[3])
        # Neighbours of one charset are joined before decoding: a letter may be cut in the middle.
        if pending and not between.strip() and pending[0] == match[1].lower():
            pending[1].extend(data)
        else:
            if pending:
                out.append(decode(bytes(pending[1]), pending[0])[0])
            out.append("" if pending and not between.strip() else between)
            pending = (match[1].lower(), bytearray(data))
        position = match.end()
    if pending:
        out.append(decode(bytes(pending[1]), pending[0])[0])
    out.append(text[position:])
    return "".join(out)


def _word_bytes(encoding: str, text: str) -> bytes:
    raw = text.encode("utf-8", "replace")
    if encoding in "qQ":
        return binascii.a2b_qp(raw.replace(b"_", b"=20"))
    return lenient_base64(raw)


_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")


def lenient_base64(raw: bytes) -> bytes:
    """What base64 there is; padding, stray characters and a missing end do not matter."""
    try:
        return binascii.a2b_base64(raw)
    except binascii.Error:
        clean = _NOT_BASE64.sub(b"", raw)
        clean = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
        return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4))


def addresses(value: str) -> Iterator[str]:
    """Every address in a header value, lower case."""
    for match in _ADDRESS.finditer(value[:LONGEST_VALUE]):
        yield match[0].strip("'`.").lower()


def sender(value: str) -> tuple[str, str]:
    """(address, display name) of a From value; the address in angle brackets wins over one in the name."""
    opened = value.rfind("<")
    closed = value.find(">", opened) if opened >= 0 else -1
    inside = value[opened + 1 : closed] if closed > opened else ""
    found = next(addresses(inside), "") or next(addresses(value), "")
    name = value[:opened] if opened > 0 else _comment(value)
    return found, one_line(decode_words(name.strip().strip('"').replace('\\"', '"')))[:200]


def _comment(value: str) -> str:
    start, end = value.find("("), value.rfind(")")
    return value[start + 1 : end] if 0 <= start < end else ""


def message_ids(value: str) -> list[str]:
    """The identifiers in a value, without angle brackets; a bare one counts when it stands alone."""
    found = _ID.findall(value)
    if found:
        return list(found)
    bare = value.strip("<> ")
    return [bare] if "@" in bare and " " not in bare and len(bare) <= 400 else []
