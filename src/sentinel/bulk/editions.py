"""Mails by the million that say exactly what a single one says: compile once, fill per recipient.

A *specimen* is composed by the same code as any single mail, with unmistakable marks where its values
stand. :func:`compile_template` has the real builder set it, cuts the bytes at the marks and keeps what
lies between them, quoted-printable and with CRLF. :class:`Filler` puts in what a whole edition shares
once, and each recipient's values in tens of microseconds.

What makes it safe: every value is encoded by itself, with a soft line break on both sides, so it cannot
disturb its neighbours; values that go into headers and links are printable ASCII or refused; no line
begins with a dot, hence the same bytes are right for DATA and for a signature. And :func:`verify` reads a
filled mail back through the standard parser and compares it with the composed one, part by part.

Compiled form: NUL-separated pieces; the format's name, then literals and slots in turn. A slot is
"kind:name". Kinds: ``r`` raw printable ASCII (headers, tokens), ``t`` text, ``h`` text inside HTML.

Pure: the sender's process fills without Django.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from functools import lru_cache
from html import escape
from operator import itemgetter

from sentinel.bulk.errors import EditionDiffers, EditionError
from sentinel.kernel.links import Pen, Purpose
from sentinel.ui.mime import build, date_of, one_line

_FORMAT = b"sentinel-template-1"
_KIND = "check_in.question"
LONGEST_LINE = 76
_LONGEST_HEADER = 998
_CRLF = "\r\n"
_SOFT = "=\r\n"

#: What differs from mail to mail.
PER_RECIPIENT = frozenset({"to", "date", "reply", "answer", "preferences", "unsubscribe", "name"})
#: What a template must offer a place for, or the mail could not be answered, sent or left.
_NEEDED = ("r:from", "r:to", "r:date", "r:reply", "r:answer", "r:preferences", "r:unsubscribe", "t:name")
#: What the links and addresses of a mail are for, in the order in which :func:`values_for` names them.
_PURPOSES = (
    Purpose.ANSWER,
    Purpose.PREFERENCES,
    Purpose.UNSUBSCRIBE,
    Purpose.REPLY_TO_DELIVERY,
    Purpose.BOUNCE_OF_DELIVERY,
)
#: Marks that the builder gets for what must be an address or an instant.
_TO, _FROM = "zqxtoxqz@zqx.invalid", "zqxfromxqz@zqxdomainxqz.invalid"
_DOMAIN = _FROM.partition("@")[2]
_AT = datetime.fromisoformat("2001-01-01T01:01:01+00:00")
_TEXT, _HTML = "zqxtextbodyxqz", "zqxhtmlbodyxqz"
#: Words that stand in headers too, there under another name, because a header needs them differently.
_SHARED_IN_HEADERS = {"provider": "list_name", "reply_to": "reply_to"}
_WHOLE_HEADERS = {"From": "from", "To": "to", "Date": "date"}

_QP = [chr(byte) if 32 <= byte <= 126 and byte != 61 else f"={byte:02X}" for byte in range(256)]
_FROM_ATOMS = list("From ")
#: The same for :meth:`str.translate`, byte for byte of a text read as Latin-1.
_SPELT = dict(enumerate(_QP))


# -- filling ---------------------------------------------------------------------------------------


class Filler:
    """One edition's mail, ready but for the recipient. Keep one per edition; not for several threads at once.

    ``shared``: plain words for every slot that is not per recipient (:data:`PER_RECIPIENT`).
    Raises :class:`EditionError` when the template is damaged or a value is missing.
    """

    def __init__(self, compiled: bytes, shared: Mapping[str, str]) -> None:
        pieces = _pieces(compiled)
        literals, slots = [pieces[0]], []
        for spec, literal in zip(pieces[1::2], pieces[2::2], strict=True):
            name = spec[2:]
            if name in PER_RECIPIENT:
                slots.append(spec)
                literals.append(literal)
            elif name in shared:
                literals[-1] += _encoded(spec[0], shared[name]) + literal
            else:
                raise EditionError(f"the edition has no value for {name!r}")
        self._specs = tuple(dict.fromkeys(slots))
        self._raw = tuple(spec[2:] for spec in self._specs if spec[0] == "r")
        self._soft = tuple((spec[0], spec[2:], spec) for spec in self._specs if spec[0] != "r")
        # Literals with gaps between them. Joining is several times faster than formatting 14 kB, which
        # looks at every character.
        self._pieces: list[bytes] = [b""] * (2 * len(literals) - 1)
        self._pieces[::2] = [literal.encode("ascii") for literal in literals]
        self._in_order = itemgetter(*slots)
        self._of_raw = itemgetter(*self._raw)
        self._raw_specs = tuple(f"r:{name}" for name in self._raw)

    def fill(self, values: Mapping[str, str]) -> bytes:
        """The finished mail: CRLF lines, ending with one; no line begins with a dot, so it needs no stuffing.

        ``values`` as :func:`values_for` makes them. Equal values give equal bytes. Raises
        :class:`EditionError` for a value that has no place in a header.
        """
        raw = self._of_raw(values)
        if not _is_raw("".join(raw)):
            raise EditionError("a header or link value is not plain ASCII on one line")
        encoded = dict(zip(self._raw_specs, map(str.encode, raw), strict=True))
        for kind, name, spec in self._soft:
            encoded[spec] = _encoded(kind, values[name]).encode("ascii")
        pieces = self._pieces.copy()
        pieces[1::2] = self._in_order(encoded)
        return b"".join(pieces)


def values_for(
    *,
    delivery_id: int,
    check_in_id: int,
    worker_id: int,
    name: str,
    address: str,
    issued_at: datetime,
    secret: bytes,
) -> dict[str, str]:
    """A recipient's values for :meth:`Filler.fill`, and ``bounce`` for the envelope; links are signed here.

    ``secret``: the newest secret of the installation. ``issued_at`` (UTC) is the mail's Date and the day of
    issue of its links, so that a repeat is the same mail. ``address`` is ASCII (:func:`can_carry`).
    """
    answer, preferences, unsubscribe, reply, bounce = _pens(secret, issued_at.date())
    return {
        "name": name if name.isprintable() else one_line(name),
        "to": address,
        "date": _date(issued_at),
        "answer": answer.sign(check_in_id),
        "preferences": preferences.sign(worker_id),
        "unsubscribe": unsubscribe.sign(worker_id),
        "reply": reply.sign(delivery_id),
        "bounce": bounce.sign(delivery_id),
    }


@lru_cache(maxsize=16)
def _pens(secret: bytes, day: date) -> tuple[Pen, ...]:
    return tuple(Pen(purpose, secret=secret, issued_on=day) for purpose in _PURPOSES)


def envelope_sender(values: Mapping[str, str], *, sender: str, inbound_domain: str) -> str:
    """Where mail servers report to: an address of this delivery's own, else the From address."""
    if not inbound_domain:
        return sender
    return f"{Purpose.BOUNCE_OF_DELIVERY.value}-{values['bounce']}@{inbound_domain}"


