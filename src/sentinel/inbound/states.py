"""The states of an incoming mail. Pure."""

from __future__ import annotations

from enum import StrEnum


class IncomingState(StrEnum):
    """Where an incoming mail stands."""

    WAITING = "waiting"  # kept; not read yet
    DONE = "done"  # read, and what it says is done
    PERSON = "person"  # nobody could place it, or it could not be read: a person must look
