"""The parts of a mail, found within limits whatever the mail claims: nothing here recurses or copies.

A part is a range of the raw bytes. What lies beyond a limit stays in the raw mail, which is always kept.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from sentinel.inbound.reading.charsets import decode
from sentinel.inbound.reading.headers import Headers, decode_words, lenient_base64, one_line, parse_headers
from sentinel.inbound.reading.shapes import DEPTH, PARTS, RAW_BYTES, TEXT_BYTES, Notes

_HEADER_BYTES = 300_000
#: Candidates for a boundary looked at in one mail; a real mail has two per part.
_BOUNDARY_HITS = 50_000
_TYPE = re.compile(r"[\w.+!#$&^-]{1,80}/[\w.+!#$&^-]{1,120}")
_PARAMETER = re.compile(
    r"""([\w!#$&+.^`|~*-]{1,80})[ \t]{0,9}=[ \t]{0,9}("(?:[^"\\]|\\.){0,2000}"?|[^;]{0,2000})"""
)


@dataclass(slots=True)
class Piece:
    """One part: its headers and the range of its body in the raw mail."""

    raw: bytes
    headers: Headers
    start: int
    end: int
    depth: int = 0
    children: list[Piece] = field(default_factory=list)
    content_type: str = "text/plain"
    parameters: dict[str, str] = field(default_factory=dict)
    disposition: str = ""
    file_name: str = ""

    @property
    def main_type(self) -> str:
        return self.content_type.split("/")[0]

    def body(self, limit: int | None = None) -> bytes:
        """The decoded body; at most about ``limit`` bytes of it."""
        encoding = self.headers.raw("content-transfer-encoding").lower().strip("\"' ")
        stop = self.end if limit is None else min(self.end, self.start + 3 * limit + 10_000)
        data = _decoded(self.raw[self.start : stop], encoding)
        return data if limit is None else data[:limit]

    def text(self, limit: int, notes: Notes) -> str:
        """The decoded body as text, at most ``limit`` bytes of it."""
        data = self.body(limit + 1)
        if len(data) > limit:
            notes.cut_short("the text is longer than what is read of a mail")
            data = data[:limit]
        text, was_true = decode(data, self.parameters.get("charset", ""))
        if not was_true:
            notes.add(f"the charset is not what the mail says: {self.parameters.get('charset', '')[:40]}")
        return text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")


def _decoded(data: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        return lenient_base64(data)
    if encoding == "quoted-printable":
        return binascii.a2b_qp(data)
    if encoding in ("x-uuencode", "uuencode", "x-uue", "uue"):
        return _uudecoded(data)
    return data


def _uudecoded(data: bytes) -> bytes:
    out = bytearray()
    for line in data.splitlines():
        if line.startswith((b"begin ", b"end")) or not line:
            continue
        try:
            out += binascii.a2b_uu(line)
        except binascii.Error:
            continue
    return bytes(out)


def parse(raw: bytes, notes: Notes) -> Piece:
    """The tree of a mail's parts; never deeper or wider than the limits."""
    if len(raw) > RAW_BYTES:
        notes.cut_short("the mail is larger than 30 MB")
        raw = raw[:RAW_BYTES]
    if b"\n" not in raw and b"\r" in raw:
        raw = raw.replace(b"\r", b"\n")
    start = len(raw) - len(raw[:1000].lstrip(b"\r\n") + raw[1000:])
    root = _piece(raw, start, len(raw), 0, notes)
    waiting, count, hits = [root], 1, 0
    while waiting:
        piece = waiting.pop(0)
        ranges, seen = _split(piece, _BOUNDARY_HITS - hits, notes)
        hits += seen
        for begin, end in ranges:
            if count >= PARTS:
                notes.cut_short("the mail has more than 200 parts")
                return root
            child = _piece(raw, begin, end, piece.depth + 1, notes)
            piece.children.append(child)
            count += 1
            if child.depth < DEPTH:
                waiting.append(child)
            elif child.main_type == "multipart":
                notes.cut_short("the parts are nested deeper than 20")
    return root


def _piece(raw: bytes, start: int, end: int, depth: int, notes: Notes) -> Piece:
    block = raw[start : min(end, start + _HEADER_BYTES)]
    headers, offset, cut = parse_headers(block)
    begin = start + offset
    if cut or (offset >= _HEADER_BYTES and begin < end):
        notes.cut_short("the headers are longer than what is read of a mail")
        begin = _after_headers(raw, begin, end)
    piece = Piece(raw=raw, headers=headers, start=begin, end=end, depth=depth)
    _describe(piece)
    return piece


def _after_headers(raw: bytes, start: int, end: int) -> int:
    found = [place + len(gap) for gap in (b"\n\n", b"\n\r\n") if (place := raw.find(gap, start, end)) >= 0]
    return min(found, default=end)


def _describe(piece: Piece) -> None:
    value = piece.headers.raw("content-type")
    match = _TYPE.match(value.strip())
    piece.content_type = match[0].lower() if match else "text/plain"
    piece.parameters = _parameters(value)
    disposition = piece.headers.raw("content-disposition")
    piece.disposition = disposition.split(";")[0].strip().lower()[:40]
    name = _parameters(disposition).get("filename") or piece.parameters.get("name", "")
    piece.file_name = one_line(decode_words(name))[:500]


def _parameters(value: str) -> dict[str, str]:
    """The parameters after the first ``;``, RFC 2231 pieces put together."""
    _, _, rest = value[:8_000].partition(";")
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for match in _PARAMETER.finditer(rest):
        name, content = match[1].lower(), _unquoted(match[2])
        base, star, order = name.partition("*")
        if not star:
            plain.setdefault(base, content)
        else:
            number = order.rstrip("*")
            slot = int(number) if number.isascii() and number.isdigit() and len(number) < 4 else 0
            pieces.setdefault(base, {})[slot] = (content, name.endswith("*"))
    for base, found in pieces.items():
        plain[base] = _joined([found[slot] for slot in sorted(found)])
    return plain


def _unquoted(value: str) -> str:
    value = value.strip()
    if value.startswith('"'):
        return re.sub(r"\\(.)", r"\1", value[1:-1] if value.endswith('"') and len(value) > 1 else value[1:])
    return value


def _joined(found: list[tuple[str, bool]]) -> str:
    charset, out = "", bytearray()
    for index, (content, is_encoded) in enumerate(found):
        text = content
        if is_encoded and index == 0 and text.count("'") >= 2:
            charset, _, text = text.split("'", 2)
        raw = text.encode("utf-8", "replace")
        out += _percent_decoded(raw) if is_encoded else raw
    return decode(bytes(out), charset)[0]


def _percent_decoded(raw: bytes) -> bytes:
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), raw)


