"""Writing the heartbeat, so that somebody else can see whether cycles finish."""

from __future__ import annotations

import os
import socket
from datetime import datetime, timedelta

from sentinel.engine.models import EngineBeat

#: Rows of engines that are gone are kept this long, for whoever asks when the last one lived.
KEEP_FOR = timedelta(days=1)
EVERY = timedelta(seconds=1)


class Heartbeat:
    """The row of this process. Beats at most once a second, however fast the cycles are."""

    def __init__(self) -> None:
        self._id: int | None = None
        self._cycles = 0
        self._beat_at: datetime | None = None

    def start(self, now: datetime) -> None:
        """Make the row of this process and forget those of engines long gone."""
        EngineBeat.objects.filter(beat_at__lt=now - KEEP_FOR).delete()
        row = EngineBeat.objects.create(
            host=socket.gethostname()[:200], pid=os.getpid(), started_at=now, beat_at=now
        )
        self._id, self._beat_at = row.pk, now

    def finished_cycle(self, now: datetime) -> None:
        """Count a finished cycle, and write it down when a second has passed."""
        self._cycles += 1
        if self._id is None:
            self.start(now)
        if self._beat_at is None or abs(now - self._beat_at) >= EVERY or self._cycles == 1:
            changed = EngineBeat.objects.filter(pk=self._id or 0).update(
                beat_at=now, cycle_no=self._cycles, cycle_finished_at=now
            )
            # Somebody emptied the table, or another engine thought us dead.
            self._id = self._id if changed else None
            self._beat_at = now

    def end(self) -> None:
        """Take the row away: this engine stopped on purpose."""
        EngineBeat.objects.filter(pk=self._id or 0).delete()
        self._id = None
