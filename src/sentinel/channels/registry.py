"""Which sender serves which channel. Filled by :mod:`sentinel.config.wiring` alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sentinel.channels.base import Sender

_makers: dict[str, Callable[[], Sender]] = {}
_senders: dict[str, Sender] = {}


def register(channel: str, make: Callable[[], Sender]) -> None:
    """Serve ``channel`` by what ``make`` returns; it is called when a message first needs it."""
    _makers[channel] = make
    _senders.pop(channel, None)


def channels() -> list[str]:
    """The channels that have a sender."""
    return sorted(_makers)


def sender_of(channel: str) -> Sender:
    """The sender of a channel. Raises KeyError when none is registered."""
    if channel not in _senders:
        _senders[channel] = _makers[channel]()
    return _senders[channel]


@contextmanager
def using(senders: Mapping[str, Sender]) -> Iterator[None]:
    """Serve exactly these channels for the length of a block (tests, filling a demonstration)."""
    before = dict(_makers), dict(_senders)
    _makers.clear()
    _senders.clear()
    _senders.update(senders)
    _makers.update({channel: lambda sender=sender: sender for channel, sender in senders.items()})  # type: ignore[misc]
    try:
        yield
    finally:
        _makers.clear()
        _senders.clear()
        _makers.update(before[0])
        _senders.update(before[1])
