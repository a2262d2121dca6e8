"""One relay: its connections, its pace, and how it is left alone while it is in trouble."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Protocol

from sentinel.bulk.rules import Answer, Blame, Pace, Patience, Verdict
from sentinel.channels.email.bulk.jobs import Job
from sentinel.channels.email.bulk.opening import NotOpened, open_session
from sentinel.channels.email.bulk.session import Session
from sentinel.channels.email.bulk.settings import RelaySettings

logger = logging.getLogger(__name__)

SLOWEST_PER_SECOND = 0.2
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
#: Refused one connection too many, a relay is asked for more only after this long.
FULL_SECONDS = 30.0
#: Connections opened at the same moment; a relay takes a hundred at once for an attack.
OPENING_AT_ONCE = 20
RATE_SECONDS = 5.0


class Desk(Protocol):
    """Where relays get their work and bring what became of it."""

    is_stopping: bool
    hello_name: str

    def hand_out(self, relay: Relay, session: Session) -> Job | None: ...

    def begin(self, session: Session, job: Job) -> None: ...

    def accepted(self, relay: Relay, job: Job, words: str) -> None: ...

    def answered(self, relay: Relay, session: Session, job: Job, answer: Answer) -> None: ...

    def returned(self, relay: Relay, job: Job, why: str) -> None: ...

    def unclear(self, relay: Relay, job: Job, why: str) -> None: ...

    def wake(self) -> None: ...


class Relay:
    """The owner of its sessions. ``used``: what it was given so far, in proportion to its weight."""

    def __init__(self, settings: RelaySettings, desk: Desk) -> None:
        self.settings = settings
        self.name = settings.name
        self.desk = desk
        self.sessions: set[Session] = set()
        self.waiting: deque[Session] = deque()
        self.used = 0.0
        self.sent = 0
        self.trouble = ""
        self.patience = Patience(SLOWEST_PER_SECOND)
        self.pace: Pace | None = None
        self._loop = asyncio.get_running_loop()
        self._opening: set[asyncio.Task[None]] = set()
        self._failures = 0
        self._held_until = 0.0
        self._full_until = 0.0
        self._count, self._count_since, self._rate = 0, 0.0, 0.0
        self._set_pace()

    # -- work --------------------------------------------------------------------------------------

    def next_job(self, session: Session) -> Job | None:
        now = self._loop.time()
        if self.desk.is_stopping or self.wait(now) > 0:
            return None
        job = self.desk.hand_out(self, session)
        if job is not None:
            self.used += 1 / self.settings.weight
            if self.pace is not None:
                self.pace.take(now)
        return job

    def wait(self, now: float) -> float:
        """Seconds until this relay may be given a mail."""
        held = self._held_until - now
        return max(held, self.pace.wait(now)) if self.pace is not None else held

    def begin(self, session: Session, job: Job) -> None:
        self.desk.begin(session, job)

    def accepted(self, session: Session, job: Job, words: str) -> None:
        self.desk.accepted(self, job, words)

    def answered(self, session: Session, job: Job, answer: Answer) -> None:
        self.desk.answered(self, session, job, answer)

    def returned(self, session: Session, job: Job) -> None:
        self.desk.returned(self, job, "the connection ended")

    def unclear(self, session: Session, job: Job, why: str) -> None:
        self.desk.unclear(self, job, why)

    def hungry(self, session: Session) -> None:
        self.waiting.append(session)
        self.desk.wake()

    def closed(self, session: Session, why: str) -> None:
        self.sessions.discard(session)
        if session in self.waiting:
            self.waiting.remove(session)
        self.desk.wake()

    # -- pace --------------------------------------------------------------------------------------

    def took(self, now: float) -> None:
        """A mail was taken: whatever the trouble was, it is over."""
        self.sent += 1
        self._failures = 0
        self.trouble = ""
        self.patience.answered_well()
        if now - self._count_since >= RATE_SECONDS:
            self._rate = self._count / (now - self._count_since)
            self._count, self._count_since = 0, now
        self._count += 1

    def heard(self, verdict: Verdict, answer: Answer) -> None:
        """An answer that asks this relay's mail to slow down, or says that it cannot work."""
        now = self._loop.time()
        if verdict.is_trouble:
            self.hold(f"{answer.code} {answer.enhanced} {answer.text}".replace("  ", " "))
        elif verdict.blame is Blame.RELAY:
            at_once = answer.code == 421
            passed = max(1.0, now - self._count_since)
            recent = max(self._rate, self._count / passed)
            if self.patience.asked(verdict.weight, now=now, recent_rate=recent, at_once=at_once):
                logger.warning("relay %s asks for patience: %s %s", self.name, answer.code, answer.text)
                self._set_pace()

    def hold(self, why: str) -> None:
        """Leave the relay alone for a while, longer each time; mails in hand burn no try."""
        now = self._loop.time()
        if now < self._held_until:
            return
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**self._failures)
        self._failures = min(self._failures + 1, 10)
        self._held_until = now + pause
        self.trouble = why[:300]
        logger.warning("relay %s is in trouble, next try in %.0f s: %s", self.name, pause, self.trouble)

    def _set_pace(self) -> None:
        known = [rate for rate in (self.settings.per_second, self.patience.per_second) if rate]
        if not known:
            self.pace = None
        elif self.pace is None:
            self.pace = Pace(min(known), 1.0)
        elif abs(self.pace.per_second - min(known)) > 1e-9:
            self.pace = self.pace.changed(min(known))

    # -- connections -------------------------------------------------------------------------------

    def grow(self, wanted: int) -> None:
        """Open connections for so many mails that wait, within the relay's limits."""
        if self.desk.is_stopping or self._loop.time() < max(self._held_until, self._full_until):
            return
        # One probe at a time until the relay took something again.
        most = self.settings.connections if not self.trouble else 1
        room = most - len(self.sessions) - len(self._opening)
        for _ in range(min(room, wanted - len(self._opening), OPENING_AT_ONCE - len(self._opening))):
            task = self._loop.create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opened)

    async def _open(self) -> None:
        session = Session(self, per_connection=self.settings.per_connection)
        await open_session(session, self.settings, hello_name=self.desk.hello_name)
        self.sessions.add(session)
        if self.desk.is_stopping:
            session.leave()
        session.work()

    def _opened(self, task: asyncio.Task[None]) -> None:
        self._opening.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, NotOpened):
            self._not_opened(error)
        elif error is not None:
            logger.error("opening a connection to %s failed", self.name, exc_info=error)
            self.hold("a defect while connecting")
        self.desk.wake()

    def _not_opened(self, error: NotOpened) -> None:
        if not (self.sessions or self._opening):
            self._full_until = 0.0
            self.hold(str(error))
        elif self._loop.time() >= self._full_until:
            # Others work, or are about to: perhaps the relay takes no more of us at once.
            self._full_until = self._loop.time() + FULL_SECONDS
            logger.info("relay %s takes no more connections than it has: %s", self.name, error)

    def tick(self, now: float, *, reply_seconds: float, body_seconds: float, idle_seconds: float) -> None:
        """Once a second: give up on silence, let idle connections go, win back speed."""
        if self.patience.win_back(now):
            self._set_pace()
        for session in list(self.sessions):
            since = session.is_silent_since
            limit = body_seconds if session.has_body_out else reply_seconds
            if since is not None and now - since > limit:
                session.drop(f"no answer within {limit:.0f} s")
            elif session.is_hungry and now - session.heard_at > idle_seconds:
                self.waiting.remove(session)
                session.leave()

    def leave(self) -> None:
        """No new mail; every connection says goodbye when it is done."""
        self.waiting.clear()
        for session in list(self.sessions):
            session.leave()
        for task in self._opening:
            task.cancel()

    def drop(self, *, with_bodies: bool) -> None:
        """Close connections at once: all, or only those that have no body on the wire."""
        for session in list(self.sessions):
            if with_bodies or not session.has_body_out:
                session.drop("the sender stops")

    @property
    def is_idle(self) -> bool:
        return not (self.sessions or self._opening)

    @property
    def bodies_out(self) -> int:
        return sum(session.has_body_out for session in self.sessions)

    def report(self) -> dict[str, object]:
        """For people: how this relay does."""
        return {
            "name": self.name,
            "connections": len(self.sessions),
            "sent": self.sent,
            "trouble": self.trouble,
            "mode": next((session.mode.name.lower() for session in self.sessions), ""),
            "pace_per_minute": self.patience.per_second and self.patience.per_second * 60,
        }
