"""What is decided about incoming mail without looking anything up. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

from sentinel.inbound.reading.shapes import Grade, Part, Reading, Report

#: A mail whose handling fails is tried so often; then a person looks at it.
TRIES = 3
_BACK_OFF = (timedelta(seconds=30), timedelta(minutes=5))
#: A mail that the database could not carry just now waits so long behind the others.
STEP_BACK = timedelta(seconds=30)
#: An absence note that names a day further away is a typing error.
LONGEST_ABSENCE = timedelta(days=180)
#: So many temporary failures within the window are a permanent one.
SOFT_BOUNCES = 3
SOFT_WINDOW = timedelta(days=14)
#: Reports of a block about so many different workers within the window stop a whole domain.
BLOCKED_WORKERS = 3
BLOCK_WINDOW = timedelta(days=1)
#: So many mails a day that nothing but a From address ties to a worker act; anybody can write them.
UNPROVEN_A_DAY = 3
#: Nobody writes more than this a day; a mail program that went astray does.
WRITTEN_A_DAY = 30

#: What cameras make, unlike the logos of signatures …
_PHOTOS = frozenset({"image/jpeg", "image/heic", "image/heif", "image/webp"})
#: … which Outlook numbers ("image001.jpg"), and which are small.
_NUMBERED = re.compile(r"image\d{3}\b", re.IGNORECASE)
_LARGER_THAN_A_LOGO = 40_000
#: Enough of a mail to hold any honest header.
HEAD_BYTES = 65_536
_HEAD = re.compile(rb"\r?\n\r?\n")
_AUTOMATIC = re.compile(
    rb"^(?:precedence:[ \t]*(?:bulk|list|junk)|list-id:|auto-submitted:[ \t]*auto|x-auto-response-suppress:)",
    re.IGNORECASE | re.MULTILINE,
)
_GRAVITY = (Grade.HARD, Grade.BLOCK, Grade.SOFT, Grade.DELAY, Grade.IGNORE)


def back_off(tries: int) -> timedelta | None:
    """How long to wait after the n-th failed try; None: no more tries."""
    return _BACK_OFF[tries - 1] if 1 <= tries < TRIES else None


def may_be_answered(head: bytes, *, envelope_from: str) -> bool:
    """Whether a machine may answer a mail at all (RFC 3834): never a null sender, automatic mail, or mail
    to many. Looks at the header alone, whatever the mail was taken for. ``head``: its first bytes."""
    header = _HEAD.split(head, maxsplit=1)[0]
    return bool(envelope_from.strip("<> ")) and _AUTOMATIC.search(header) is None


def is_sane_return(back_on: date | None, *, today: date) -> bool:
    """Whether a day of return lies ahead, and not absurdly far."""
    return back_on is not None and today < back_on <= today + LONGEST_ABSENCE


def gravest(reports: Iterable[Report]) -> Report | None:
    """The report that decides when a mail brings several; None without any."""
    return min(reports, key=lambda report: _GRAVITY.index(report.grade), default=None)


def kept_files(reading: Reading) -> tuple[Part, ...]:
    """What somebody attached on purpose. Pictures inside the text are telephones' photos, screenshots, or
    the logos of signatures; only the last are small and drawn."""
    return tuple(part for part in reading.attachments if not part.is_inline or _is_photo(part))


def _is_photo(part: Part) -> bool:
    is_taken = part.sniffed_type in _PHOTOS and not _NUMBERED.match(part.name)
    return part.sniffed_type.startswith("image/") and (is_taken or len(part.content) >= _LARGER_THAN_A_LOGO)


def describe_files(parts: Iterable[tuple[str, str]]) -> str:
    """The attachments in words for a notice, e.g. "2 pictures, 1 file (1 of them not kept)".

    ``parts``: (sniffed type, why it was refused) of each.
    """
    known = list(parts)
    pictures = sum(1 for kind, _ in known if kind.startswith("image/"))
    refused = sum(1 for _, why in known if why)
    counts = [_count(pictures, "picture"), _count(len(known) - pictures, "file")]
    words = ", ".join(part for part in counts if part)
    return f"{words} ({refused} of them not kept)" if words and refused else words


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'s' if number != 1 else ''}" if number else ""
