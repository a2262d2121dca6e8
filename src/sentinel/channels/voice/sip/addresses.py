"""Addresses inside SIP messages: URIs, name-addr with parameters, and Via."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from sentinel.channels.voice.sip.message import Malformed, is_token, split_list

DEFAULT_PORT = 5060
_HOST = r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9._-]{0,252}))"
_URI = re.compile(
    r"(?P<scheme>sips?):(?:(?P<user>[^@<>\s\"\x00-\x1f\x7f]{1,255})@)?"
    rf"(?P<host>{_HOST})(?::(?P<port>\d{{1,5}}))?(?P<params>(?:;[^;?<>\s\"\x00-\x1f\x7f]+)*)"
    r"(?:\?[^<>\s\"\x00-\x1f\x7f]*)?",
    re.IGNORECASE | re.ASCII,
)
_USER = re.compile(r"[A-Za-z0-9\-_.!~*'()&=+$,;?/%#]{1,128}")
_VIA = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*(?P<transport>[A-Za-z0-9]{1,16})\s+"
    rf"(?P<host>{_HOST})\s*(?::\s*(?P<port>\d{{1,5}}))?\s*(?P<params>;.*)?",
    re.IGNORECASE | re.DOTALL | re.ASCII,
)


def _params(text: str) -> dict[str, str]:
    """``;a=1;lr`` as a dictionary; names in lower case, for parameters are case-insensitive."""
    found: dict[str, str] = {}
    quoted = ""
    for raw in text.split(";"):
        # A semicolon inside quotes belongs to the value.
        part = f"{quoted};{raw}" if quoted else raw
        if part.count('"') % 2:
            quoted = part
            continue
        quoted = ""
        name, _, value = part.partition("=")
        if is_token(name.strip()):
            found.setdefault(name.strip().lower(), value.strip())
    return found


def _port(text: str | None) -> int | None:
    if text is None:
        return None
    if not 0 < int(text) < 65_536:
        raise Malformed("no such port")
    return int(text)


@dataclass(frozen=True)
class Uri:
    """A SIP URI, without the headers after a question mark: nobody else shall write headers of ours."""

    host: str
    user: str = ""
    port: int | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    scheme: str = "sip"

    @classmethod
    def parse(cls, text: str) -> Uri:
        """Read ``sip:user@host:port;params``; raises Malformed."""
        match = _URI.fullmatch(text.strip())
        if match is None:
            raise Malformed("no SIP address")
        return cls(
            host=match["host"].lower(),
            user=match["user"] or "",
            port=_port(match["port"]),
            params=_params(match["params"] or ""),
            scheme=match["scheme"].lower(),
        )

    @property
    def transport(self) -> str:
        """``udp``, ``tcp`` ... in lower case, for people write it either way; empty when not said."""
        return self.params.get("transport", "").lower()

    @property
    def address(self) -> tuple[str, int]:
        """Host (IPv6 without brackets) and port to send to."""
        return self.host.strip("[]"), self.port or DEFAULT_PORT

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}:{user}{self.host}{port}{_written(self.params)}"


def _written(params: Mapping[str, str]) -> str:
    return "".join(f";{name}={value}" if value else f";{name}" for name, value in params.items())


def user_part(text: str) -> str:
    """A text as the user part of a URI; raises Malformed for what would need escaping."""
    if _USER.fullmatch(text) is None:
        raise Malformed("not a name or number for a SIP address")
    return text


@dataclass(frozen=True)
class Address:
    """``"Anna" <sip:anna@example.com>;tag=1``."""

    uri: Uri
    display: str = ""
    params: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read From, To, Contact, Route; raises Malformed."""
        display, angle, rest = _before_angle(text)
        if angle:
            uri, closed, params = rest.partition(">")
            if not closed:
                raise Malformed("an address without its closing bracket")
            return cls(Uri.parse(uri), display, _params(params))
        # Without brackets, parameters belong to the header and not to the URI.
        uri, _, params = text.strip().partition(";")
        return cls(Uri.parse(uri), "", _params(params))

    def __str__(self) -> str:
        name = f"{quoted(self.display)} " if self.display else ""
        return f"{name}<{self.uri}>{_written(self.params)}"


def tag_of(text: str) -> str:
    """The tag of a From or To, whatever kind of address it holds; empty without one."""
    _, angle, rest = _before_angle(text)
    params = rest.partition(">")[2] if angle else text.partition(";")[2]
    return _params(params).get("tag", "")


def _before_angle(text: str) -> tuple[str, bool, str]:
    inside = escaped = False
    for position, letter in enumerate(text):
        if escaped:
            escaped = False
        elif inside:
            escaped, inside = letter == "\\", letter != '"'
        elif letter == '"':
            inside = True
        elif letter == "<":
            name = text[:position].strip()
            if name.startswith('"') and name.endswith('"') and len(name) > 1:
                name = re.sub(r"\\(.)", r"\1", name[1:-1])
            return name, True, text[position + 1 :]
    return "", False, ""


def one_line(text: str) -> str:
    """A text on one line, with nothing in it that could not be printed."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def quoted(text: str) -> str:
    """A quoted string that is one line whatever the text holds."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(frozen=True)
class Via:
    """One hop of the way back."""

    transport: str
    host: str
    port: int | None
    params: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Via:
        """Read one Via; raises Malformed."""
        match = _VIA.fullmatch(text.strip())
        if match is None:
            raise Malformed("no Via")
        return cls(
            match["transport"].upper(),
            match["host"].lower(),
            _port(match["port"]),
            _params(match["params"] or ""),
        )

    @property
    def branch(self) -> str:
        return self.params.get("branch", "")

    def __str__(self) -> str:
        port = f":{self.port}" if self.port else ""
        return f"SIP/2.0/{self.transport} {self.host}{port}{_written(self.params)}"


def first_via(value: str) -> Via:
    """The topmost Via of a header; raises Malformed."""
    parts = split_list(value)
    if not parts:
        raise Malformed("no Via")
    return Via.parse(parts[0])
