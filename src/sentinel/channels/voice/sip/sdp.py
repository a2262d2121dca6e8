"""Session descriptions: passing one telephone's on to the other, and holding the line meanwhile.

The codecs, keys and addresses in a description are the telephones' own business and are passed on as they
are. What must fit each dialog are the number and order of the media (RFC 3264, section 8) and the origin
line, whose version grows with every description we send.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from sentinel.channels.voice.sip.message import Malformed

CONTENT_TYPE = "application/sdp"
MOST_MEDIA, LARGEST = 16, 16_384
_MEDIA = re.compile(r"m=(\w{1,20}) ([0-9]{1,5})(?:/[0-9]+)? ([\w/]{1,40}) (.{1,512})", re.ASCII)
_DIRECTIONS = ("a=sendrecv", "a=sendonly", "a=recvonly", "a=inactive")
#: What we offer when a telephone wants an offer before it rings: the codecs that every exchange has.
_PLAIN_AUDIO = (
    "m=audio 9 RTP/AVP 8 0 101",
    "a=rtpmap:8 PCMA/8000",
    "a=rtpmap:0 PCMU/8000",
    "a=rtpmap:101 telephone-event/8000",
    "a=fmtp:101 0-15",
)


@dataclass(frozen=True)
class Medium:
    """One ``m=`` line with the lines that belong to it."""

    kind: str
    port: int
    protocol: str
    formats: str
    lines: tuple[str, ...] = ()

    @property
    def is_on(self) -> bool:
        return self.port != 0

    def off(self) -> Medium:
        """The same medium, refused."""
        return Medium(self.kind, 0, self.protocol, self.formats)

    def silent(self) -> Medium:
        """The same medium, agreed on but led into a black hole (RFC 3725, section 5)."""
        kept = tuple(line for line in self.lines if line.startswith(("a=rtpmap:", "a=fmtp:")))
        return Medium(self.kind, 9, self.protocol, self.formats, (*kept, "a=inactive"))

    def written(self) -> list[str]:
        return [f"m={self.kind} {self.port} {self.protocol} {self.formats}", *self.lines]


@dataclass(frozen=True)
class Description:
    """A session description. ``session`` holds the session's lines that follow the origin and name."""

    origin: str
    session: tuple[str, ...]
    media: tuple[Medium, ...]

    @classmethod
    def parse(cls, body: bytes) -> Description:
        """Read a description; raises Malformed."""
        if len(body) > LARGEST:
            raise Malformed("a session description that long")
        lines = [line.rstrip("\r") for line in body.decode("utf-8", "replace").split("\n")]
        lines = [line for line in lines if line]
        if not lines or lines[0] != "v=0" or any(len(line) < 2 or line[1] != "=" for line in lines):
            raise Malformed("no session description")
        starts = [at for at, line in enumerate(lines) if line.startswith("m=")]
        if not starts or len(starts) > MOST_MEDIA:
            raise Malformed("a session description without media, or with too many")
        ends = [*starts[1:], len(lines)]
        media = tuple(_medium(lines[start:end]) for start, end in zip(starts, ends, strict=True))
        head = lines[1 : starts[0]]
        origin = next((line[2:] for line in head if line.startswith("o=")), "")
        kept = tuple(line for line in head if line[0] in "cbaki")
        return cls(origin, kept, media)

    def flattened(self) -> tuple[Medium, ...]:
        """The media, each with the connection and direction that the session gave all of them."""
        connection = next((line for line in self.session if line.startswith("c=")), None)
        direction = next((line for line in self.session if line in _DIRECTIONS), None)
        return tuple(_flat(medium, connection, direction) for medium in self.media)

    def awake(self) -> Description:
        """The same without directions: an answer to a silent offer says ``inactive``, but means no harm."""
        media = tuple(replace(m, lines=tuple(x for x in m.lines if x not in _DIRECTIONS)) for m in self.media)
        return replace(self, session=tuple(x for x in self.session if x not in _DIRECTIONS), media=media)

    def places(self) -> list[tuple[int, str]]:
        """Where each medium is received: port and connection line."""
        return [
            (m.port, next((line for line in m.lines if line.startswith("c=")), "")) for m in self.flattened()
        ]


