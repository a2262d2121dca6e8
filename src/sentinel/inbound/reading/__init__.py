"""Raw mail in, a :class:`Reading` out: what kind of mail it is and what its writer said. Pure; never raises.

Every step stands alone: when one fails the mail becomes UNREADABLE, for a person to look at, and keeps
whatever the other steps found. Nothing is dropped: the full text stays beside the words, and limits are told.
"""

from __future__ import annotations

from datetime import datetime

from sentinel.inbound.reading.reader import Reader
from sentinel.inbound.reading.replies import find_words
from sentinel.inbound.reading.shapes import Complaint, Grade, Kind, Ours, Part, Reading, Report

__all__ = ["Complaint", "Grade", "Kind", "Ours", "Part", "Reading", "Report", "find_words", "read_mail"]


def read_mail(raw: bytes, *, envelope_from: str, envelope_to: str, ours: Ours, now: datetime) -> Reading:
    """Read one mail as it came over the wire. ``envelope_from`` is "" for the null sender. Never raises."""
    reader = Reader(envelope_from=envelope_from, envelope_to=envelope_to, ours=ours, now=now)
    reader.read(raw)
    return reader.reading()
