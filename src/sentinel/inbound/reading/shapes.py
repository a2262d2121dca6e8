"""What reading a mail yields, and the limits within which it is read. No Django anywhere below here."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

RAW_BYTES = 30_000_000
PARTS = 200
DEPTH = 20
TEXT_BYTES = 2_000_000
KEPT_PARTS = 25
KEPT_BYTES = 20_000_000


@dataclass(frozen=True, kw_only=True)
class Ours:
    """What is ours: by it we know our own text, our addresses, and mail that runs in circles.

    ``base_url``: e.g. ``https://sentinel.example.com``. ``inbound_domain``: e.g. ``in.sentinel.example``.
    ``senders``: the lower-case From addresses we send with. ``sent_text``: the text part of the mail
    that is being answered, when known; what it says is never the worker's own words.
    """

    base_url: str
    inbound_domain: str
    senders: frozenset[str]
    sent_text: str = ""


class Kind(StrEnum):
    """What came. Only HUMAN can be an answer."""

    HUMAN = "human"
    AUTO_REPLY = "auto_reply"
    OUT_OF_OFFICE = "out_of_office"
    DELIVERY_REPORT = "delivery_report"
    COMPLAINT = "complaint"
    LOOP = "loop"
    UNREADABLE = "unreadable"


class Grade(StrEnum):
    """What a delivery report means for the address.

    HARD: it does not exist. SOFT: not now (full, expired). BLOCK: they do not want our mail, the address
    may be fine. DELAY: they still try. IGNORE: nothing is wrong (relayed, delivered).
    """

    HARD = "hard"
    SOFT = "soft"
    BLOCK = "block"
    DELAY = "delay"
    IGNORE = "ignore"


@dataclass(frozen=True, kw_only=True)
class Report:
    """One recipient of a delivery report. ``status``: RFC 3463, e.g. ``5.1.1``; "" when none was given."""

    grade: Grade
    action: str
    status: str
    diagnostic: str
    recipient: str
    original_message_id: str


@dataclass(frozen=True, kw_only=True)
class Complaint:
    """Somebody pressed "this is spam" (ARF, RFC 5965)."""

    feedback_type: str
    recipient: str
    original_message_id: str


@dataclass(frozen=True, kw_only=True)
class Part:
    """An attachment. ``refused``: empty when ``content`` is kept, else why it is not.

    ``sniffed_type`` is what the bytes are; ``declared_type`` is only what the mail claims.
    """

    name: str
    declared_type: str
    sniffed_type: str
    content: bytes
    is_inline: bool
    content_id: str
    refused: str = ""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """Everything one mail says. ``reasons``: why it is of this kind, for people.

    ``references``: In-Reply-To first, then References, newest first, without angle brackets.
    ``recipients``: envelope first, then what the headers name; lower case, each once.
    ``link_tokens``: (purpose, token) of our own links in the body, in order.
    ``words``: what the worker wrote anew. ``full_text``: everything readable, quoted text included.
    ``back_on``: from an out-of-office note, the first day back.
    """

    kind: Kind
    reasons: tuple[str, ...]
    message_id: str
    references: tuple[str, ...]
    from_address: str
    from_name: str
    subject: str
    recipients: tuple[str, ...]
    link_tokens: tuple[tuple[str, str], ...]
    words: str
    full_text: str
    language: str
    back_on: date | None
    reports: tuple[Report, ...]
    complaint: Complaint | None
    attachments: tuple[Part, ...]
    defects: tuple[str, ...]
    truncated: bool


@dataclass(slots=True)
class Line:
    """A line of text. ``depth``: how often it is quoted. ``cut``: the mail program marked here that what
    follows is the mail being answered. ``signature``: it marked the line as its owner's signature."""

    text: str
    depth: int = 0
    cut: bool = False
    signature: bool = False


@dataclass(slots=True)
class Notes:
    """What was odd while reading, and whether a limit was met."""

    defects: list[str] = field(default_factory=list)
    truncated: bool = False

    def add(self, text: str) -> None:
        """Remember a defect once; a hostile mail has thousands of the same."""
        if text not in self.defects and len(self.defects) < 50:
            self.defects.append(text)

    def cut_short(self, text: str) -> None:
        """A limit was met: what lies beyond was not read."""
        self.truncated = True
        self.add(text)
