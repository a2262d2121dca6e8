"""Forgets the bytes of mails that were read and settled long ago; what was understood stays."""

from __future__ import annotations

from datetime import datetime

from sentinel.inbound import keeping


def run(now: datetime) -> int:
    """Forget a portion; see :func:`sentinel.inbound.keeping.forget_raw_mails`."""
    return keeping.forget_raw_mails(now)


def handle_one(now: datetime) -> bool:
    """A portion is one statement."""
    return run(now) > 0
