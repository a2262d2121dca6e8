"""The contract of a way to place calls: an intent in, an answer at once, events afterwards.

Pure: no Django, no network. A call has two legs. The owner's telephone rings first; once the owner has
answered, the worker's; once both have, they talk. States only ever move forward.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from sentinel.calls.rules import CallEvent, CallState, EndReason, Leg, rank


@dataclass(frozen=True, kw_only=True)
class Intent:
    """The call that is wanted.

    ``key`` names it for ever: the same key is the same call. Numbers are E.164 (``+4989...``) or SIP
    addresses. ``whisper`` is what the owner learns before talking, in ``language``. Without a worker's
    number it is a test: only the owner's telephone rings, and the call ends by itself once it is answered.
    """

    key: str
    owner_number: str
    worker_number: str
    caller_id: str
    ring_owner_seconds: int = 25
    ring_worker_seconds: int = 30
    longest_seconds: int = 3600
    whisper: str = ""
    language: str = "en"


@dataclass(frozen=True)
class Accepted:
    """The call is on its way; ``ref`` is the adapter's name for it."""

    ref: str


@dataclass(frozen=True)
class Rejected:
    """No telephone rings. ``permanent``: nor would it at another try with the same intent."""

    permanent: bool
    reason: str


@dataclass(frozen=True)
class Unclear:
    """Nobody knows whether a telephone rings: find out before anything is repeated."""

    reason: str


Placed = Accepted | Rejected | Unclear


@dataclass(frozen=True, kw_only=True)
class CallStatus:
    """Where a call stands now. ``talk_seconds`` counts from the moment both were connected. ``leg``: whose
    telephone an end was about, as in an event."""

    state: CallState
    reason: EndReason | None
    talk_seconds: int
    leg: Leg | None = None


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What an adapter can do.

    ``bridges``: it connects two telephones itself. ``callbacks``: it reports through webhooks, so it has
    ``read_webhook``. ``idempotent``: the provider itself refuses a second call with the same key.
    ``detects_machines``: it tells voicemail from a person.
    """

    bridges: bool
    callbacks: bool
    idempotent: bool
    detects_machines: bool


@dataclass(frozen=True)
class Reachability:
    """Whether a provider answers, in its own words, and how fast."""

    answers: bool
    detail: str
    milliseconds: float


class Unavailable(Exception):
    """The provider cannot be asked just now: nothing is known, ask again later."""


class CallPort(Protocol):
    """One way of placing calls. Used by several threads at once."""

    @property
    def provider(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def place(self, intent: Intent, now: datetime) -> Placed:
        """Let the owner's telephone ring. Never raises for a call that fails."""

    def status(self, ref: str) -> CallStatus | None:
        """Where a call stands; None when this adapter does not know it (any more). Raises Unavailable."""

    def hang_up(self, ref: str) -> None:
        """End a call in whatever state it is. Does nothing when it is over or unknown. Raises Unavailable."""


@runtime_checkable
class FindingPort(Protocol):
    """A way of placing calls whose provider can tell whether it knows a call by our name for it."""

    def find(self, key: str, since: datetime) -> str | None:
        """The provider's name of the call ``key`` placed after ``since``; None when it knows none. Raises
        Unavailable."""


@runtime_checkable
class HoldingPort(Protocol):
    """A way of placing calls that this process holds itself, and must let go of when it ends."""

    def close(self) -> None:
        """Stop ringing telephones; people who talk go on talking."""


@runtime_checkable
class CheckedPort(CallPort, Protocol):
    """A way of placing calls that can be asked whether its provider is there; rings nobody."""

    @property
    def peer(self) -> str:
        """Who is asked; empty where calls go straight to telephones, so that there is nobody to ask."""

    def check(self) -> Reachability:
        """Ask now; takes as long as the provider may take to answer, and keeps no call waiting. Raises
        Unavailable while this process ends."""


class WebhookPort(CallPort, Protocol):
    """A way of placing calls whose provider reports by webhook (``capabilities.callbacks``)."""

    def read_webhook(
        self, *, url: str, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Sequence[CallEvent]:
        """The events in a request that is verified to be the provider's; raises ValueError otherwise."""


__all__ = [
    "Accepted",
    "CallEvent",
    "CallPort",
    "CallState",
    "CallStatus",
    "Capabilities",
    "CheckedPort",
    "EndReason",
    "FindingPort",
    "HoldingPort",
    "Intent",
    "Leg",
    "Placed",
    "Reachability",
    "Rejected",
    "Unavailable",
    "Unclear",
    "WebhookPort",
    "rank",
]
