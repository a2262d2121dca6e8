"""Writes down what is about to happen and what became of it, many at a time.

Everything that queued up while the last commit was under way goes into the next one: outcomes, counters
and begins together. The begins of one commit are a group, one row; it goes when each of them has an
outcome. Only when all that is durable do the begun bodies leave. With one connection that is one
commit per mail, with a hundred a few dozen mails per commit.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Callable

from sentinel.channels.email.bulk.clock import Clock
from sentinel.channels.email.bulk.jobs import End, Job, Outcome, Step
from sentinel.channels.email.bulk.lanes import Lane
from sentinel.channels.email.bulk.postgres import Link, Refused, Statement, array, number
from sentinel.channels.email.bulk.postgres import Outcome as Changed
from sentinel.channels.email.bulk.session import Session

logger = logging.getLogger(__name__)

_SEPARATOR = "\x1f"
_STATES = {
    End.DEFERRED: "deferred",
    End.FAILED: "failed",
    End.RETURNED: "returned",
    End.HELD: "begun",
}


class _Counts:
    __slots__ = ("ambiguous", "deferred", "failed", "repeated", "sent")

    def __init__(self) -> None:
        self.sent = self.failed = self.deferred = self.ambiguous = self.repeated = 0

    def add(self, outcome: Outcome) -> None:
        was_deferred = outcome.job.attempts > 0
        if outcome.end is End.SENT:
            self.sent += 1
            self.deferred -= was_deferred
        elif outcome.end is End.FAILED:
            self.failed += 1
            self.deferred -= was_deferred
        elif outcome.end is End.DEFERRED:
            self.deferred += not was_deferred
        if outcome.is_unclear:
            self.ambiguous += 1
            self.repeated += outcome.end is End.DEFERRED


class Ledger:
    """``on_begun`` hears of each job that may leave now, ``on_lost`` that the database is away."""

    def __init__(
        self,
        clock: Clock,
        *,
        on_begun: Callable[[Session, Job], None],
        on_lost: Callable[[Exception], None],
    ) -> None:
        self._clock = clock
        self._on_begun = on_begun
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._link: Link | None = None
        self._is_planned = False
        self._begins: list[tuple[Job, Session]] = []
        self._ends: list[Outcome] = []
        self._blocks: list[tuple[Lane, str]] = []
        self._under_way: tuple[list[tuple[Job, Session]], list[Outcome], list[tuple[Lane, str]]] = (
            [],
            [],
            [],
        )
        #: Half of all connections: while one half is being committed, the bodies of the other leave.
        self.most_begins = 100
        self._groups: dict[int, int] = {}  # how many of each have no outcome yet
        self._last_group = 0
        self._over: list[int] = []
        self.commits = 0

    # -- what others ask for -----------------------------------------------------------------------

    def begin(self, job: Job, session: Session) -> None:
        """Write down that the job's body is about to leave; ``on_begun`` hears when that is durable."""
        self._begins.append((job, session))
        self._plan()

    def settle(self, outcome: Outcome) -> None:
        """Write down what became of a job; kept in memory while the database is away."""
        self._ends.append(outcome)
        self._plan()

    def block(self, lane: Lane, why: str) -> None:
        """Write down that a domain refuses us; the engine tells people."""
        lane.paused_known_at = float("inf")
        self._blocks.append((lane, why))
        self._plan()

    @property
    def is_settled(self) -> bool:
        """Whether nothing waits to be written."""
        return not (self._begins or self._ends or self._blocks or (self._link and self._link.is_busy))

    # -- leading -----------------------------------------------------------------------------------

    async def open(self, link: Link) -> int:
        """Work on a session that holds the leadership; returns how many deliveries a crash left unclear.

        What this process still knew when it lost the database is written first, one by one: somebody else
        may have led meanwhile and dealt with some of it.
        """
        ends, self._ends = self._ends, []
        self._begins.clear()
        self._groups.clear()
        self._over.clear()
        for outcome in ends:
            await self._catch_up(link, outcome)
        changed, *_ = await link.run((b"recover_begun", ()), (b"recover_claimed", ()), (b"forget_begun", ()))
        self._link = link
        link.on_lost = self._on_lost
        self._plan()
        return sum(int(row[0] or 0) for row in changed.rows)

    async def _catch_up(self, link: Link, outcome: Outcome) -> None:
        try:
            (changed,) = await link.run(*self._settling([outcome], self._clock.text()))
            if changed.changed:
                await link.run(*self._counting([outcome], self._clock.text()))
        except Refused:
            logger.exception("the outcome of delivery %s cannot be written", outcome.job.id)

    def close(self) -> None:
        """Write nothing more: the session is over. What was not written is kept for the next one."""
        self._link = None

    # -- committing --------------------------------------------------------------------------------

    def _plan(self) -> None:
        # Not at once: other connections may have something for the same commit in this turn of the loop.
        if self._link is not None and self._link.is_open and not (self._is_planned or self._link.is_busy):
            self._is_planned = True
            self._loop.call_soon(self._commit)

    def _commit(self) -> None:
        self._is_planned = False
        link = self._link
        if link is None or not link.is_open or link.is_busy:
            return
        if not (self._begins or self._ends or self._blocks):
            return
        many = self.most_begins
        begins, ends, blocks = self._under_way = self._begins[:many], self._ends, self._blocks
        self._begins, self._ends, self._blocks = self._begins[many:], [], []
        now = self._clock.text()
        statements = self._settling(ends, now)
        statements += self._counting(ends, now)
        statements += self._leaving(ends)
        for lane, why in blocks:
            statements.append((b"block", (lane.domain.encode(), why.encode(), now)))
        if begins:
            # Last, so that its answer is easy to find.
            statements.append((b"begin", self._group(begins)))
        self.commits += 1
        link.submit(statements, self._committed)

    def _settling(self, ends: list[Outcome], now: bytes) -> list[Statement]:
        statements: list[Statement] = []
        sent: dict[str, list[Outcome]] = defaultdict(list)
        others = []
        for outcome in ends:
            if outcome.end is End.SENT:
                sent[outcome.relay].append(outcome)
            else:
                others.append(_as_record(outcome))
        for relay, taken in sent.items():
            answers = _SEPARATOR.join([outcome.answer for outcome in taken]).encode()
            ids = array([outcome.job.id for outcome in taken])
            statements.append((b"sent", (ids, answers, now, relay.encode())))
        if others:
            statements.append((b"settle", (json.dumps(others).encode(), now)))
        return statements

    def _group(self, begins: list[tuple[Job, Session]]) -> tuple[bytes, bytes]:
        self._last_group += 1
        self._groups[self._last_group] = len(begins)
        for job, _ in begins:
            job.group = self._last_group
        return number(self._last_group), array([job.id for job, _ in begins])

    def _leaving(self, ends: list[Outcome]) -> list[Statement]:
        """Take what has an outcome out of its group: a sent one for ever, so it may stay until all are."""
        back = [outcome.job for outcome in ends if outcome.end is not End.SENT and outcome.job.group]
        groups = {job.group for job in back}
        for outcome in ends:
            self._forget(outcome.job)
        over, self._over = self._over, []
        statements: list[Statement] = []
        if left := groups.difference(over):
            statements.append((b"leave", (array(sorted(left)), array([job.id for job in back]))))
        if over:
            statements.append((b"over", (array(over),)))
        return statements

    def _forget(self, job: Job) -> None:
        group, job.group = job.group, 0
        if (left := self._groups.get(group)) is None:
            return
        if left > 1:
            self._groups[group] = left - 1
        else:
            del self._groups[group]
            self._over.append(group)

    def _counting(self, ends: list[Outcome], now: bytes) -> list[Statement]:
        runs: dict[int, _Counts] = defaultdict(_Counts)
        for outcome in ends:
            runs[outcome.job.run_id].add(outcome)
        # In one order always, so that nobody who changes several runs can wait for us in a circle.
        return [
            (
                b"count",
                (
                    number(run), number(one.sent), number(one.failed), number(one.deferred),
                    number(one.ambiguous), number(one.repeated), now,
                ),
            )
            for run, one in sorted(runs.items())
        ]  # fmt: skip

    def _committed(self, result: list[Changed] | Exception) -> None:
        begins, ends, blocks = self._under_way
        self._under_way = ([], [], [])
        if isinstance(result, Exception):
            # Perhaps it was committed, perhaps not; these bodies never left in either case.
            self._ends = ends + [_never_left(job) for job, _ in begins] + self._ends
            self._blocks = blocks + self._blocks
            self._on_lost(result)
            return
        for lane, _ in blocks:
            lane.paused_known_at = self._loop.time()
        allowed = int(result[-1].rows[0][0] or 0) if begins and result[-1].rows else 0
        # First the next commit, so that the database works while the bodies leave.
        if allowed == len(begins):
            self._commit()
        if allowed != len(begins):
            self._sort_out(begins)
        else:
            for job, session in begins:
                self._release(job, session)
        if self._begins or self._ends or self._blocks:
            self._plan()

    def _release(self, job: Job, session: Session) -> None:
        if job.step is Step.BEGINNING:
            job.step = Step.BEGUN
            self._on_begun(session, job)
        else:
            self.settle(_never_left(job))  # the connection ended meanwhile

    def _sort_out(self, begins: list[tuple[Job, Session]]) -> None:
        """Somebody changed a claimed delivery under our hands: only what is begun may leave."""
        link = self._link
        if link is None:
            return

        def known(result: list[Changed] | Exception) -> None:
            if isinstance(result, Exception):
                self._on_lost(result)
                return
            begun = {int(row[0] or 0) for row in result[0].rows}
            for job, session in begins:
                if job.id in begun:
                    self._release(job, session)
                    continue
                self._forget(job)
                if job.step is Step.BEGINNING:
                    logger.error("delivery %s was taken away while it was claimed; it is not sent", job.id)
                    job.step = Step.OVER
                    session.drop("its delivery was taken away")
            self._plan()

        link.submit([(b"begun_of", (number(begins[0][0].group),))], known)


def _never_left(job: Job) -> Outcome:
    return Outcome(job, End.RETURNED, None, "", "", "")


def _as_record(outcome: Outcome) -> dict[str, object]:
    is_tried = outcome.end in (End.DEFERRED, End.FAILED)
    return {
        "id": outcome.job.id,
        "state": _STATES[outcome.end],
        "code": outcome.code,
        "enhanced": outcome.enhanced if outcome.code is not None else None,
        "answer": outcome.answer or None,
        "relay": outcome.relay or None,
        "next_at": outcome.next_at.isoformat() if outcome.next_at else None,
        "tried": int(is_tried),
        "reason": "held" if outcome.end is End.HELD else None,
    }
