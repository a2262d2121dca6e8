"""Where everything meets: queues on one side, relays on the other, the ledger underneath.

Holds no state of its own that a crash could lose: the rows are the truth.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from sentinel.bulk.rules import MOST_RETURNS, Answer, Blame, Result, Stage, Verdict, judge, next_try
from sentinel.channels.email.bulk.clock import Clock
from sentinel.channels.email.bulk.jobs import End, Job, Outcome, Step
from sentinel.channels.email.bulk.lanes import Lane, Lanes
from sentinel.channels.email.bulk.ledger import Ledger
from sentinel.channels.email.bulk.letters import CannotBeWritten, Letters
from sentinel.channels.email.bulk.relay import Relay
from sentinel.channels.email.bulk.session import Session
from sentinel.channels.email.bulk.settings import Settings

logger = logging.getLogger(__name__)


class Desk:
    """Hands out jobs, judges answers. ``on_release`` gets jobs that go back to the database unsent."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        ledger: Ledger,
        *,
        on_release: Callable[[list[Job]], None],
        on_low: Callable[[], None],
    ) -> None:
        self.hello_name = settings.hello_name
        self.is_stopping = False
        self.clock = clock
        self.ledger = ledger
        self.letters = Letters(settings)
        self.lanes = Lanes(sum(relay.connections for relay in settings.relays))
        self.relays = [Relay(relay, self) for relay in settings.relays]
        ledger.most_begins = max(8, self.lanes.connections // 2)
        self.holding: set[int] = set()  # runs that want a person to decide about unclear deliveries
        self.low_water = settings.claim_size // 2
        self._on_release = on_release
        self._on_low = on_low
        self._loop = asyncio.get_running_loop()
        self._is_feeding_planned = False
        self._alarm: asyncio.TimerHandle | None = None

    # -- giving out --------------------------------------------------------------------------------

    def hand_out(self, relay: Relay, session: Session) -> Job | None:
        """The next job for a connection, filled; None when nothing may go now, or another relay is due."""
        now = self._loop.time()
        if len(self.relays) > 1 and self._other_is_due(relay, now):
            return None
        while (job := self.lanes.next(now)) is not None:
            if self.lanes.queued - self.lanes.waiting < self.low_water:
                self._on_low()
            try:
                self.letters.write(job, session)
            except CannotBeWritten as error:
                self.lanes.done(job, now)
                self._settle(
                    job, End.FAILED, relay, Answer(Stage.RCPT, error.code, error.enhanced, str(error))
                )
                continue
            return job
        return None

    def _other_is_due(self, relay: Relay, now: float) -> bool:
        return any(
            other.waiting and other.used < relay.used and other.wait(now) <= 0
            for other in self.relays
            if other is not relay
        )

    def wake(self) -> None:
        """Something changed: connections that wait may have work."""
        if not self._is_feeding_planned:
            self._is_feeding_planned = True
            self._loop.call_soon(self._feed)

    def _feed(self) -> None:
        self._is_feeding_planned = False
        if self.is_stopping:
            return
        now = self._loop.time()
        while True:
            ready = [relay for relay in self.relays if relay.waiting and relay.wait(now) <= 0]
            if not ready:
                break
            relay = min(ready, key=lambda one: one.used)
            session = relay.waiting.popleft()
            job = relay.next_job(session)
            if job is None:
                relay.waiting.appendleft(session)
                self._on_low()  # perhaps somebody whose domain is not among the queued ones
                break
            session.start(job)
        sendable = self.lanes.queued - self.lanes.waiting
        if sendable:
            for relay in self.relays:
                if not relay.waiting:
                    relay.grow(sendable)
        self._set_alarm(now)

    def _set_alarm(self, now: float) -> None:
        """Feed again when the first lane or relay that waits for its pace may go on."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        due = self.lanes.next_at(now)
        instants = [due] if due is not None else []
        if self.lanes.queued:
            instants += [now + wait for relay in self.relays if (wait := relay.wait(now)) > 0]
        if instants:
            self._alarm = self._loop.call_at(max(min(instants), now + 0.001), self.wake)

    # -- what relays bring -------------------------------------------------------------------------

    def begin(self, session: Session, job: Job) -> None:
        self.ledger.begin(job, session)

    def accepted(self, relay: Relay, job: Job, words: str) -> None:
        """The server took a job."""
        now = self._loop.time()
        lane = job.lane
        self.lanes.done(job, now)
        lane.taken(now)
        relay.took(now)
        self.ledger.settle(Outcome(job, End.SENT, 250, "", words, relay.name))
        if self.has_waiting:
            self.wake()

    def answered(self, relay: Relay, session: Session, job: Job, answer: Answer) -> None:
        """The server refused a job, for now or for good."""
        now = self._loop.time()
        self.lanes.done(job, now)
        self._not_sent(relay, job, answer, judge(answer, sent_before=session.sent), now)
        if self.has_waiting:
            self.wake()

    def _not_sent(self, relay: Relay, job: Job, answer: Answer, verdict: Verdict, now: float) -> None:
        lane = job.lane
        if verdict.blame is Blame.RELAY:
            relay.heard(verdict, answer)
        elif verdict.blame is Blame.LANE and verdict.weight:
            is_421 = answer.code == 421
            if lane.patience.asked(verdict.weight, now=now, recent_rate=lane.rate(now), at_once=is_421):
                lane.set_pace()
        if verdict.result is Result.DEFERRED:
            self._put_off(job, relay, answer)
        elif verdict.result is Result.FAILED:
            self._settle(job, End.FAILED, relay, answer)
        elif verdict.result is Result.BLOCKED:
            self._blocked(lane, job, relay, answer)
        else:
            self._give_back(job, relay, answer)

    def returned(self, relay: Relay, job: Job, why: str) -> None:
        """The connection ended before the job's body left."""
        self.lanes.done(job, self._loop.time())
        if job.step is Step.OVER:
            return  # it was taken away from us
        if job.step is Step.BEGINNING:
            job.step = Step.OVER  # the ledger sees it when the begin is durable, and takes it back
        elif job.step is Step.BEGUN:
            job.step = Step.OVER
            self._settle(job, End.RETURNED, relay, None)
        else:
            self._give_back(job, relay, Answer(Stage.RCPT, 0, "", why))

    def unclear(self, relay: Relay, job: Job, why: str) -> None:
        """The connection ended while the body was on the wire: a copy may have been taken."""
        self.lanes.done(job, self._loop.time())
        job.step = Step.OVER
        text = f"no answer after the mail was handed over: {why}"[:500]
        if job.run_id in self.holding:
            self._settle(job, End.HELD, relay, Answer(Stage.BODY, 0, "", text), is_unclear=True)
        else:
            self._put_off(job, relay, Answer(Stage.BODY, 0, "", text), is_unclear=True)

    # -- verdicts ----------------------------------------------------------------------------------

    def _put_off(self, job: Job, relay: Relay, answer: Answer, *, is_unclear: bool = False) -> None:
        now = self.clock.now()
        at = next_try(attempts=job.attempts + 1, first_tried_at=job.first_tried_at or now, now=now)
        if at is None:
            self._settle(job, End.FAILED, relay, answer, is_unclear=is_unclear)
        else:
            self._settle(job, End.DEFERRED, relay, answer, next_at=at, is_unclear=is_unclear)

    def _give_back(self, job: Job, relay: Relay, answer: Answer) -> None:
        """Nothing was decided about it: first in its lane again, unless it seems to be the reason."""
        if relay.sent != job.seen:
            job.returns += 1
            job.seen = relay.sent
        if job.returns > MOST_RETURNS:
            self._put_off(job, relay, answer)
            return
        job.step = Step.CLAIMED
        job.content = job.envelope = b""
        self.lanes.add(job, first=True)
        self.wake()

    def _blocked(self, lane: Lane, job: Job, relay: Relay, answer: Answer) -> None:
        if not lane.refusals.refused():
            self._settle(job, End.FAILED, relay, answer)
            return
        self._settle(job, End.DEFERRED, relay, answer, next_at=self.clock.now())
        if not lane.is_paused:
            lane.is_paused = True
            why = f"{answer.code} {answer.enhanced} {answer.text}"[:500]
            logger.warning("%s blocks us, its mails wait: %s", lane.domain, why)
            self.ledger.block(lane, why)
            self._on_release(self.lanes.withdraw(lane))

    def _settle(
        self,
        job: Job,
        end: End,
        relay: Relay,
        answer: Answer | None,
        *,
        next_at: datetime | None = None,
        is_unclear: bool = False,
    ) -> None:
        if answer is None:
            outcome = Outcome(job, end, None, "", "", "")
        else:
            code = answer.code or None
            outcome = Outcome(job, end, code, answer.enhanced, answer.text, relay.name, next_at, is_unclear)
        self.ledger.settle(outcome)

    @property
    def has_waiting(self) -> bool:
        """Whether connections stand idle."""
        return any(relay.waiting for relay in self.relays)

    @property
    def is_starving(self) -> bool:
        """Whether connections stand idle although their relay would take mail."""
        now = self._loop.time()
        return any(relay.waiting and relay.wait(now) <= 0 for relay in self.relays)

    # -- ending ------------------------------------------------------------------------------------

    def stop(self) -> None:
        """Nothing new; what is under way is finished."""
        self.is_stopping = True
        if self._alarm is not None:
            self._alarm.cancel()
        for relay in self.relays:
            relay.leave()

    def drop(self, *, with_bodies: bool) -> None:
        """Close connections at once."""
        for relay in self.relays:
            relay.drop(with_bodies=with_bodies)

    @property
    def is_idle(self) -> bool:
        return all(relay.is_idle for relay in self.relays)

    @property
    def bodies_out(self) -> int:
        return sum(relay.bodies_out for relay in self.relays)