def _medium(lines: list[str]) -> Medium:
    match = _MEDIA.fullmatch(lines[0])
    if match is None or int(match[2]) > 65_535:
        raise Malformed("a medium that cannot be read")
    return Medium(match[1].lower(), int(match[2]), match[3], match[4], tuple(lines[1:]))


def _flat(medium: Medium, connection: str | None, direction: str | None) -> Medium:
    lines = list(medium.lines)
    if direction and not any(line in _DIRECTIONS for line in lines):
        lines.append(direction)
    if connection and not any(line.startswith("c=") for line in lines):
        # RFC 4566 wants the connection before the attributes, after a title.
        lines.insert(1 if lines and lines[0].startswith("i=") else 0, connection)
    return Medium(medium.kind, medium.port, medium.protocol, medium.formats, tuple(lines))


@dataclass
class Voice:
    """Our side of the descriptions in one dialog: what has been agreed on, and the next version.

    ``slots`` are the media of the dialog, in its order: descriptions may add some, never drop one.
    """

    session_id: int
    address: str
    slots: list[str] = field(default_factory=list)
    version: int = 0
    last: bytes = b""

    def hears(self, theirs: Description) -> None:
        """Take note of the media in a description that this telephone has sent."""
        self.slots += [medium.kind for medium in theirs.media][len(self.slots) :]

    def hold_offer(self) -> bytes:
        """An offer that lets a telephone ring and hear nothing."""
        plain = Medium("audio", 9, "RTP/AVP", "8 0 101", (*_PLAIN_AUDIO[1:], "a=inactive"))
        return self._write((), [plain])

    def hold_answer(self, offer: Description) -> bytes:
        """Agree with the first sound that is offered, refuse the rest, and hear nothing."""
        self.hears(offer)
        chosen = next((m for m in offer.media if m.kind == "audio" and m.is_on), None)
        return self._write((), [m.silent() if m is chosen else m.off() for m in offer.media])

    def offer(self, other: Description) -> bytes:
        """The other telephone's description as an offer to this one: its media in this dialog's order."""
        waiting = list(other.flattened())
        media = []
        for kind in self.slots:
            found = next((m for m in waiting if m.kind == kind), None)
            if found is None:
                media.append(Medium(kind, 0, "RTP/AVP", "0"))
            else:
                waiting.remove(found)
                media.append(found)
        media += waiting
        self.slots = [medium.kind for medium in media]
        return self._write(other.session, media)

    def answer(self, other: Description, offered: Description) -> bytes:
        """The other telephone's answer as an answer to what this one has offered, medium by medium."""
        self.hears(offered)
        waiting = list(other.flattened())
        media = []
        for asked in offered.media:
            found = next((m for m in waiting if m.kind == asked.kind), None)
            if found is not None:
                waiting.remove(found)
            media.append(found if found is not None and asked.is_on else asked.off())
        return self._write(other.session, media)

    def _write(self, session: tuple[str, ...], media: list[Medium]) -> bytes:
        self.version += 1
        family = "IP6" if ":" in self.address else "IP4"
        # RFC 3725 gives IPv6 no black hole of its own; the discard prefix of RFC 6666 leads nowhere.
        nowhere = "c=IN IP6 100::" if family == "IP6" else "c=IN IP4 0.0.0.0"
        kept = [line for line in session if line not in _DIRECTIONS]
        if not any(line.startswith("c=") for line in kept):
            at = next((i for i, line in enumerate(kept) if line[0] in "bka"), len(kept))
            kept.insert(at, nowhere)
        lines = ["v=0", f"o=- {self.session_id} {self.version} IN {family} {self.address}", "s=-"]
        lines += [line for line in kept if line[0] in "icb"]
        lines.append("t=0 0")
        lines += [line for line in kept if line[0] in "ka"]
        for medium in media:
            lines += medium.written()
        self.last = ("\r\n".join(lines) + "\r\n").encode()
        return self.last


def body_of(content_type: str, body: bytes) -> Description | None:
    """The description a message carries; None when it carries none. Raises Malformed for a broken one."""
    if not body:
        return None
    if content_type.partition(";")[0].strip().lower() != CONTENT_TYPE:
        raise Malformed("a body that is no session description")
    return Description.parse(body)
