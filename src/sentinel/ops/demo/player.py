"""The fast clock: lets people act and the engine react at every instant something falls due, in order."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max

from sentinel.bulk.selectors import next_delivery_at
from sentinel.channels.base import Capabilities, Sent
from sentinel.channels.email.mime import CannotBeBuilt, build
from sentinel.checkins.models import CheckIn
from sentinel.checkins.rules import CheckInState
from sentinel.checkins.selectors import next_planned_at
from sentinel.demonstration.services import catch_mail
from sentinel.engine.passes import (
    dispatch,
    fire_duties,
    plan_check_ins,
    report_deliveries,
    review_provisional,
    send_check_ins,
    send_deliveries,
)
from sentinel.engine.selectors import next_firing_at
from sentinel.kernel.clock import FixedClock
from sentinel.outbox.rules import Result
from sentinel.outbox.selectors import next_visible_at
from sentinel.outbox.services import Claimed

Act = Callable[[], None]
#: What falls due within this time of each other is handled together; on the fast clock nobody notices.
GRAIN = timedelta(seconds=20)
#: Check-ins of half an hour leave together.
GRAIN_OF_CHECK_INS = timedelta(minutes=30)
#: Passes that find their work by looking have a turn this often.
PLANNING_EVERY = timedelta(hours=20)
REVIEWING_EVERY = timedelta(hours=2)


class Interrupted(Exception):
    """Somebody wants the filling to stop; what was written so far is no demonstration."""


class MailRoom:
    """The channel ``email`` of the fast clock: into the mail room at once, and whoever reads it may react."""

    channel = "email"
    capabilities = Capabilities(may_repeat=True, connections=1, batch=50)

    def __init__(self) -> None:
        self.dead_addresses: dict[str, datetime] = {}
        self.readers: list[Callable[[Claimed, datetime], None]] = []
        self.count = 0

    def send(self, message: Claimed, now: datetime) -> Sent:
        """Keep the mail as the mail room would have received it by SMTP."""
        dead_since = self.dead_addresses.get(message.address)
        if dead_since is not None and dead_since <= now:
            detail = f"550 5.1.1 <{message.address}>: user unknown"
            return Sent(result=Result.PERMANENT, detail=detail, provider="mail room", address_refused=True)
        try:
            mail = build(message)
        except CannotBeBuilt as error:
            return Sent(result=Result.PERMANENT, detail=str(error), provider="mail room")
        catch_mail(sender=mail.sender, recipients=[mail.recipient], raw=mail.content, now=now)
        self.count += 1
        for read in self.readers:
            read(message, now)
        return Sent(result=Result.ACCEPTED, provider="mail room", provider_ref=mail.message_id)

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True)
class Dues:
    """When the next duty fires, the next message is due, the next check-in, and one on its way."""

    firing: datetime | None
    visible: datetime | None
    asking: datetime | None
    leaving: datetime | None


class Player:
    """An agenda of what people are going to do, and the real engine between two entries of it."""

    def __init__(self, clock: FixedClock, *, until: datetime, should_stop: Callable[[], bool]) -> None:
        self.clock = clock
        self.until = until
        self.stops = 0
        self._should_stop = should_stop
        self._agenda: list[tuple[datetime, int, Act]] = []
        self._entries = 0
        self._known: Dues | None = None
        self._planned_at = self._reviewed_at = clock.now() - PLANNING_EVERY

    @property
    def now(self) -> datetime:
        """The fast clock's now."""
        return self.clock.now()

    def at(self, when: datetime, act: Act) -> None:
        """Let somebody do something then; what lies behind us happens now, what lies beyond the end never."""
        self._entries += 1
        heapq.heappush(self._agenda, (max(when, self.now), self._entries, act))

    def run(self, until: datetime) -> None:
        """Play until an instant and stand still there."""
        while True:
            if self._should_stop():
                raise Interrupted
            at = self._next_stop()
            if at > until:
                break
            self.clock.set(at)
            self._act()
            self._engine()
            self.stops += 1
        self.clock.set(until)
        self._planned_at = self._reviewed_at = until - PLANNING_EVERY
        self._engine()

    def _next_stop(self) -> datetime:
        found = [self._planned_at + PLANNING_EVERY]
        due = self._dues()
        found += [at + GRAIN for at in (due.firing, due.visible, due.leaving) if at is not None]
        if due.asking is not None:
            found.append(_last_of_its_half_hour(due.asking, self.now))
        if self._agenda:
            found.append(self._agenda[0][0])
        # Never stand still, whatever a pass leaves behind.
        return max(self.now + timedelta(seconds=1), min(found))

    def _dues(self) -> Dues:
        """When something falls due; asked again only after somebody or some pass did something."""
        if self._known is None:
            self._known = Dues(next_firing_at(), next_visible_at(), next_planned_at(), next_delivery_at())
        return self._known

    def _act(self) -> None:
        while self._agenda and self._agenda[0][0] <= self.now:
            _, _, act = heapq.heappop(self._agenda)
            act()
            self._known = None

    def _engine(self) -> None:
        """The engine's passes until nothing is due: the same ones as in production, in the same order.

        Those that would find nothing are left out; that is all that makes this clock fast.
        """
        now = self.now
        done = 1
        while done:
            due = self._dues()
            done = fire_duties.run(now) if _is_due(due.firing, now) else 0
            if now - self._reviewed_at >= REVIEWING_EVERY:
                self._reviewed_at = now
                done += review_provisional.run(now)
            if now - self._planned_at >= PLANNING_EVERY:
                self._planned_at = now
                done += plan_check_ins.run(now)
            if _is_due(due.asking, now):
                done += send_check_ins.run(now)
            # What was decided above is due at once.
            if done or _is_due(due.visible, now):
                done += dispatch.run(now)
            if done or _is_due(due.leaving, now):
                done += send_deliveries.run(now) + report_deliveries.run(now)
            if done:
                self._known = None


def _is_due(at: datetime | None, now: datetime) -> bool:
    return at is not None and at <= now


def _last_of_its_half_hour(first: datetime, now: datetime) -> datetime:
    """When the next check-ins leave, of which ``first`` is the first.

    Never past a full hour, where send windows close: a missed window would wait for the next day.
    """
    if first <= now:
        return first
    hour_ends = first.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    until = min(first + GRAIN_OF_CHECK_INS, hour_ends - timedelta(seconds=1))
    last = CheckIn.objects.filter(state=CheckInState.PLANNED.value, planned_for__lte=until).aggregate(
        at=Max("planned_for")
    )
    found: datetime = last["at"]
    return max(first, found)
