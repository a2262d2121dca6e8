"""What a mail provider reports in its own words, written as the mail that a mail system would have sent.

Bounces and complaints then go through the same door and are read by the same reader, whichever way they
come. Pure; the same event is the same bytes, so that an event told twice is one mail.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from enum import StrEnum

_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
#: The Message-IDs we give: of single mails, and of check-ins.
_OUR_MESSAGE_ID = re.compile(r"(?:[0-9a-f]{32}\.sentinel|rd-[a-z2-7]{44})@[a-z0-9.-]+", re.IGNORECASE)
_BREAKS = re.compile(r"[\x00-\x1f\x7f]+")
_LONGEST_VALUE = 900
_DEEPEST = 12


class What(StrEnum):
    """What became of the mail."""

    FAILED = "failed"
    DELAYED = "delayed"
    COMPLAINT = "complaint"


@dataclass(frozen=True, kw_only=True)
class ProviderEvent:
    """One report of a provider about one recipient.

    ``identity`` is the provider's name for the event. ``details`` is what the receiving mail system said,
    ``description`` what the provider says. ``hint`` is a status code to use when neither names one.
    ``original_id`` is the Message-ID of the mail it is about, without <>, empty when it is not told.
    """

    provider: str
    identity: str
    what: What
    recipient: str
    at: datetime | None
    details: str
    description: str
    hint: str
    original_id: str


def as_mail(event: ProviderEvent, *, to: str) -> bytes:
    """A delivery report (RFC 3464) or a complaint (RFC 5965) to the address ``to``."""
    is_complaint = event.what is What.COMPLAINT
    name = hashlib.sha256(
        "|".join((event.provider, event.identity, event.what, event.recipient)).encode("utf-8", "replace")
    ).hexdigest()[:32]
    kind = "feedback-report" if is_complaint else "delivery-status"
    boundary = f"=_{name}"
    domain = to.rpartition("@")[2]
    head = [
        f"From: {_line(event.provider)} <mailer-daemon@{domain}>",
        f"To: {_line(to)}",
        f"Subject: {'Complaint' if is_complaint else 'Delivery report'} of {_line(event.provider)}",
        *([f"Date: {format_datetime(event.at)}"] if event.at else []),
        f"Message-ID: <{name}.event@{domain}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={kind}; boundary="{boundary}"',
    ]
    parts = [
        ["Content-Type: text/plain; charset=us-ascii", "", *_words(event)],
        [f"Content-Type: message/{kind}", "", *(_complaint(event) if is_complaint else _report(event))],
        ["Content-Type: text/rfc822-headers", "", *_original(event)],
    ]
    lines = [*head, ""]
    for part in parts:
        lines += [f"--{boundary}", *part, ""]
    return "\r\n".join([*lines, f"--{boundary}--", ""]).encode("ascii", "backslashreplace")


def _words(event: ProviderEvent) -> list[str]:
    said = {
        What.FAILED: "could not deliver a mail to",
        What.DELAYED: "could not yet deliver a mail to",
        What.COMPLAINT: "tells of a complaint about a mail to",
    }[event.what]
    reasons = [_line(text) for text in (event.description, event.details) if text]
    return [f"{_line(event.provider)} {said} {_line(event.recipient) or 'somebody'}.", "", *reasons]


def _report(event: ProviderEvent) -> list[str]:
    diagnostic = "; ".join(_line(text) for text in (event.details, event.description) if text)
    return [
        f"Reporting-MTA: dns; {_line(event.provider).lower().replace(' ', '-')}",
        "",
        f"Final-Recipient: rfc822; {_line(event.recipient)}",
        f"Action: {event.what.value}",
        f"Status: {status_of(event)}",
        *([f"Diagnostic-Code: smtp; {diagnostic[:_LONGEST_VALUE]}"] if diagnostic else []),
    ]


def _complaint(event: ProviderEvent) -> list[str]:
    return [
        "Feedback-Type: abuse",
        f"User-Agent: {_line(event.provider)}",
        "Version: 1",
        f"Original-Rcpt-To: {_line(event.recipient)}",
    ]


def _original(event: ProviderEvent) -> list[str]:
    return [
        *([f"Message-ID: <{_line(event.original_id)}>"] if event.original_id else []),
        f"To: {_line(event.recipient)}",
    ]


def status_of(event: ProviderEvent) -> str:
    """The enhanced status code: the receiving system's, else the provider's, else the hint."""
    wanted = "4" if event.what is What.DELAYED else "45"
    for text in (event.details, event.description):
        for status in _STATUS.findall(text):
            if status[0] in wanted:
                return str(status)
    return "4.0.0" if event.what is What.DELAYED else event.hint or "5.0.0"


def strings_in(value: object, depth: int = 0) -> Iterator[str]:
    """Every text anywhere in a provider's event, whatever its shape."""
    if depth > _DEEPEST:
        return
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from strings_in(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from strings_in(inner, depth + 1)


def our_message_id(texts: list[str]) -> str:
    """The first Message-ID of ours in any of the texts; empty when none is named."""
    return next((found[0] for text in texts if (found := _OUR_MESSAGE_ID.search(text))), "")


def _line(text: str) -> str:
    return _BREAKS.sub(" ", text).strip()[:_LONGEST_VALUE]
