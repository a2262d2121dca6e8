"""Who is next: one queue per recipient domain, served in turn, each at its own pace.

A domain that is slow, throttled or paused keeps its own mails waiting and nobody else's. Every operation is
constant time, but for a heap of the domains that wait for their pace.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterator
from itertools import count

from sentinel.bulk.rules import Pace, Patience, Refusals
from sentinel.channels.email.bulk.jobs import Job

#: A lane that gave no answer for so long while mails of it are under way gets no further connection.
STALLED_SECONDS = 5.0
RATE_SECONDS = 5.0
SLOWEST_PER_SECOND = 1 / 60


class Lane:
    """One recipient domain. ``limit`` is what a person set, per minute; ``patience`` what we learnt."""

    __slots__ = (
        "_count", "_count_since", "_rate", "answered_at", "domain", "in_flight", "is_paused", "is_ready",
        "is_waiting", "limit", "pace", "patience", "paused_known_at", "queue", "refusals", "told_pace",
    )  # fmt: skip

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self.queue: deque[Job] = deque()
        self.in_flight = 0
        self.is_ready = False  # stands in the round
        self.is_waiting = False  # stands in the heap
        self.is_paused = False
        self.limit: float | None = None
        self.pace: Pace | None = None
        self.patience = Patience(SLOWEST_PER_SECOND)
        self.refusals = Refusals()
        self.answered_at = 0.0
        #: The pause is our own and not readable for others before this moment of the loop's clock.
        self.paused_known_at = 0.0
        self.told_pace: float | None = None
        self._count = 0
        self._count_since = 0.0
        self._rate = 0.0

    def taken(self, now: float) -> None:
        """One more was taken there."""
        self.patience.answered_well()
        self.refusals.taken()
        if now - self._count_since >= RATE_SECONDS:
            self._rate = self.rate(now)
            self._count, self._count_since = 0, now
        self._count += 1

    def rate(self, now: float) -> float:
        """What went out lately, per second."""
        passed = now - self._count_since
        if passed > 2 * RATE_SECONDS:
            return 0.0
        return self._rate if passed < 1.0 else self._count / passed

    def set_pace(self) -> None:
        """The slower of what a person set and what we learnt."""
        known = [rate for rate in (self.limit and self.limit / 60, self.patience.per_second) if rate]
        if not known:
            self.pace = None
        elif self.pace is None:
            self.pace = Pace(min(known), 1.0)
        elif self.pace.per_second != min(known):
            self.pace = self.pace.changed(min(known))

    @property
    def is_busy(self) -> bool:
        return bool(self.queue) or self.in_flight > 0

    @property
    def is_special(self) -> bool:
        """Whether there is something to remember while no mail is on its way there."""
        return self.is_paused or self.limit is not None or self.patience.per_second is not None


class Lanes:
    """All recipient domains. ``connections``: how many mails can be under way at once, over all relays."""

    def __init__(self, connections: int) -> None:
        self.connections = max(1, connections)
        self.queued = 0
        self.waiting = 0  # queued in lanes that wait for their pace
        self.in_flight = 0
        self._lanes: dict[str, Lane] = {}
        self._round: deque[Lane] = deque()
        self._heap: list[tuple[float, int, Lane]] = []
        self._order = count()
        self._busy = 0

    def lane(self, domain: str) -> Lane:
        """The lane of a domain, made when it is first needed."""
        lane = self._lanes.get(domain)
        if lane is None:
            lane = self._lanes[domain] = Lane(domain)
        return lane

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    # -- in ----------------------------------------------------------------------------------------

    def add(self, job: Job, *, first: bool = False) -> None:
        """Queue a job; ``first``: before the others of its lane, because it was under way already."""
        lane = job.lane
        if not lane.is_busy:
            self._busy += 1
        if first:
            lane.queue.appendleft(job)
        else:
            lane.queue.append(job)
        self.queued += 1
        if lane.is_waiting:
            self.waiting += 1
        self._line_up(lane)

    def resume(self, lane: Lane) -> None:
        """Let a paused lane go on."""
        lane.is_paused = False
        lane.refusals.forget()
        self._line_up(lane)

    def _line_up(self, lane: Lane) -> None:
        if lane.queue and not (lane.is_ready or lane.is_waiting or lane.is_paused):
            lane.is_ready = True
            self._round.append(lane)

    # -- out ---------------------------------------------------------------------------------------

    def next(self, now: float) -> Job | None:
        """The next job whose lane may send now, or None. Whoever takes it calls :meth:`done` later."""
        self._wake(now)
        line = self._round
        for _ in range(len(line)):
            lane = line.popleft()
            lane.is_ready = False
            if not lane.queue or lane.is_paused or self._has_enough(lane, now):
                continue  # it lines up again with its next mail, or when one of its own is done
            if lane.pace is not None:
                wait = lane.pace.wait(now)
                if wait > 0:
                    self._wait(lane, now + wait)
                    continue
                lane.pace.take(now)
            return self._take(lane, now)
        return None

    def _take(self, lane: Lane, now: float) -> Job:
        job = lane.queue.popleft()
        self.queued -= 1
        self.in_flight += 1
        if lane.in_flight == 0:
            lane.answered_at = now
        lane.in_flight += 1
        job.picked_at = now
        self._line_up(lane)
        return job

    def _has_enough(self, lane: Lane, now: float) -> bool:
        """Whether a lane has its share of the connections, so that a slow one never takes them all."""
        if lane.in_flight == 0:
            return False
        if now - lane.answered_at > STALLED_SECONDS:
            return True
        spare = self.connections // 10
        fair = 2 * self.connections // max(1, self._busy)
        return lane.in_flight >= min(self.connections - spare, max(2, fair))

    def _wait(self, lane: Lane, until: float) -> None:
        lane.is_waiting = True
        self.waiting += len(lane.queue)
        heapq.heappush(self._heap, (until, next(self._order), lane))

    def _wake(self, now: float) -> None:
        while self._heap and self._heap[0][0] <= now:
            lane = heapq.heappop(self._heap)[2]
            lane.is_waiting = False
            self.waiting -= len(lane.queue)
            self._line_up(lane)

    def next_at(self, now: float) -> float | None:
        """When the first lane that waits for its pace may send again; always later than ``now``."""
        self._wake(now)
        return self._heap[0][0] if self._heap else None

    def done(self, job: Job, now: float) -> None:
        """A job that :meth:`next` gave out is under way no more."""
        lane = job.lane
        self.in_flight -= 1
        lane.in_flight -= 1
        lane.answered_at = now
        if not lane.is_busy:
            self._busy -= 1
        self._line_up(lane)

    # -- out of the queues -------------------------------------------------------------------------

    def withdraw(self, lane: Lane) -> list[Job]:
        """Take everything that is queued in a lane."""
        return self._keep(lane, deque())

    def withdraw_runs(self, runs: set[int]) -> list[Job]:
        """Take everything that is queued of these runs."""
        taken: list[Job] = []
        for lane in self._lanes.values():
            if any(job.run_id in runs for job in lane.queue):
                taken += self._keep(lane, deque(job for job in lane.queue if job.run_id not in runs))
        return taken

    def _keep(self, lane: Lane, kept: deque[Job]) -> list[Job]:
        remaining = {id(job) for job in kept}
        taken = [job for job in lane.queue if id(job) not in remaining]
        was_busy = lane.is_busy
        lane.queue = kept
        self.queued -= len(taken)
        if lane.is_waiting:
            self.waiting -= len(taken)
        if was_busy and not lane.is_busy:
            self._busy -= 1
        return taken

    def trim(self, most: int) -> list[Job]:
        """Take what is queued beyond ``most`` in any lane, the newest first."""
        taken: list[Job] = []
        for lane in self._lanes.values():
            if len(lane.queue) > most:
                taken += self._keep(lane, deque(list(lane.queue)[:most]))
        return taken

    def with_backlog(self, now: float, most: int) -> list[str]:
        """Domains of which no more should be claimed: paused, or with enough queued and not getting on."""
        return [
            lane.domain
            for lane in self._lanes.values()
            if lane.is_paused or (len(lane.queue) >= most and not self._gets_on(lane, now))
        ]

    def _gets_on(self, lane: Lane, now: float) -> bool:
        return lane.is_ready and not self._has_enough(lane, now)

    def forget_idle(self, most: int) -> None:
        """Forget lanes about which nothing has to be remembered, once there are very many."""
        if len(self._lanes) > most:
            for lane in [lane for lane in self._lanes.values() if not (lane.is_busy or lane.is_special)]:
                del self._lanes[lane.domain]