def identity_of(reply_token: str) -> str:
    """What a delivery's Message-ID says before the sender's domain: its own reply address's local part."""
    return f"{Purpose.REPLY_TO_DELIVERY.value}-{reply_token}"


def can_carry(address: str) -> bool:
    """Whether an address can go through templates: plain ASCII, as nearly all are. Others go one by one."""
    return _is_raw(address) and " " not in address and 2 < len(address) <= 254 and "@" in address


# -- compiling -------------------------------------------------------------------------------------


def specimen_sender() -> str:
    """The From address that a specimen is composed with."""
    return _FROM


def compile_template(payload: Mapping[str, object], marks: Mapping[str, str]) -> bytes:
    """Cut a specimen into a template.

    ``payload`` as the builder takes it, composed with :func:`specimen_sender`; ``marks``: slot name → the
    words that stand for its value, which mean themselves in HTML. ``reply`` is among them.
    Raises :class:`EditionError` when a needed value is not where it must be.
    """
    skeleton = build(
        {**payload, "text": _TEXT, "html": _HTML},
        to=_TO,
        identity=identity_of(marks["reply"]),
        at=_AT,
        kind=_KIND,
    ).content.decode("ascii")
    head, after_head = _split(skeleton, _TEXT)
    between, foot = _split(after_head, _HTML)
    tokens = {mark: name for name, mark in marks.items() if name in PER_RECIPIENT and name != "name"}
    words = {mark: name for name, mark in marks.items() if mark not in tokens}
    in_header = {**tokens, _DOMAIN: "sender_domain"}
    in_header |= {marks[name]: slot for name, slot in _SHARED_IN_HEADERS.items() if name in marks}
    pieces = _join(
        _cut_headers(head, in_header),
        _cut_body(str(payload["text"]), tokens, words, "t"),
        _cut_raw(between, in_header),
        _cut_body(str(payload["html"]), tokens, words, "h"),
        _cut_raw(foot, in_header),
    )
    missing = [spec for spec in _NEEDED if spec not in pieces[1::2]]
    if missing:
        raise EditionError(f"the specimen has no place for {', '.join(missing)}")
    return b"\0".join((_FORMAT, *(piece.encode("ascii") for piece in pieces)))


