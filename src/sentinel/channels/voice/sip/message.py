"""SIP messages (RFC 3261, section 7): tolerant when reading, strict when writing.

Reading takes whatever can be understood without guessing and raises :class:`Malformed` for the rest, never
anything else. Writing refuses every byte that could start another line, so that no name or number can
smuggle a header in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

#: The largest message, and what one message may make us look at.
LARGEST_MESSAGE, MOST_HEADERS, LONGEST_LINE = 65_535, 200, 8_192
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_STATUS_LINE = re.compile(r"SIP/2\.0 ([1-6][0-9]{2})(?: (.*))?", re.IGNORECASE | re.DOTALL | re.ASCII)
_REQUEST_LINE = re.compile(r"([A-Za-z0-9.!%*_+`'~-]{1,32}) (\S{1,2048}) SIP/2\.0", re.IGNORECASE | re.ASCII)
_CSEQ = re.compile(r"([0-9]{1,10})\s+([A-Za-z0-9.!%*_+`'~-]{1,32})")
_COMPACT = {
    "v": "Via",
    "f": "From",
    "t": "To",
    "i": "Call-ID",
    "m": "Contact",
    "l": "Content-Length",
    "c": "Content-Type",
    "s": "Subject",
    "k": "Supported",
    "e": "Content-Encoding",
}
_LIST_HEADERS = frozenset({"via", "route", "record-route", "contact"})
_REQUIRED = ("Via", "From", "To", "Call-ID", "CSeq")


class Malformed(ValueError):
    """This is not SIP as we can understand it, or not SIP that we would send."""


def is_token(text: str) -> bool:
    """Whether a text is one word of the SIP grammar."""
    return _TOKEN.fullmatch(text) is not None


def split_list(value: str) -> list[str]:
    """The elements of a comma-separated header; commas in quotes and angle brackets do not count."""
    if "," not in value:
        return [value.strip()] if value.strip() else []
    parts, start, quoted, angled, escaped = [], 0, False, False, False
    for position, letter in enumerate(value):
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = letter == "\\", letter != '"'
        elif letter == '"':
            quoted = True
        elif letter in "<>":
            angled = letter == "<"
        elif letter == "," and not angled:
            parts.append(value[start:position])
            start = position + 1
    parts.append(value[start:])
    return [part.strip() for part in parts if part.strip()]


class Headers:
    """Headers in their order, found by name whatever its case; values are text without line breaks."""

    __slots__ = ("_items",)

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items = list(items)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._items == other._items

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        return f"Headers({self._items!r})"

    def get(self, name: str, default: str = "") -> str:
        """The first value of a header."""
        wanted = name.lower()
        return next((value for key, value in self._items if key.lower() == wanted), default)

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order; lists are taken apart where the grammar has lists."""
        wanted = name.lower()
        values = [value for key, value in self._items if key.lower() == wanted]
        if wanted not in _LIST_HEADERS:
            return values
        return [part for value in values for part in split_list(value)]

    def add(self, name: str, value: str) -> None:
        """Append a header."""
        self._items.append((name, value))

    def put(self, name: str, value: str) -> None:
        """Replace every header of this name by one."""
        self.drop(name)
        self._items.append((name, value))

    def drop(self, name: str) -> None:
        """Forget every header of this name."""
        wanted = name.lower()
        self._items = [(key, value) for key, value in self._items if key.lower() != wanted]

    def copy(self) -> Headers:
        return Headers(self._items)


