"""Looks at the rows that people change, and claims deliveries before the queues run dry."""

from __future__ import annotations

import asyncio
import json
import logging
from base64 import b64decode
from collections import deque
from datetime import datetime

from sentinel.bulk.rules import Patience
from sentinel.channels.email.bulk.desk import Desk
from sentinel.channels.email.bulk.jobs import Job
from sentinel.channels.email.bulk.lanes import SLOWEST_PER_SECOND
from sentinel.channels.email.bulk.postgres import Link, Row, Statement, array, number
from sentinel.channels.email.bulk.settings import Settings

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.25
#: Of a domain that does not get on, no more than this is kept in memory once the queues are full.
BACKLOG = 200
#: A claim begins where the last one ended: what lies before is mostly claimed and sent, and each of these
#: dead entries would be looked at again every time. What was left out or given back is found so much later.
FROM_START_SECONDS = 5.0
_START = (b"-infinity", 0)
FULL = 5  # times the claim's size
MOST_LANES = 20_000


class Watch:
    """Turns rows into queues. ``need`` is set when the desk wants more to do."""

    def __init__(self, settings: Settings, link: Link, desk: Desk, need: asyncio.Event) -> None:
        self._settings = settings
        self._link = link
        self._desk = desk
        self._need = need
        self._loop = asyncio.get_running_loop()
        self._now_name = b"now_moved" if settings.demonstration else b"now"
        self._active: deque[int] = deque()
        self._is_first = True
        self._ends: dict[int, tuple[bytes, int]] = {}  # of runs: where the last claim ended
        self._from_start_at = 0.0
        self._to_release: list[int] = []
        self._sent_before = 0
        self._rates: deque[int] = deque(maxlen=60)

    def release(self, jobs: list[Job]) -> None:
        """Give back what was claimed and will not be sent now; with the next look."""
        self._to_release += [job.id for job in jobs]
        self._need.set()

    async def keep_looking(self) -> None:
        """Look and claim until cancelled. Raises DatabaseGone or Refused."""
        while True:
            self._need.clear()
            began = self._loop.time()
            await self.look()
            is_dry = await self._claim()
            wait = max(0.0, began + LOOK_SECONDS - self._loop.time())
            if is_dry:
                # Nothing is due: only a new look can change that, except for what has to be given back.
                await asyncio.sleep(wait)
                continue
            try:
                async with asyncio.timeout(wait):
                    await self._need.wait()
            except TimeoutError:
                pass

    # -- what people changed -----------------------------------------------------------------------

    async def look(self) -> None:
        """One round: clock, pauses, limits."""
        asked_at = self._loop.time()
        given_back, self._to_release = self._to_release, []
        statements = [(b"release", (array(given_back),))] if given_back else []
        answers = await self._link.run(
            *statements, (self._now_name, ()), (b"sender", ()), (b"runs", ()), (b"lanes", ())
        )
        clock, sender, runs, lanes = (answer.rows for answer in answers[-4:])
        self._desk.clock.set(float(clock[0][0] or 0))
        self._take_runs(runs, is_stopped=bool(sender) and sender[0][0] == b"t")
        self._take_lanes(lanes, asked_at)
        self._is_first = False

    def _take_runs(self, rows: list[Row], *, is_stopped: bool) -> None:
        self._desk.holding = {_int(run) for run, _, after_crash in rows if after_crash == b"hold"}
        running = {_int(run) for run, is_running, _ in rows if is_running == b"t" and not is_stopped}
        gone = set(self._active) - running
        if gone:
            withdrawn = self._desk.lanes.withdraw_runs(gone)
            if withdrawn:
                logger.info("%d deliveries of paused runs go back", len(withdrawn))
                self.release(withdrawn)
        if gone or len(running) != len(self._active):
            self._active = deque(sorted(running))
            self._from_start()

    def _take_lanes(self, rows: list[Row], asked_at: float) -> None:
        lanes = self._desk.lanes
        special: dict[str, tuple[float | None, float | None, bool]] = {}
        for name, most, learnt, paused in rows:
            special[(name or b"").decode()] = (_float(most), _float(learnt), paused == b"t")
        for domain, (limit, pace, is_paused) in special.items():
            lane = lanes.lane(domain)
            if self._is_first and pace is not None:
                lane.patience = Patience(SLOWEST_PER_SECOND, pace / 60)
                lane.told_pace = pace
            lane.limit = limit
            lane.set_pace()
            if is_paused and not lane.is_paused:
                lane.is_paused = True
                self.release(lanes.withdraw(lane))
        for lane in lanes:
            limit, _, is_paused = special.get(lane.domain, (None, None, False))
            if lane.limit != limit:
                lane.limit = limit
                lane.set_pace()
            if lane.is_paused and not is_paused and asked_at > lane.paused_known_at:
                lanes.resume(lane)
                self._from_start()
                self._desk.wake()

    # -- claiming ----------------------------------------------------------------------------------

    async def _claim(self) -> bool:
        """Fill the queues; True when nothing more is due now."""
        lanes, size = self._desk.lanes, self._settings.claim_size
        if self._loop.time() - self._from_start_at > FROM_START_SECONDS:
            self._from_start()
        left = len(self._active)
        while left and self._wants_more():
            if lanes.queued > FULL * size:
                self.release(lanes.trim(BACKLOG))
            run = self._active[0]
            self._active.rotate(-1)
            many = max(100, size // len(self._active))
            backlog = lanes.with_backlog(self._loop.time(), BACKLOG)
            was_from_start = run not in self._ends
            found = await self._claim_of(run, many, backlog)
            if found < many:
                self._ends.pop(run, None)
            if found == many or not was_from_start:
                left = len(self._active)
            else:
                left -= 1
        return left == 0

    def _from_start(self) -> None:
        self._ends.clear()
        self._from_start_at = self._loop.time()

    def _wants_more(self) -> bool:
        desk = self._desk
        queued = desk.lanes.queued
        if desk.is_stopping or queued > 2 * FULL * self._settings.claim_size:
            return False
        return queued - desk.lanes.waiting < desk.low_water or desk.is_starving

    async def _claim_of(self, run: int, many: int, backlog: list[str]) -> int:
        now = self._desk.clock.text()
        at, after = self._ends.get(run, _START)
        params = (number(run), now, _texts(backlog), number(many), at, number(after))
        (answer,) = await self._link.run((b"claim", params))
        if answer.rows:
            last = max(answer.rows, key=lambda row: (_instant(row[-1]), _int(row[0])))
            self._ends[run] = (last[-1] or b"", _int(last[0]))
        jobs = [self._job(run, row) for row in answer.rows]
        await self._load_editions({job.edition_id for job in jobs})
        if run in self._active:
            for job in jobs:
                self._desk.lanes.add(job)
            self._desk.wake()
        else:
            self.release(jobs)
        return len(answer.rows)

    def _job(self, run: int, row: Row) -> Job:
        delivery, edition, check_in, worker, name, address, domain, issued_at, attempts, first, _ = row
        return Job(
            delivery_id=_int(delivery),
            run_id=run,
            edition_id=_int(edition),
            check_in_id=_int(check_in),
            worker_id=_int(worker),
            name=(name or b"").decode(),
            address=(address or b"").decode(),
            issued_at=_instant(issued_at),
            attempts=_int(attempts),
            first_tried_at=None if first is None else _instant(first),
            lane=self._desk.lanes.lane((domain or b"").decode()),
        )

    async def _load_editions(self, ids: set[int]) -> None:
        letters = self._desk.letters
        missing = letters.missing(ids)
        if not missing:
            return
        (answer,) = await self._link.run((b"editions", (array(sorted(missing)),)))
        for edition, sender, shared, compiled in answer.rows:
            letters.learn(
                _int(edition),
                sender=(sender or b"").decode(),
                shared=json.loads(shared or b"{}"),
                compiled=b64decode(compiled or b""),
            )
        needed = {job.edition_id for lane in self._desk.lanes for job in lane.queue}
        letters.forget_old(needed | ids)

    # -- saying how it goes ------------------------------------------------------------------------

    async def tell(self) -> None:
        """Once a second: a sign of life, the rate of the last minute, paces that changed."""
        desk, settings, now = self._desk, self._settings, self._loop.time()
        for relay in desk.relays:
            relay.tick(
                now,
                reply_seconds=settings.reply_seconds,
                body_seconds=settings.body_seconds,
                idle_seconds=settings.idle_seconds,
            )
        sent = sum(relay.sent for relay in desk.relays)
        self._rates.append(sent - self._sent_before)
        self._sent_before = sent
        rate = sum(self._rates) * 60 / len(self._rates)
        relays = json.dumps([relay.report() for relay in desk.relays]).encode()
        at = desk.clock.text()
        statements: list[Statement] = [(b"alive", (at, number(desk.bodies_out), number(rate), relays))]
        paces = self._changed_paces(now)
        if paces:
            statements.append((b"pace", (json.dumps(paces).encode(), at)))
        desk.lanes.forget_idle(MOST_LANES)
        await self._link.run(*statements)
        desk.wake()

    def _changed_paces(self, now: float) -> list[dict[str, object]]:
        changed: list[dict[str, object]] = []
        for lane in self._desk.lanes:
            if lane.patience.win_back(now):
                lane.set_pace()
            pace = lane.patience.per_second and lane.patience.per_second * 60
            if pace != lane.told_pace:
                lane.told_pace = pace
                changed.append({"domain": lane.domain, "pace": pace})
        return changed


def _int(value: bytes | None) -> int:
    return int(value or 0)


def _float(value: bytes | None) -> float | None:
    return None if value is None else float(value)


_known: dict[bytes, datetime] = {}


def _instant(value: bytes | None) -> datetime:
    """Parsed once: a run's deliveries share their instant."""
    value = value or b""
    known = _known.get(value)
    if known is None:
        if len(_known) > 1000:
            _known.clear()
        known = _known[value] = datetime.fromisoformat(value.decode())
    return known


def _texts(values: list[str]) -> bytes:
    """Words as a PostgreSQL array."""
    quoted = ('"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"' for value in values)
    return ("{" + ",".join(quoted) + "}").encode()
