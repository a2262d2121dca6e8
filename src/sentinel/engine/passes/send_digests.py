"""Sends the morning mails whose user's working day has begun; the workflow of the same name decides."""

from __future__ import annotations

from datetime import datetime

from sentinel.workflows import send_digests


def run(now: datetime) -> int:
    """One turn; returns how many users were looked at."""
    return send_digests.send_digests(now=now)


def handle_one(now: datetime) -> bool:
    """The same; a morning is one turn."""
    return run(now) > 0
