"""The loop, readable aloud: decide what is due, send what was decided, sleep until the next is due.

``run_once`` does it in the calling thread (tests, filling a demonstration), check-ins on their way
included; ``run_forever`` is the process: one decider, and per channel its own dispatchers, so that a
hanging channel delays no other. Beside it the sender's process carries the check-ins.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection, connections

from sentinel.calls.services import HANG_UP
from sentinel.channels import registry
from sentinel.demonstration.selectors import clock_offset, forget_clock_offset
from sentinel.demonstration.services import CLOCK_MOVED
from sentinel.engine.auditor import Auditor
from sentinel.engine.bell import Bell, Turnstile
from sentinel.engine.clock import DatabaseClock
from sentinel.engine.heartbeat import Heartbeat
from sentinel.engine.passes import (
    check_up_mail,
    dispatch,
    end_mutes,
    fire_duties,
    follow_calls,
    forget_raw_mails,
    learn_scanner_habits,
    plan_check_ins,
    publish_events,
    read_calendars,
    read_mail,
    report_deliveries,
    retry_quarantined,
    review_provisional,
    send_check_ins,
    send_deliveries,
    send_digests,
    stand_in,
    withdraw_deliveries,
)
from sentinel.engine.selectors import next_firing_at
from sentinel.inbound.keeping import ARRIVED
from sentinel.inbound.selectors import next_waiting_at
from sentinel.kernel import clock
from sentinel.outbox.selectors import next_visible_at
from sentinel.outbox.services import LEASE, WAKE_UP

logger = logging.getLogger(__name__)

#: Nobody looks more often than this for what they could not have.
SHORTEST_SLEEP = 0.05
#: Longest sleep: what a lost wake-up may cost.
LONGEST_SLEEP = 1.0
LONGEST_PAUSE = 5.0
#: A dispatcher that heard from its server goes on so soon although the decider computes; with Python's own
#: 5 ms each answer of a server may wait that long for the interpreter. Measured: 15 % more whole cycles.
SWITCH_SECONDS = 0.0005
#: A thread that does not end in time is left behind; its message is repeated after its lease.
SECONDS_TO_STOP = 4.0
#: Steps of the demonstration's clock while the engine catches up with an advance.
LONGEST_STEP = timedelta(hours=1)
#: More than this is a repeated decision, not work.
_MOST_ROUNDS = 10_000


@dataclass(frozen=True)
class Decider:
    """A deciding pass, and how much engine time lies between two of its turns."""

    name: str
    run: Callable[[datetime], int]
    every: timedelta = timedelta()


DECIDERS = (
    Decider("stand_in", stand_in.run, timedelta(seconds=20)),
    Decider("fire_duties", fire_duties.run),
    Decider("review_provisional", review_provisional.run, timedelta(seconds=5)),
    Decider("plan_check_ins", plan_check_ins.run, timedelta(seconds=30)),
    Decider("send_check_ins", send_check_ins.run, timedelta(seconds=5)),
    Decider("withdraw_deliveries", withdraw_deliveries.run, timedelta(minutes=2)),
    Decider("report_deliveries", report_deliveries.run, timedelta(seconds=5)),
    Decider("publish_events", publish_events.run, timedelta(seconds=2)),
    Decider("send_digests", send_digests.run, timedelta(minutes=1)),
    Decider("end_mutes", end_mutes.run, timedelta(seconds=5)),
    Decider("retry_quarantined", retry_quarantined.run, timedelta(minutes=1)),
    Decider("learn_scanner_habits", learn_scanner_habits.run, timedelta(minutes=5)),
    Decider("forget_raw_mails", forget_raw_mails.run, timedelta(hours=1)),
)


def run_once(now: datetime) -> int:
    """Decide and send until nothing is due at ``now``; returns how much was done. Errors come through."""
    total = 0
    for _ in range(_MOST_ROUNDS):
        done = sum(decider.run(now) for decider in DECIDERS) + read_mail.run(now)
        done += dispatch.run(now) + send_deliveries.run(now) + follow_calls.run(now)
        if not done:
            return total
        total += done
    raise RuntimeError(f"the engine does not come to rest at {now}: a pass reports work again and again")


def play(*, since: datetime, until: datetime, step: Callable[[datetime], int] = run_once) -> int:
    """Run at every instant something falls due in between, in order, and at the end.

    A clock that jumps over a week would collapse that week's rungs into one; played, every rung fires at
    its own time.
    """
    total, at = 0, since
    while at < until:
        at = min(until, _next_stop(at))
        total += step(at)
    return total


def _next_stop(at: datetime) -> datetime:
    due = next_firing_at()
    if due is None or due > at + LONGEST_STEP:
        return at + LONGEST_STEP
    return max(due, at + timedelta(seconds=1))  # whatever is left due: never stand still


class Engine:
    """The threads of one engine process."""

    def __init__(self, stop: threading.Event, source: DatabaseClock, lease: timedelta) -> None:
        self.lease = lease
        self.stop = stop
        self.source = source
        self.bell = Bell()
        self.bells = {channel: Bell() for channel in registry.channels()}
        self.turnstiles = {channel: Turnstile() for channel in self.bells}
        self.heartbeat = Heartbeat()
        self.auditor = Auditor()
        self.follower = follow_calls.Follower()
        self._turns: dict[str, datetime] = {}
        self._decided_at: datetime | None = None
        self._stumbled = False

    def threads(self) -> list[threading.Thread]:
        """One listener, one decider, one reader, and for each channel as many dispatchers as it has
        connections."""
        jobs: list[tuple[str, Callable[[], float]]] = [
            ("decider", self.decide),
            ("auditor", self.auditor.turn),
        ]
        senders = [
            threading.Thread(
                target=self._keep_doing,
                args=(f"{channel}-{n}", partial(self.send, channel, dispatch.Pace(can.batch)), bell),
                name=f"{channel}-{n}",
                daemon=True,
            )
            for channel, bell in self.bells.items()
            for can in [registry.sender_of(channel).capabilities]
            for n in range(can.connections)
        ]
        jobs += [("reader", self.read), ("mail-doctor", self.check_up)]
        jobs.append(("calls", lambda: self.follower.turn(clock.now())))
        workers = [
            threading.Thread(target=self._keep_doing, args=(*job, self.bell), name=job[0], daemon=True)
            for job in jobs
        ]
        return [threading.Thread(target=self._listen, name="listener", daemon=True), *workers, *senders]

    def wake(self, channels: Iterable[str] | None = None) -> None:
        """Wake who decides, and of each channel (of all, when none are named) one who sends.

        One is enough: whoever finds more than they can take wakes the next.
        """
        self.bell.ring()
        for channel in self.bells if channels is None else channels:
            if channel in self.bells:
                self.bells[channel].ring(for_all=False)

    def wake_all(self) -> None:
        """Wake everybody: the engine stops."""
        for bell in (self.bell, *self.bells.values()):
            bell.ring()

    def decide(self) -> float:
        """One cycle of every deciding pass; returns how long to sleep."""
        now = clock.now()
        if settings.DEMONSTRATION and self._decided_at is not None and now - self._decided_at > LONGEST_STEP:
            play(since=self._decided_at, until=now, step=self._decide_at)
        done = self._decide_at(now)
        self._decided_at = now
        self.heartbeat.finished_cycle(clock.now())
        if self._stumbled and not done:
            return LONGEST_SLEEP  # what failed is still due: trying it without a pause only fills the log
        return 0.0 if done else _seconds_until(next_firing_at())

    def _decide_at(self, now: datetime) -> int:
        done, away, self._stumbled = 0, None, False
        for decider in DECIDERS:
            last = self._turns.get(decider.name)
            if last is not None and timedelta() <= now - last < decider.every:
                continue
            try:
                handled = decider.run(now)
            except (InterfaceError, OperationalError) as error:
                away = error
                break
            except Exception:  # what the database refuses for good is the pass's own trouble, too
                logger.exception("%s failed; the other passes go on", decider.name)
                handled, self._stumbled = 0, True
            done += handled
            # A pass with more to do has its next turn at once.
            self._turns[decider.name] = now
            if handled:
                self._turns.pop(decider.name)
        if away is not None:
            raise away
        return done

    def check_up(self) -> float:
        """Examine the domains somebody asked about and read a calendar that is due, apart from the decider:
        servers take their time."""
        done = check_up_mail.run(clock.now()) + read_calendars.handle_one(clock.now())
        return 0.0 if done else LONGEST_PAUSE

    def read(self) -> float:
        """Read what came in, apart from the decider: a frown by mail waits for nobody's big turn."""
        return 0.0 if read_mail.run(clock.now()) else _seconds_until(next_waiting_at())

    def send(self, channel: str, pace: dispatch.Pace) -> float:
        """Try what is due on one channel; returns how long to sleep."""
        self.turnstiles[channel].enter(self.stop)
        due = next_visible_at(channel)
        if due is None or due > clock.now():
            return _seconds_until(due)
        began = time.monotonic()
        tried = dispatch.dispatch_channel(
            channel=channel,
            clock=clock.now,
            limit=pace.size,
            stop=self.stop,
            lease=self.lease,
            on_full=partial(self._there_is_more, channel),
        )
        pace.learn(tried=tried, seconds=time.monotonic() - began)
        # What is due and was not to be had is another's, or waits at the gate.
        return 0.0 if tried else SHORTEST_SLEEP

    def _there_is_more(self, channel: str) -> None:
        self.turnstiles[channel].hurry()
        self.bells[channel].ring(for_all=False)

    def _keep_doing(self, name: str, job: Callable[[], float], bell: Bell) -> None:
        failures = 0
        try:
            while not self.stop.is_set():
                rings = bell.rings
                try:
                    seconds = job()
                    failures = 0
                except Exception as error:
                    failures += 1
                    seconds = self._after_failure(name, failures, error)
                    rings = bell.rings  # a pause is a pause, whoever rings
                if seconds > 0 and not self.stop.is_set():
                    bell.wait(since=rings, seconds=seconds)
        finally:
            self._let_go()

    def _after_failure(self, name: str, failures: int, error: Exception) -> float:
        known = isinstance(error, (InterfaceError, DatabaseError))
        logger.error("%s failed (%s); it goes on in a moment", name, error, exc_info=None if known else error)
        _close_connections()
        return min(LONGEST_PAUSE, 0.2 * 2.0 ** min(failures - 1, 10))

    @staticmethod
    def _let_go() -> None:
        for channel in registry.channels():
            registry.sender_of(channel).close()
        _close_connections()

    def _listen(self) -> None:
        failures = 0
        while not self.stop.is_set():
            try:
                self._hear()
                failures = 0
            except Exception as error:
                failures += 1
                pause = self._after_failure("listener", failures, error)
                self.stop.wait(pause)
        _close_connections()

    def _hear(self) -> None:
        """Wait for notes of the database until it goes away or the engine stops."""
        connection.ensure_connection()
        raw = connection.connection
        for name in (WAKE_UP, ARRIVED, CLOCK_MOVED, HANG_UP):
            raw.execute(f"LISTEN {name}")
        self.wake()  # whatever was said while nobody listened
        while not self.stop.is_set():
            for note in raw.notifies(timeout=0.5, stop_after=1):
                if note.channel == CLOCK_MOVED:
                    forget_clock_offset()
                    self.source.read()
                names = note.payload if note.channel == WAKE_UP else ""
                self.wake(names.split(",") if names else None)


def run_forever(stop: threading.Event, *, lease: timedelta = LEASE) -> None:
    """Be an engine until ``stop`` is set; returns within five seconds after that.

    ``lease`` is how long a killed engine keeps others from its messages; senders are bounded by the default.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    source = DatabaseClock(clock_offset if settings.DEMONSTRATION else None)
    clock.install(source)
    engine = Engine(stop, source, lease)
    threads = engine.threads()
    for thread in threads:
        thread.start()
    stop.wait()
    engine.wake_all()
    deadline = time.monotonic() + SECONDS_TO_STOP
    threads.append(threading.Thread(target=follow_calls.let_go, daemon=True))
    threads[-1].start()
    for thread in threads:
        thread.join(timeout=max(0.0, deadline - time.monotonic()))
    try:
        engine.heartbeat.end()
    except (InterfaceError, DatabaseError):
        logger.info("the heartbeat stays behind: the database is away")
    _close_connections()


def _seconds_until(due: datetime | None) -> float:
    if due is None:
        return LONGEST_SLEEP
    return min(LONGEST_SLEEP, max(0.0, (due - clock.now()).total_seconds()))


def _close_connections() -> None:
    with suppress(InterfaceError, DatabaseError):
        connections.close_all()
