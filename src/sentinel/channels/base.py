"""The contract of a channel: one claimed message in, what came of the try out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias, TypedDict, runtime_checkable

from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed


class EmailPayload(TypedDict):
    """What ``Claimed.payload`` holds on the channel ``email``."""

    subject: str
    text: str
    html: str
    language: str
    from_name: str
    from_address: str
    reply_to: str
    headers: Mapping[str, str]


class ConsolePayload(TypedDict):
    """What ``Claimed.payload`` holds on the channel ``console``."""

    title: str
    text: str
    url: str


class WayPayload(TypedDict, total=False):
    """What ``Claimed.payload`` holds on ``chat``, ``push`` and ``webhook``: what to say and where to.

    ``target`` and ``code`` are sealed; the text holds ``{code}`` where the code belongs.
    """

    title: str
    text: str
    url: str
    language: str
    target: str
    code: str
    method_id: int
    problem_id: int | None


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What one try came to.

    ``detail`` is the provider's answer or our reason, for people. ``provider_ref`` is the provider's
    name for the message. ``address_refused``: the provider says that nobody lives at this address.
    ``is_away``: nobody answered at the provider, and nothing of the message was handed over.
    """

    result: Result
    detail: str = ""
    provider: str = ""
    provider_ref: str = ""
    address_refused: bool = False
    is_away: bool = False


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What the engine must know about a channel.

    ``may_repeat``: a second copy does no harm, so an unclear result may be tried again (the copy
    carries the same identity). ``connections``: how many tries may run at the same time.
    ``batch``: how many messages one connection leases at once at most. ``together``: how many accepted ones
    may wait to be written down in one commit; so many more a crash may repeat. ``is_at_once``: there is
    nobody to hand anything to and no way after it; what is due is accepted where it lies, without ``send``.
    """

    may_repeat: bool
    connections: int
    batch: int
    together: int = 1
    is_at_once: bool = False


#: A message, and what came of its try.
Tried: TypeAlias = tuple[Claimed, Sent]


class Sender(Protocol):
    """Tries to deliver messages of one channel. Used by several threads at once."""

    @property
    def channel(self) -> str: ...

    @property
    def capabilities(self) -> Capabilities: ...

    def send(self, message: Claimed, now: datetime) -> Sent:
        """Try once. Never raises for a failed try; returns within two thirds of the outbox's lease."""

    def close(self) -> None:
        """Let go of what this thread holds open."""


@runtime_checkable
class ManySender(Sender, Protocol):
    """A sender that is faster with several messages in a row."""

    def send_many(self, messages: Iterable[Claimed]) -> Iterator[Tried | None]:
        """Try each message once, in order. A message is begun when it is taken from ``messages``; each that
        was taken comes back with its result, not always at once. None comes when the other side is slow: a
        moment to write down what was accepted so far. Never raises for a failed try."""