def _split(skeleton: str, mark: str) -> tuple[str, str]:
    before, found, after = skeleton.partition(mark)
    if not found or mark in after:
        raise EditionError(f"the specimen holds {mark!r} not exactly once")
    return before, after


def _cut_headers(head: str, marks: Mapping[str, str]) -> list[str]:
    for header, name in _WHOLE_HEADERS.items():
        head, count = re.subn(rf"(?m)^{header}: .*(?:\r\n[ \t].*)*\r$", f"{header}: \0r:{name}\0\r", head)
        if count != 1:
            raise EditionError(f"the specimen has {count} headers {header}")
    pieces: list[str] = []
    for index, piece in enumerate(head.split("\0")):
        pieces = _join(pieces, ["", piece, ""] if index % 2 else _cut_raw(piece, marks))
    return pieces


def _cut_raw(text: str, marks: Mapping[str, str]) -> list[str]:
    return [f"r:{marks[piece]}" if index % 2 else piece for index, piece in enumerate(_cut(text, marks))]


def _cut_body(text: str, tokens: Mapping[str, str], words: Mapping[str, str], kind: str) -> list[str]:
    parts = _cut(text.replace(_CRLF, "\n").removesuffix("\n"), {**tokens, **words})
    pieces: list[str] = []
    last = len(parts) - 1
    for index, part in enumerate(parts):
        if index % 2 and part in tokens:
            pieces.append(f"r:{tokens[part]}")
        elif index % 2:
            pieces.append(f"{kind}:{words[part]}")
        else:
            # A raw slot brings no soft break of its own.
            lead = _SOFT if index and parts[index - 1] in tokens else ""
            pieces.append(lead + _set(part, before_slot=index != last))
    return pieces


def _cut(text: str, marks: Mapping[str, str]) -> list[str]:
    """Literals and marks in turn; of two marks at one place the longer wins."""
    if not marks:
        return [text]
    longest_first = sorted(marks, key=len, reverse=True)
    return re.split("(" + "|".join(map(re.escape, longest_first)) + ")", text)


def _join(*runs: list[str]) -> list[str]:
    """Runs of literals and slots in turn, one after the other; neighbouring literals become one."""
    joined = [""]
    for run in runs:
        if run:
            joined[-1] += run[0]
            joined.extend(run[1:])
    return joined


def _set(text: str, *, before_slot: bool) -> str:
    """Literal text, quoted-printable, beginning at the start of a line and, before a slot, ending there."""
    *lines, last = text.split("\n")
    done = "".join(_wrapped(_atoms(line, at_end=True)) + _CRLF for line in lines)
    if not before_slot:
        return done + _wrapped(_atoms(last, at_end=True))
    return done + (_wrapped(_atoms(last)) + _SOFT if last else "")


# -- encoding --------------------------------------------------------------------------------------


def _is_raw(value: str) -> bool:
    return value.isascii() and value.isprintable()


def _encoded(kind: str, value: str) -> str:
    """A value in the place of a slot. Text values are whole soft-broken lines; empty ones are nothing."""
    if kind == "r":
        if not _is_raw(value.replace("\r\n ", "")):  # a folded header, see sentinel.ui.mime.from_header
            raise EditionError("a header value is not plain ASCII")
        return value
    if kind == "h":
        value = escape(value)
    if (
        value.isascii()
        and "=" not in value
        and value.isprintable()
        and 0 < len(value) < LONGEST_LINE
        and not value.startswith((".", "From "))
    ):
        return value + _SOFT
    if not value:
        return ""
    value = value.replace("\n", _CRLF)
    if len(value) < LONGEST_LINE // 2 and not value.startswith((".", "From ")):
        # Names with accents are the rule: those that stay on one line need no atoms.
        spelt = value.encode().decode("latin-1").translate(_SPELT)
        if len(spelt) < LONGEST_LINE:
            return spelt + _SOFT
    return _wrapped(_atoms(value)) + _SOFT


