"""The life of the process: stand by, lead, hand over.

Leading means holding one advisory lock in the very session that commits. Whoever loses that session
can release no body any more, so two senders never send the same delivery because both think they lead.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sentinel.channels.email.bulk.clock import Clock
from sentinel.channels.email.bulk.desk import Desk
from sentinel.channels.email.bulk.jobs import Job
from sentinel.channels.email.bulk.ledger import Ledger
from sentinel.channels.email.bulk.postgres import DatabaseGone, Link, Refused
from sentinel.channels.email.bulk.session import Session
from sentinel.channels.email.bulk.settings import Settings
from sentinel.channels.email.bulk.statements import DESK, LEDGER
from sentinel.channels.email.bulk.watch import Watch

logger = logging.getLogger(__name__)

STAND_BY_SECONDS = 0.5
SECONDS_TO_FINISH = 10.0
SECONDS_FOR_ANSWERS = 5.0
LONGEST_PAUSE = 10.0
TICK = 0.02


class Sender:
    """``stop`` ends it: what is under way is finished, what is claimed goes back."""

    def __init__(self, settings: Settings, stop: asyncio.Event) -> None:
        self._settings = settings
        self._stop = stop
        self._clock = Clock()
        self._lost = asyncio.Event()
        self._ledger = Ledger(self._clock, on_begun=_release, on_lost=self._database_lost)

    async def run(self) -> None:
        """Lead whenever it is our turn, until stopped."""
        failures = 0
        while not self._stop.is_set():
            try:
                await self._take_a_turn()
                failures = 0
            except (DatabaseGone, Refused) as error:
                pause = min(LONGEST_PAUSE, 0.25 * 2.0**failures)
                failures = min(failures + 1, 10)
                logger.error("PostgreSQL: %s; the sender goes on in %.1f s", error, pause)
                await self._sleep(pause)

    async def _take_a_turn(self) -> None:
        link = await Link.open(self._settings.conninfo, LEDGER)
        try:
            if not await self._wait_for_leadership(link):
                return
            unclear = await self._ledger.open(link)
            if unclear:
                logger.warning("%d deliveries were on the wire when the last sender ended", unclear)
            self._lost.clear()
            await self._lead(link)
        finally:
            self._ledger.close()
            link.close()

    async def _wait_for_leadership(self, link: Link) -> bool:
        is_told = False
        while not self._stop.is_set():
            (answer,) = await link.run((b"lead", ()))
            if answer.rows[0][0] == b"t":
                logger.info("this sender leads")
                return True
            if not is_told:
                logger.info("another sender leads; standing by")
                is_told = True
            await self._sleep(STAND_BY_SECONDS)
        return False

    async def _lead(self, ledger_link: Link) -> None:
        link = await Link.open(self._settings.conninfo, DESK)
        need = asyncio.Event()
        given_back: list[Callable[[list[Job]], None]] = []
        desk = Desk(
            self._settings,
            self._clock,
            self._ledger,
            on_release=lambda jobs: given_back[0](jobs),
            on_low=need.set,
        )
        watch = Watch(self._settings, link, desk, need)
        given_back.append(watch.release)
        try:
            await watch.look()
            await self._until_over(watch)
        finally:
            if self._stop.is_set() and not self._lost.is_set():
                await self._finish(desk, ledger_link)
            else:
                await self._break_off(desk)
            link.close()

    async def _until_over(self, watch: Watch) -> None:
        """Until stopped, or the database is lost, or something is wrong with us."""
        looking = asyncio.create_task(watch.keep_looking())
        telling = asyncio.create_task(_every_second(watch))
        waiting = [asyncio.create_task(event.wait()) for event in (self._stop, self._lost)]
        tasks = [looking, telling, *waiting]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self._lost.is_set():
            raise DatabaseGone("the session that commits was lost")

    async def _finish(self, desk: Desk, link: Link) -> None:
        """Stopped on purpose: finish what is under way, write it down, give the rest back."""
        desk.stop()
        await self._until(lambda: desk.is_idle or self._lost.is_set(), SECONDS_TO_FINISH)
        desk.drop(with_bodies=True)
        await asyncio.sleep(TICK)  # closed connections need a turn of the loop to be gone
        await self._until(lambda: self._ledger.is_settled or self._lost.is_set(), SECONDS_FOR_ANSWERS)
        if not self._lost.is_set():
            await link.run((b"recover_claimed", ()))
            logger.info("stopped; nothing is under way")

    async def _break_off(self, desk: Desk) -> None:
        """The database is away: no body may leave; answers to those on the wire are still worth hearing."""
        self._ledger.close()
        desk.stop()
        desk.drop(with_bodies=False)
        await self._until(lambda: not desk.bodies_out, SECONDS_FOR_ANSWERS)
        desk.drop(with_bodies=True)
        await self._until(lambda: desk.is_idle, SECONDS_FOR_ANSWERS)

    @staticmethod
    async def _until(is_over: Callable[[], bool], seconds: float) -> None:
        deadline = asyncio.get_running_loop().time() + seconds
        while not is_over() and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(TICK)

    async def _sleep(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            pass

    def _database_lost(self, error: Exception) -> None:
        logger.error("a commit failed: %s", error)
        self._lost.set()


async def _every_second(watch: Watch) -> None:
    while True:
        await watch.tell()
        await asyncio.sleep(1.0)


def _release(session: Session, job: Job) -> None:
    session.release(job)
