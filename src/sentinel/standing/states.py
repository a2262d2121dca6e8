"""Why an address gets nothing any more. Pure."""

from __future__ import annotations

from enum import StrEnum


class SuppressedBecause(StrEnum):
    """The reason of a suppression."""

    COMPLAINT = "complaint"  # a mail provider said that the reader marked us as spam
    BOUNCE = "bounce"  # nobody lives there
    REQUEST = "request"  # somebody asked us to
    OBJECTION = "objection"  # the worker unsubscribed and then left; keeps for their return
