"""Builds a mail from a payload (see :meth:`sentinel.ui.mail.Mail.payload`); equal input, equal bytes.

The bytes are those of the standard library's :class:`email.message.EmailMessage`, which the tests compare
them with; written directly they take a twentieth of the time.

The one builder: single mails are its output, and mails that leave in great numbers are cut from it
(:mod:`sentinel.bulk.editions`). Whether a mail says that nobody typed it (``Auto-Submitted``) is for the
payload's headers to say: a letter that a person wrote must not be taken for a machine's.

Pure: no Django.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.errors import HeaderParseError
from email.headerregistry import Address, HeaderRegistry
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

from sentinel.ui.quoted_printable import LONGEST_LINE, quoted

#: Larger mails are clipped by some mail programs, with the answer buttons in the clipped part.
LARGEST = 20_000
_LONGEST_LINE = 998
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}")
_IDENTITY = re.compile(r"[A-Za-z0-9._-]+")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
#: As nearly all addresses are; the standard library's parser takes its time for what others may be.
_PLAIN_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")
#: What the payload's own headers may not replace.
_OURS = frozenset(
    {
        "from", "to", "cc", "bcc", "sender", "subject", "date", "message-id", "reply-to", "return-path",
        "mime-version", "content-type", "content-transfer-encoding", "content-disposition",
    }
)  # fmt: skip


class CannotBeBuilt(ValueError):
    """The payload or the address can never become a mail; trying again is pointless."""


class BadAddress(CannotBeBuilt):
    """The recipient's address is none."""


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A finished mail: who sends it, to whom, and the bytes (CRLF lines, 7 bit)."""

    sender: str
    recipient: str
    message_id: str
    content: bytes

    @property
    def is_large(self) -> bool:
        return len(self.content) > LARGEST


class _Policy(EmailPolicy):
    """The standard policy, but plain headers stay on one line.

    The standard library breaks a long address in List-Unsubscribe into encoded words, which no
    mail program puts together again; lines up to 998 bytes are legal.
    """

    def fold_binary(self, name: str, value: str) -> bytes:
        line = f"{name}: {value}"
        if name.lower() not in ("from", "subject") and line.isascii() and len(line) <= _LONGEST_LINE:
            return line.encode("ascii") + b"\r\n"
        return super().fold_binary(name, value)


_POLICY = _Policy(linesep=SMTP.linesep, cte_type="7bit", raise_on_defect=False)
_LONGEST_SUBJECT = LONGEST_LINE + 2
#: Headers whose value the standard library reads and writes anew, other than ours.
_STRUCTURED = frozenset(HeaderRegistry().registry) - {"subject", "message-id"}
_PLAIN = b'Content-Type: text/plain; charset="utf-8"\r\n'
_HTML = b'Content-Type: text/html; charset="utf-8"\r\n'
_QUOTED = b"Content-Transfer-Encoding: quoted-printable\r\n"
_MIME = b"MIME-Version: 1.0\r\n"


def one_line(text: str) -> str:
    """The text without line breaks and control characters: nobody's words may add a header."""
    # Only plain blanks are joined: French and Japanese have blanks of their own that mean something.
    return " ".join(part for part in _CONTROL.sub(" ", text).split(" ") if part)


def build(payload: Mapping[str, Any], *, to: str, identity: str, at: datetime, kind: str) -> Envelope:
    """The mail of a payload. Raises :class:`CannotBeBuilt`; the same input gives the same bytes.

    ``identity``: what its Message-ID says before the sender's domain. ``at`` becomes its Date. ``kind`` is
    a dotted name of what it says, for mail filters and the mail room.
    """
    try:
        return _build(payload, to=to, identity=identity, at=at, kind=kind)
    except CannotBeBuilt:
        raise
    except (KeyError, TypeError, ValueError, HeaderParseError) as error:
        raise CannotBeBuilt(f"the mail cannot be built: {error!r}") from error


def _build(payload: Mapping[str, Any], *, to: str, identity: str, at: datetime, kind: str) -> Envelope:
    if not _IDENTITY.fullmatch(identity):
        raise CannotBeBuilt(f"{identity!r} cannot stand in a Message-ID")
    sender = address_of(one_line(payload["from_name"]), payload["from_address"])
    recipient = recipient_of(to)
    message_id = f"<{identity}@{sender.domain}>"
    lines = {
        "from": _address_line("From", sender.display_name, sender.addr_spec),
        "to": _address_line("To", "", recipient.addr_spec),
        "subject": _line("Subject", one_line(payload["subject"])),
        "date": b"Date: " + date_of(at).encode("ascii") + b"\r\n",
        "message-id": _line("Message-ID", message_id),
    }
    if payload.get("reply_to"):
        lines["reply-to"] = _address_line("Reply-To", "", address_of("", payload["reply_to"]).addr_spec)
    lines["x-sentinel-kind"] = _line("X-Sentinel-Kind", one_line(kind))
    for name, value in (payload.get("headers") or {}).items():
        _add(lines, name, value)
    return Envelope(
        sender=sender.addr_spec,
        recipient=recipient.addr_spec,
        message_id=message_id,
        content=b"".join([*lines.values(), *_body(payload, b"=_" + identity.encode("ascii"))]),
    )


