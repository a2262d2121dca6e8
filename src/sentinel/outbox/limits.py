"""How many notices one target takes within a time, as the settings say."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings

#: Channels whose targets are limited. E-mail has its own relay and its own limits.
LIMITED = frozenset({"push", "chat", "webhook"})
_SPANS = {timedelta(minutes=1): "a minute", timedelta(hours=1): "an hour"}


def limits_of(channel: str) -> tuple[tuple[timedelta, int], ...]:
    """At most so many within a time, per target; nothing for a channel without limits."""
    found: tuple[tuple[timedelta, int], ...] = settings.TARGET_LIMITS.get(channel, ())
    return found


def limit_words(channel: str) -> str:
    """The limits for people: "at most 5 a minute and 30 an hour"; empty without any."""
    parts = [f"{most} {_SPANS[span]}" for span, most in limits_of(channel)]
    return f"at most {' and '.join(parts)}" if parts else ""
