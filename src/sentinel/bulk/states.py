"""The states of a delivery and of a run. Pure; the sender imports them without Django."""

from __future__ import annotations

from enum import StrEnum


class DeliveryState(StrEnum):
    """Where one recipient's mail stands."""

    PENDING = "pending"  # waits for its time
    CLAIMED = "claimed"  # a sender holds it; nothing was said to a mail server yet
    BEGUN = "begun"  # its body may be on the wire: unclear until an outcome is written
    SENT = "sent"  # a mail server took it
    DEFERRED = "deferred"  # refused for now; waits for its next try
    FAILED = "failed"  # refused for good, or out of tries
    SKIPPED = "skipped"  # never tried, with a reason


#: States in which something still happens to a delivery.
LIVE_STATES = (
    DeliveryState.PENDING,
    DeliveryState.CLAIMED,
    DeliveryState.BEGUN,
    DeliveryState.DEFERRED,
)


class RunState(StrEnum):
    """Whether the sender may take deliveries of a run."""

    RUNNING = "running"
    PAUSED = "paused"


class AfterCrash(StrEnum):
    """What happens to a delivery whose body was on the wire when the sender died."""

    RESEND = "resend"  # again, byte for byte the same: a second copy has the same Message-ID and Date
    HOLD = "hold"  # waits for a person
