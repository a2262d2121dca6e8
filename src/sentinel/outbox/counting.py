"""Counting tries to send, in ranges of their ids: whoever keeps a tally looks only at what is new."""

from __future__ import annotations

from django.db.models import Count, Max

from sentinel.outbox.models import Attempt, Message
from sentinel.outbox.rules import LIVE


def newest_attempt() -> int:
    """The greatest id of a try; 0 when nothing was ever tried. An id below it may still be committed."""
    found: int | None = Attempt.objects.aggregate(newest=Max("pk"))["newest"]
    return found or 0


def attempts_between(after: int, up_to: int | None = None) -> dict[tuple[str, str], int]:
    """Tries by channel and result, of those with ids above ``after`` and at most ``up_to``."""
    rows = Attempt.objects.filter(pk__gt=after)
    if up_to is not None:
        rows = rows.filter(pk__lte=up_to)
    counted = rows.values_list("message__channel", "result").annotate(n=Count("pk")).order_by()
    return {(channel, result): n for channel, result, n in counted}


def count_live() -> dict[tuple[str, str], int]:
    """Messages that are not settled, by channel and state; one query over live rows only."""
    rows = Message.objects.filter(state__in=[state.value for state in LIVE])
    counted = rows.values_list("channel", "state").annotate(n=Count("pk")).order_by()
    return {(channel, state): n for channel, state, n in counted}
