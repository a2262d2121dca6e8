"""Builds a mail from a payload (see :meth:`sentinel.ui.mail.Mail.payload`); equal input, equal bytes.

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
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from typing import Any

#: Larger mails are clipped by some mail programs, with the answer buttons in the clipped part.
LARGEST = 20_000
_LONGEST_LINE = 998
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}")
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
    sender = address_of(one_line(payload["from_name"]), payload["from_address"])
    recipient = recipient_of(to)
    message_id = f"<{identity}@{sender.domain}>"
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender
    mail["To"] = recipient
    mail["Subject"] = one_line(payload["subject"])
    mail["Date"] = date_of(at)
    mail["Message-ID"] = message_id
    if payload.get("reply_to"):
        mail["Reply-To"] = address_of("", payload["reply_to"])
    mail["X-Sentinel-Kind"] = one_line(kind)
    for name, value in (payload.get("headers") or {}).items():
        _add(mail, name, value)
    mail.set_content(payload["text"], charset="utf-8", cte="quoted-printable")
    if payload.get("html"):
        mail.add_alternative(payload["html"], subtype="html", charset="utf-8", cte="quoted-printable")
        mail.set_boundary(f"=_{identity}")
    if payload.get("language"):
        mail["Content-Language"] = one_line(payload["language"])  # last: set_content() clears Content-*
    return Envelope(
        sender=sender.addr_spec,
        recipient=recipient.addr_spec,
        message_id=message_id,
        content=mail.as_bytes(),
    )


def date_of(at: datetime) -> str:
    """An instant as the value of a Date header, to the second."""
    return format_datetime(at.replace(microsecond=0))


def from_header(name: str, address: str) -> str:
    """A sender as the finished value of a From header: ASCII, encoded and folded where it must be."""
    header = _POLICY.header_factory("From", address_of(one_line(name), address))
    return str(header.fold(policy=_POLICY)).removeprefix("From:").strip()


def _add(mail: EmailMessage, name: str, value: str) -> None:
    if not _HEADER_NAME.fullmatch(name):
        raise CannotBeBuilt(f"{name!r} is not the name of a header")
    if name.lower() in _OURS:
        raise CannotBeBuilt(f"the header {name} is not the payload's to set")
    if name in mail:
        del mail[name]
    mail[name] = one_line(str(value))


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
    try:
        ascii_domain = domain if domain.isascii() else domain.encode("idna").decode("ascii")
        parsed = Address(display_name=name, addr_spec=f"{local}@{ascii_domain}")
    except (HeaderParseError, ValueError, IndexError) as error:
        raise CannotBeBuilt(f"{address!r} is not an e-mail address: {error}") from error
    if not parsed.username or not parsed.domain:
        raise CannotBeBuilt(f"{address!r} is not an e-mail address")
    return parsed
