"""Stable fractions, fresh tokens and keys that tell two things apart."""

from hashlib import blake2b
from uuid import uuid4

# 53 bits fill a float's mantissa exactly, so that the result can never round up to 1.0.
_BITS = 53


def dedupe_key(*parts: str | int) -> str:
    """The parts joined by ':', e.g. `problem:17:rung:2`.

    Two different lists of parts never yield the same key: a ':' inside a part is written %3A (and
    % as %25), because a key that collides by accident is a message that is never sent.
    """
    if not parts:
        raise ValueError("a key needs at least one part")
    return ":".join(str(part).replace("%", "%25").replace(":", "%3A") for part in parts)


def seeded_fraction(*parts: str | int) -> float:
    """A number in [0, 1) that looks random and depends on the parts alone.

    The same over runs, machines and versions of Python (unlike `hash`), so that a worker keeps their day
    of the month. 1 and "1" count as the same part.
    """
    digest = blake2b(dedupe_key(*parts).encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> (64 - _BITS)) / (1 << _BITS)


def new_token() -> str:
    """A fresh unguessable identity (UUID 4, 36 characters)."""
    return str(uuid4())
