"""How many tries to send there ever were, without counting them all again at every look.

The engine's auditor adds what is new to one row; whoever asks adds the few that came since. The sum never
shrinks: a try is counted exactly once, also one whose transaction committed after a later one's.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from django.db import transaction

from sentinel.assurance.models import SendTally
from sentinel.outbox.counting import attempts_between, newest_attempt

#: No settlement's transaction lasts so long; then no smaller id can appear any more.
SETTLED_AFTER = timedelta(minutes=1)
#: At most so many are added in one turn, so that the first one after an upgrade is short, too.
MOST_IN_A_TURN = 200_000


def tally_sends(*, now: datetime) -> int:
    """Add the tries that are certainly all there to the tally; returns how many. Engines take turns."""
    with transaction.atomic():
        SendTally.objects.get_or_create(pk=1)
        tally = SendTally.objects.select_for_update(skip_locked=True).filter(pk=1).first()
        # abs: a clock that was set back must not stop the counting.
        if tally is None or (tally.seen_at is not None and abs(now - tally.seen_at) < SETTLED_AFTER):
            return 0
        up_to = min(tally.seen_to, tally.counted_to + MOST_IN_A_TURN)
        new = attempts_between(tally.counted_to, up_to)
        for (channel, result), count in new.items():
            key = f"{channel} {result}"
            tally.counts[key] = tally.counts.get(key, 0) + count
        tally.counted_to = up_to
        if up_to == tally.seen_to:
            tally.seen_to, tally.seen_at = newest_attempt(), now
        tally.save()
        return sum(new.values())


def sends() -> dict[tuple[str, str], int]:
    """Tries by channel and result since the beginning. Two statements; for a sum that never shrinks
    between two askings, run them in one snapshot."""
    tally = SendTally.objects.filter(pk=1).first() or SendTally()
    total: Counter[tuple[str, str]] = Counter(attempts_between(tally.counted_to))
    for key, count in tally.counts.items():
        channel, _, result = key.partition(" ")
        total[channel, result] += count
    return dict(total)