def _atoms(text: str, *, at_end: bool = False) -> list[str]:
    atoms = [_QP[byte] for byte in text.encode()]
    if at_end and atoms and atoms[-1] == " ":
        atoms[-1] = "=20"  # blanks before a line break get lost on the way
    return atoms


def _wrapped(atoms: list[str]) -> str:
    """Atoms as lines of at most 76 columns with soft breaks between; none begins with a dot or "From "."""
    lines, line = [], ""
    for index, atom in enumerate(atoms):
        # Room for the "=" of the soft break.
        if len(line) + len(atom) >= LONGEST_LINE:
            lines.append(line)
            line = ""
        if not line and (atom == "." or atoms[index : index + 5] == _FROM_ATOMS):
            atom = f"={ord(atom):02X}"  # a single dot ends a mail, and some servers write ">" before "From "
        line += atom
    return _SOFT.join((*lines, line))


@lru_cache(maxsize=64)
def _date(at: datetime) -> str:
    return date_of(at)


def _pieces(compiled: bytes) -> list[str]:
    version, *pieces = bytes(compiled).split(b"\0")
    if version != _FORMAT or len(pieces) % 2 == 0:
        raise EditionError("this is no template of ours")
    return [piece.decode("ascii") for piece in pieces]


# -- reading back ----------------------------------------------------------------------------------


def compose(payload: Mapping[str, object], values: Mapping[str, str], issued_at: datetime) -> bytes:
    """The same mail by the builder of single mails; ``payload`` names the recipient and their links."""
    return build(
        payload, to=values["to"], identity=identity_of(values["reply"]), at=issued_at, kind=_KIND
    ).content


def verify(compiled: bytes, *, shared: Mapping[str, str], values: Mapping[str, str], composed: bytes) -> None:
    """Fill, read back through the standard parser, and compare with the composed mail part by part.

    Raises :class:`EditionDiffers` and says where.
    """
    filled = Filler(compiled, shared).fill(values)
    flaws = [*_flaws(filled), *_differences(_parse(filled), _parse(composed))]
    if flaws:
        raise EditionDiffers("; ".join(flaws[:5]))


def _parse(content: bytes) -> EmailMessage:
    return message_from_bytes(content, _class=EmailMessage, policy=default_policy)


def _flaws(content: bytes) -> Iterator[str]:
    lines = content.split(b"\r\n")
    if not content.isascii() or not content.endswith(b"\r\n"):
        yield "it is not 7 bit, or does not end with a line break"
    if any(b"\r" in line or b"\n" in line or b"\0" in line for line in lines):
        yield "a line break is torn"
    if any(line.startswith(b".") for line in lines):
        yield "a line begins with a dot"
    end_of_head = lines.index(b"")
    if max(map(len, lines[:end_of_head])) > _LONGEST_HEADER:
        yield "a header is too long"
    if any(len(line) > LONGEST_LINE for line in lines[end_of_head:] if not line.startswith(b"Content-")):
        yield "a line of a body is too long"


def _differences(filled: EmailMessage, composed: EmailMessage) -> Iterator[str]:
    ours, theirs = list(filled.walk()), list(composed.walk())
    if [part.get_content_type() for part in ours] != [part.get_content_type() for part in theirs]:
        yield "the parts differ"
        return
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
        headers = [[(name, str(value)) for name, value in part.items()] for part in (one, other)]
        if headers[0] != headers[1]:
            wrong = [name for name, _ in set(headers[0]) ^ set(headers[1])]
            yield f"headers of part {number} differ: {', '.join(sorted(set(wrong))) or 'their order'}"
        if one.defects or any(getattr(value, "defects", ()) for value in one.values()):
            yield f"part {number} has defects"
        if not one.is_multipart() and one.get_content() != other.get_content():
            yield f"the words of part {number} differ"
