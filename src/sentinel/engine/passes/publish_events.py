"""Puts what happened into the outbox for the webhooks that want to hear of it."""

from __future__ import annotations

from datetime import datetime

from sentinel.hooks.services import publish_events


def run(now: datetime) -> int:
    """One turn; returns how many messages it decided."""
    return publish_events(now=now)