def _body(payload: Mapping[str, Any], boundary: bytes) -> list[bytes]:
    """The last headers, the blank line, and the text alone or with its HTML form."""
    language = one_line(payload.get("language") or "")
    last = [_line("Content-Language", language)] if language else []
    text = [_PLAIN, _QUOTED]
    if not payload.get("html"):
        return [*text, _MIME, *last, b"\r\n", quoted(payload["text"])]
    between = b"\r\n--" + boundary
    kind = b'Content-Type: multipart/alternative; boundary="' + boundary + b'"\r\n'
    return [
        *(_MIME, kind, *last, between, b"\r\n"),
        *(*text, b"\r\n", quoted(payload["text"]), between, b"\r\n"),
        *(_HTML, _QUOTED, _MIME, b"\r\n", quoted(payload["html"]), between, b"--\r\n"),
    ]


def _line(name: str, value: str) -> bytes:
    """A header as it stands in the mail. What is neither ASCII nor plain is left to the standard library."""
    longest = _LONGEST_SUBJECT if name == "Subject" else _LONGEST_LINE
    plain = value.isascii() and value.isprintable() and "=?" not in value and value
    if plain and len(name) + 2 + len(value) <= longest and name.lower() not in _STRUCTURED:
        return f"{name}: {value}\r\n".encode("ascii")
    return _folded(name, value)


def _address_line(name: str, display_name: str, addr_spec: str) -> bytes:
    if not display_name and _PLAIN_ADDRESS.fullmatch(addr_spec):
        return f"{name}: {addr_spec}\r\n".encode("ascii")
    return _folded_address(name, display_name, addr_spec)


@lru_cache(maxsize=1024)
def _folded(name: str, value: str) -> bytes:
    return _POLICY.fold_binary(name, _POLICY.header_factory(name, value))


@lru_cache(maxsize=1024)
def _folded_address(name: str, display_name: str, addr_spec: str) -> bytes:
    address = Address(display_name=display_name, addr_spec=addr_spec)
    return _POLICY.fold_binary(name, _POLICY.header_factory(name, address))


def date_of(at: datetime) -> str:
    """An instant as the value of a Date header, to the second."""
    return format_datetime(at.replace(microsecond=0))


def from_header(name: str, address: str) -> str:
    """A sender as the finished value of a From header: ASCII, encoded and folded where it must be."""
    header = _POLICY.header_factory("From", address_of(one_line(name), address))
    return str(header.fold(policy=_POLICY)).removeprefix("From:").strip()


def _add(lines: dict[str, bytes], name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise CannotBeBuilt(f"{name!r} is not the name of a header")
    if name.lower() in _OURS:
        raise CannotBeBuilt(f"the header {name} is not the payload's to set")
    lines.pop(name.lower(), None)
    if not name.lower().startswith("content-"):  # those are the body's
        lines[name.lower()] = _line(name, one_line(str(value)))


def recipient_of(address: str) -> Address:
    """A recipient's address. Raises :class:`BadAddress`."""
    try:
        return address_of("", address)
    except CannotBeBuilt as error:
        raise BadAddress(str(error)) from None


def address_of(name: str, address: str) -> Address:
    """An address whose domain is ASCII (IDNA); the local part stays as it is. Raises CannotBeBuilt."""
    if _CONTROL.search(address) or address.count("@") < 1:
        raise CannotBeBuilt(f"{address!r} is not an e-mail address")
    local, _, domain = address.strip().rpartition("@")
    if _PLAIN_ADDRESS.fullmatch(f"{local}@{domain}"):
        return Address(display_name=name, username=local, domain=domain)
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        parsed = Address(display_name=name, addr_spec=f"{local}@{ascii_domain}")
    except (HeaderParseError, ValueError, IndexError) as error:
        raise CannotBeBuilt(f"{address!r} is not an e-mail address: {error}") from error
    if not parsed.username or not parsed.domain:
        raise CannotBeBuilt(f"{address!r} is not an e-mail address")
    return parsed
