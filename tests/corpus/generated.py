"""Mails too large to be stored: made anew at every load, the same each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Made:
    """A generated mail; ``expected`` has the keys of ``expected.toml``."""

    name: str
    raw: bytes
    expected: Mapping[str, Any]


def mails() -> Iterator[Made]:
    """Every generated mail."""
    yield from ()