def _split(piece: Piece, budget: int, notes: Notes) -> tuple[list[tuple[int, int]], int]:
    """Where the parts of a multipart lie, and how many candidates were looked at."""
    if piece.main_type != "multipart":
        return [], 0
    boundary = piece.parameters.get("boundary", "").rstrip()
    if not boundary or len(boundary) > 250:
        notes.add("a multipart without a usable boundary")
        piece.content_type = "text/plain"
        return [], 0
    marks, seen, closed = _marks(piece, b"--" + boundary.encode("utf-8", "replace"), budget)
    if seen >= budget:
        notes.cut_short("too many boundaries")
    if not marks:
        notes.add("a multipart whose boundary never comes")
        piece.content_type = "text/plain"
        return [], seen
    if not closed:
        notes.add("a multipart that does not end")
    ends = [begin for begin, _ in marks[1:]] + [piece.end]
    ranges = [(after, max(after, end)) for (_, after), end in zip(marks, ends, strict=True)]
    return (ranges[:-1] if closed else ranges), seen


def _marks(piece: Piece, mark: bytes, budget: int) -> tuple[list[tuple[int, int]], int, bool]:
    """(where the line break before a boundary line begins, where the next line begins), and if it closed."""
    raw, position, seen = piece.raw, piece.start, 0
    found: list[tuple[int, int]] = []
    while seen < budget and len(found) <= PARTS + 1:
        place = raw.find(mark, position, piece.end)
        if place < 0:
            break
        seen += 1
        position = place + len(mark)
        if place > piece.start and raw[place - 1] not in b"\r\n":
            continue
        end_of_line = raw.find(b"\n", position, piece.end)
        after = piece.end if end_of_line < 0 else end_of_line + 1
        tail = raw[position : min(after, position + 200)].strip()
        if tail not in (b"", b"--"):
            continue
        found.append((_before_break(raw, place), after))
        if tail == b"--":
            return found, seen, True
        position = after
    return found, seen, False


def _before_break(raw: bytes, place: int) -> int:
    if place and raw[place - 1] == 10:
        place -= 1
    return place - 1 if place and raw[place - 1] == 13 else place


@dataclass(slots=True)
class Body:
    """One stretch of readable text, in the forms it came in."""

    plain: Piece | None = None
    markup: Piece | None = None


def bodies(root: Piece) -> list[Body]:
    """The readable parts in reading order; the two forms of an alternative are one body."""
    found: list[Body] = []
    # Children go on top of the stack in reverse: reading order without recursion.
    stack: list[tuple[Piece, Body | None]] = [(root, None)]
    while stack:
        piece, alternative = stack.pop()
        if piece.main_type == "multipart":
            shared = alternative
            if piece.content_type == "multipart/alternative" and alternative is None:
                shared = Body()
                found.append(shared)
            stack.extend((child, shared) for child in reversed(_readable(piece)))
        elif is_body(piece, named_is_file=piece.depth > 0 and alternative is None):
            _place(piece, alternative, found)
    return [body for body in found if body.plain or body.markup]


def _readable(piece: Piece) -> list[Piece]:
    """The children that can hold what the writer says."""
    return piece.children[:1] if piece.content_type == "multipart/signed" else piece.children


def _place(piece: Piece, alternative: Body | None, found: list[Body]) -> None:
    is_markup = piece.content_type == "text/html"
    if alternative is None:
        found.append(Body(markup=piece) if is_markup else Body(plain=piece))
    elif is_markup and alternative.markup is None:
        alternative.markup = piece
    elif not is_markup and alternative.plain is None:
        alternative.plain = piece
    else:
        found.append(Body(markup=piece) if is_markup else Body(plain=piece))


def is_body(piece: Piece, *, named_is_file: bool) -> bool:
    """Text to read, rather than a file that happens to be text."""
    if piece.content_type not in ("text/plain", "text/html", "text/enriched"):
        return False
    return piece.disposition != "attachment" and not (piece.file_name and named_is_file)


def leaves(root: Piece) -> Iterator[Piece]:
    """Every part that has no parts, in reading order."""
    stack = [root]
    while stack:
        piece = stack.pop()
        if piece.children:
            stack.extend(reversed(piece.children))
        else:
            yield piece


def text_budget(spent: int) -> int:
    """How much text may still be decoded."""
    return max(0, TEXT_BYTES - spent)