@dataclass
class _Message:
    headers: Headers = field(default_factory=Headers, kw_only=True)
    body: bytes = field(default=b"", kw_only=True)

    @property
    def call_id(self) -> str:
        return self.headers.get("Call-ID")

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method; raises Malformed."""
        match = _CSEQ.fullmatch(self.headers.get("CSeq").strip())
        if match is None or int(match[1]) >= 2**31:
            raise Malformed("CSeq is no number and method")
        return int(match[1]), match[2].upper()

    def _encode(self, first_line: str) -> bytes:
        lines = [_checked(first_line)]
        for name, value in self.headers:
            if name.lower() == "content-length":
                continue
            if not is_token(name):
                raise Malformed(f"{name!r} is no name of a header")
            lines.append(f"{name}: {_checked(value)}")
        lines.append(f"Content-Length: {len(self.body)}")
        encoded = "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + self.body
        if len(encoded) > LARGEST_MESSAGE:
            raise Malformed("the message is too large")
        return encoded


@dataclass
class Request(_Message):
    """A request: method, request URI, headers, body."""

    method: str
    uri: str

    def encode(self) -> bytes:
        """The bytes on the wire; raises Malformed for what must not be sent."""
        if not is_token(self.method) or not self.uri or " " in self.uri:
            raise Malformed("a request needs a method and an address without spaces")
        return self._encode(f"{self.method} {self.uri} SIP/2.0")


@dataclass
class Response(_Message):
    """A response: status, reason phrase, headers, body."""

    status: int
    reason: str

    def encode(self) -> bytes:
        """The bytes on the wire; raises Malformed for what must not be sent."""
        if not 100 <= self.status <= 699:
            raise Malformed(f"{self.status} is no status")
        return self._encode(f"SIP/2.0 {self.status} {self.reason}")


Message = Request | Response


def _checked(text: str) -> str:
    if _CONTROL.search(text):
        raise Malformed("a control character in a header")
    return text


def parse(data: bytes) -> Message:
    """Read one datagram. Raises Malformed, and nothing else, for bytes that are no message."""
    if len(data) > LARGEST_MESSAGE:
        raise Malformed("too large")
    head, body = cut(data.lstrip(b"\r\n"))
    message = parse_head(head)
    message.body = body[: body_length(message, default=len(body))]
    if len(message.body) < body_length(message, default=0):
        raise Malformed("the body is shorter than its Content-Length")
    return message


def cut(data: bytes) -> tuple[bytes, bytes]:
    """Head and rest at the first empty line, with CRLF or bare LF; raises Malformed without one."""
    ends = [(at, len(mark)) for mark in (b"\r\n\r\n", b"\n\n") if (at := data.find(mark)) >= 0]
    if not ends:
        raise Malformed("no end of the headers")
    at, length = min(ends)
    return data[:at], data[at + length :]


def parse_head(head: bytes) -> Message:
    """Everything above the empty line; the body is left empty."""
    lines = _unfolded(head)
    first = lines[0].strip()
    message: Message
    if match := _STATUS_LINE.fullmatch(first):
        message = Response(int(match[1]), _clean(match[2] or ""))
    elif match := _REQUEST_LINE.fullmatch(first):
        message = Request(match[1].upper(), _clean(match[2]))
    else:
        raise Malformed("neither a request nor a response")
    message.headers = Headers(_header(line) for line in lines[1:] if line.strip())
    for name in _REQUIRED:
        if not message.headers.get(name).strip():
            raise Malformed(f"no {name}")
    _, method = message.cseq
    if isinstance(message, Request) and method != message.method:
        raise Malformed("CSeq names another method")
    return message


def _unfolded(head: bytes) -> list[str]:
    lines: list[str] = []
    for raw in head.split(b"\n"):
        if len(raw) > LONGEST_LINE or len(lines) > MOST_HEADERS:
            raise Malformed("too many or too long lines")
        line = raw.rstrip(b"\r").decode("utf-8", "replace")
        if line[:1] in (" ", "\t") and lines:
            if len(lines[-1]) + len(line) > LONGEST_LINE:
                raise Malformed("too long a line")
            lines[-1] += " " + line.strip()
        else:
            lines.append(line)
    return lines


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    name = name.strip()
    if not colon or not is_token(name):
        raise Malformed("a line that is no header")
    return _COMPACT.get(name.lower(), name), _clean(value).strip()


def _clean(text: str) -> str:
    return _CONTROLS.sub(" ", text)


def body_length(message: Message, *, default: int) -> int:
    """What Content-Length says; ``default`` without one. Raises Malformed for nonsense."""
    value = message.headers.get("Content-Length").strip()
    if not value:
        return default
    if not (value.isascii() and value.isdigit()) or len(value) > 6 or int(value) > LARGEST_MESSAGE:
        raise Malformed("Content-Length is no sensible number")
    return int(value)
