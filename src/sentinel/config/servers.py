"""The servers that settings name, and how their addresses are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic_core import PydanticCustomError

type_of_tls = {"smtp": "none", "smtp+starttls": "starttls", "smtps": "implicit"}
default_mail_ports = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
default_ear_ports = {"smtp": 25, "lmtp": 24}
default_imap_ports = {"imaps": 993, "imap": 143}


@dataclass(frozen=True)
class MailServer:
    """Where outgoing mail is handed over."""

    host: str
    port: int
    username: str = ""
    password: str = ""
    tls: str = "none"

    def __repr__(self) -> str:
        return f"MailServer({self.host}:{self.port}, tls={self.tls})"


@dataclass(frozen=True)
class BulkRelay:
    """A relay for check-ins and how hard it may be used.

    ``connections``: at most so many at once. ``per_second``: messages, 0 for no limit of ours.
    ``per_connection``: messages before a connection is renewed. ``weight``: its share of the work while
    several relays wait for some. ``mode``: how much is said before an
    answer is waited for; ``auto`` asks the server (full, pipe, lock).
    """

    server: MailServer
    connections: int = 20
    per_second: float = 0.0
    per_connection: int = 500
    weight: float = 1.0
    mode: Literal["auto", "full", "pipe", "lock"] = "auto"


@dataclass(frozen=True)
class Ear:
    """Where incoming mail is listened for."""

    protocol: Literal["smtp", "lmtp"]
    host: str
    port: int


@dataclass(frozen=True)
class Mailbox:
    """A mailbox that is fetched by IMAP; ``done_folder`` is where fetched mail is moved, empty leaves it."""

    host: str
    port: int
    username: str
    password: str
    encrypted: bool
    folder: str = "INBOX"
    done_folder: str = ""

    def __repr__(self) -> str:
        return f"Mailbox({self.username}@{self.host}:{self.port}/{self.folder})"


def wrong(message: str) -> PydanticCustomError:
    """An error about a setting, in plain words."""
    return PydanticCustomError("sentinel", message)


def long_token(value: str | None) -> str | None:
    """A token that nobody guesses and that fits into a header."""
    if value is not None and not re.fullmatch(r"[!-~]{16,}", value):
        raise wrong("must have at least 16 characters, without spaces")
    return value


def split_address(url: str, example: str) -> SplitResult:
    """The parts of an address; plain words when it is none."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # a port that is no number is only noticed when it is read
    except ValueError:
        raise wrong(f"is not a valid address; it looks like {example}") from None
    return parts


def server_of(parts: SplitResult) -> MailServer:
    """The mail server an address names."""
    return MailServer(
        host=parts.hostname or "",
        port=parts.port or default_mail_ports[parts.scheme],
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        tls=type_of_tls[parts.scheme],
    )


def mailbox_of(url: str) -> Mailbox:
    """The mailbox an address names."""
    parts = urlsplit(url)
    return Mailbox(
        host=parts.hostname or "",
        port=parts.port or default_imap_ports[parts.scheme],
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        encrypted=parts.scheme == "imaps",
        folder=unquote(parts.path.strip("/")) or "INBOX",
        done_folder=dict(parse_qsl(parts.query)).get("done", ""),
    )


_NUMBERS = "connections, per_second, per_connection, weight"


def relay_of(url: str) -> BulkRelay:
    """A relay from its address. Raises with plain words; the address may hold a secret and is not shown."""
    example = "smtp+starttls://user:password@mail.example.com?connections=20&per_second=100"
    parts = split_address(url, example)
    if parts.scheme not in type_of_tls or not parts.hostname:
        raise wrong(f"must hold addresses like {example}")
    options = dict(parse_qsl(parts.query))
    try:
        relay = BulkRelay(
            server=server_of(parts),
            connections=int(options.pop("connections", 20)),
            per_second=float(options.pop("per_second", 0)),
            per_connection=int(options.pop("per_connection", 500)),
            weight=float(options.pop("weight", 1)),
            mode=options.pop("mode", "auto"),  # type: ignore[arg-type]
        )
    except ValueError:
        raise wrong(f"has an option that is no number ({_NUMBERS})") from None
    if options:
        raise wrong(f"knows {_NUMBERS} and mode, but not {', '.join(options)}")
    if relay.mode not in ("auto", "full", "pipe", "lock"):
        raise wrong("must have mode=auto, full, pipe or lock")
    if not (1 <= relay.connections <= 500 and relay.per_second >= 0 and relay.per_connection >= 1):
        raise wrong("must have 1 to 500 connections, and no negative limit")
    if not 0 < relay.weight <= 1000:
        raise wrong("must have a weight between 0 and 1000")
    return relay
