"""What travels through the sender: one delivery on its way, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentinel.channels.email.bulk.lanes import Lane


class Step(IntEnum):
    """How far a job came."""

    CLAIMED = 0  # waits for a connection, or its envelope is being offered
    BEGINNING = 1  # its begin is on the way to the database
    BEGUN = 2  # may be sent
    RELEASED = 3  # the body is on the wire
    OVER = 4


class Job:
    """A claimed delivery. ``returns``: how often a connection ended on it before its body, each time after
    the relay had taken others (``seen`` of them in all). ``group``: what it was begun with, 0 for none."""

    __slots__ = (
        "address", "attempts", "check_in_id", "content", "edition_id", "envelope", "first_tried_at", "group",
        "id", "issued_at", "lane", "name", "picked_at", "returns", "run_id", "seen", "step", "worker_id",
    )  # fmt: skip

    def __init__(
        self,
        *,
        delivery_id: int,
        run_id: int,
        edition_id: int,
        check_in_id: int,
        worker_id: int,
        name: str,
        address: str,
        issued_at: datetime,
        attempts: int,
        first_tried_at: datetime | None,
        lane: Lane,
    ) -> None:
        self.id = delivery_id
        self.run_id = run_id
        self.edition_id = edition_id
        self.check_in_id = check_in_id
        self.worker_id = worker_id
        self.name = name
        self.address = address
        self.issued_at = issued_at
        self.attempts = attempts
        self.first_tried_at = first_tried_at
        self.lane = lane
        self.step = Step.CLAIMED
        self.group = 0
        self.returns = 0
        self.seen = -1
        self.picked_at = 0.0
        self.content = b""
        self.envelope = b""


class End(IntEnum):
    """What is written about a job."""

    SENT = 0
    DEFERRED = 1
    FAILED = 2
    RETURNED = 3  # back to where it was: no try was used
    HELD = 4  # unclear, and the run wants a person to decide


@dataclass(slots=True)
class Outcome:
    """One line for the ledger. ``next_at``: when it is due again; ``is_unclear``: a copy may be out there."""

    job: Job
    end: End
    code: int | None
    enhanced: str
    answer: str
    relay: str
    next_at: datetime | None = None
    is_unclear: bool = False
