"""Which addresses are ours, and for which of them a mail came when no envelope says so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses

from django.conf import settings

from sentinel.kernel.clock import SystemClock
from sentinel.kernel.links import LinkExpired, LinkForged
from sentinel.ui.links import read_mailbox

#: Mailboxes that everybody who takes mail must have (RFC 5321, 4.5.1; RFC 2142).
FOR_A_PERSON = ("postmaster", "abuse")
#: Who the mail was for, as mail systems write it into the mail when they put it into a mailbox; the
#: nearest to the envelope first.
_FOR = ("X-Gm-Original-To", "Delivered-To", "Envelope-To", "X-Original-To", "To", "Cc")
#: What ours look like, wherever in a header they stand; the signature decides.
OURS = re.compile(r"[a-z]{1,2}-[a-z2-7]{44}@[a-z0-9.-]+", re.IGNORECASE)
_HEADERS_END = re.compile(rb"\r?\n\r?\n")
_LONGEST_HEADERS = 256 * 1024


def is_mailbox_of_ours(address: str) -> bool:
    """Whether we signed this address; an expired one counts, for somebody took the trouble to answer."""
    try:
        # The day does not matter then; and an event loop could not ask for the database's.
        read_mailbox(address, today=SystemClock().now().date())
    except LinkForged:
        return False
    except LinkExpired:
        return True
    return True


def is_taken(address: str) -> bool:
    """Whether mail to this address is taken at all."""
    local, _, domain = address.strip().strip("<>").lower().rpartition("@")
    if not local and domain == "postmaster":  # this one is known without a domain
        return True
    if local in FOR_A_PERSON and domain == settings.INBOUND_DOMAIN:
        return True
    return is_mailbox_of_ours(address)


def envelope_of(raw: bytes, *, otherwise: str) -> tuple[str, str]:
    """Sender and recipient of a mail that was fetched from a mailbox, by its headers. Never raises.

    The recipient is the first address of ours, else the first there is, else ``otherwise``; the sender
    is the Return-Path (empty for the reports of mail systems), else the From address.
    """
    headers = _headers(raw)
    values = [str(value) for name in _FOR for value in headers.get_all(name, [])]
    ours = (address for value in values for address in OURS.findall(value) if is_mailbox_of_ours(address))
    others = (address for value in values for address in _addresses(value))
    sender = str(headers.get("Return-Path", headers.get("From", "")))
    return next(_addresses(sender), ""), next(ours, "") or next(others, otherwise)


def _headers(raw: bytes) -> Message:
    found = _HEADERS_END.search(raw, 0, _LONGEST_HEADERS)
    return BytesHeaderParser().parsebytes(raw[: found.start() if found else _LONGEST_HEADERS])


def _addresses(value: str) -> Iterator[str]:
    return (address for _, address in getaddresses([value]) if "@" in address)
