"""The engine's conscience: a thread of its own that looks whether what must hold holds.

It is no pass of the decider, because a decider that hangs could not notice that it hangs.
"""

from __future__ import annotations

import logging
import time
import urllib.request
from datetime import datetime, timedelta
from http.client import HTTPException

from django.conf import settings

from sentinel.assurance.ears import LISTENER, MAILBOX, silent_ears
from sentinel.assurance.rules import Check, Fault, Seen, judge, may_ping, step_of_clock
from sentinel.assurance.selectors import look
from sentinel.assurance.services import fly_canary, record_findings
from sentinel.assurance.tally import tally_sends
from sentinel.engine.selectors import last_cycle_finished_at
from sentinel.kernel import clock

logger = logging.getLogger(__name__)

#: Seconds between two looks.
EVERY = 10.0
#: Seconds between two signs of life to the outside, and how long one may take.
PING_EVERY = 30.0
PING_SECONDS = 5.0


class Auditor:
    """One engine's auditor; several engines may have one each, they write the same findings."""

    def __init__(self) -> None:
        self._before: set[str] = set()
        self._looked: tuple[datetime, float] | None = None
        self._pinged_at = float("-inf")
        self._next_at = float("-inf")
        self._began_at: datetime | None = None

    def turn(self) -> float:
        """Look, judge, write down, tell the outside; returns the seconds until the next look."""
        early = self._next_at - time.monotonic()
        if early > 0:
            return early  # the engine's bell rang; it is not for us
        self._next_at = time.monotonic() + EVERY
        now = clock.now()
        faults = judge([*look(now), *self._clock(now), *self._processes(now)], now)
        # Seen once may be a blink: a clock that was just moved, an engine between two breaths.
        lasting = [
            fault for fault in faults if fault.key in self._before or fault.check is Check.CLOCK_STEPPED
        ]
        self._before = {fault.key for fault in faults}
        record_findings(faults=lasting, now=now)
        fly_canary(now=now)
        tally_sends(now=now)
        self._ping(faults)
        return EVERY

    def _clock(self, now: datetime) -> list[Seen]:
        """Whether the clock jumped since the last look; in a demonstration that is what it is for."""
        looked, self._looked = self._looked, (now, time.monotonic())
        if looked is None or settings.DEMONSTRATION:
            return []
        steady = timedelta(seconds=self._looked[1] - looked[1])
        step = step_of_clock(wall_elapsed=now - looked[0], steady_elapsed=steady)
        if step is None:
            return []
        return [Seen(check=Check.CLOCK_STEPPED, count=1, detail=f"{step.total_seconds():+.0f} s")]

    def _processes(self, now: datetime) -> list[Seen]:
        """Whether the ears hear and some decider finishes its cycles. Everything may take its time to start
        after we did; a demonstration's clock that was moved makes every sign of life look old."""
        self._began_at = self._began_at or now
        expected = {
            way
            for way, is_set in ((LISTENER, settings.EAR), (MAILBOX, settings.ENVIRONMENT.mailbox))
            if is_set is not None and settings.INBOUND_DOMAIN
        }
        seen = silent_ears(now=now, since=self._began_at, expected=expected)
        if not settings.DEMONSTRATION:
            last = max(self._began_at, last_cycle_finished_at() or self._began_at)
            seen.append(Seen(check=Check.ENGINE_SILENT, count=1, oldest=last))
        return seen

    def _ping(self, faults: list[Fault]) -> None:
        """Tell an outside watchman that all is well. Silence is the alarm, hence no ping with a fault."""
        # Half a look early rather than a whole one late.
        due = time.monotonic() - self._pinged_at >= PING_EVERY - EVERY / 2
        if not settings.HEARTBEAT_URL or not due or not may_ping(faults):
            return
        self._pinged_at = time.monotonic()
        request = urllib.request.Request(settings.HEARTBEAT_URL, headers={"User-Agent": "Sentinel"})  # noqa: S310  # checked to be http(s)
        try:
            with urllib.request.urlopen(request, timeout=PING_SECONDS) as answer:  # noqa: S310  # the same
                answer.read(1)
        except (OSError, HTTPException, ValueError) as error:
            # The address may hold a secret: it is not named.
            logger.warning("the outside watchman did not take the sign of life: %s", type(error).__name__)
