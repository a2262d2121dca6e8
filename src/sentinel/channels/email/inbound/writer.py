"""Group commit: mails that arrive at the same time share one transaction, and thus one wait for the disk.

One thread writes; while it waits for the database the next mails gather. An event loop hands mails over
without ever waiting for the database itself.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress

from django.db import Error, InterfaceError, OperationalError, connections

from sentinel.inbound import keeping
from sentinel.inbound.keeping import Arrived, Kept
from sentinel.kernel import clock

logger = logging.getLogger(__name__)

_MOST_MAILS = 200
_MOST_BYTES = 16 * 1024 * 1024
#: The database is out of reach, or was for a moment: each mail by itself would fare no better.
_AWAY = (OperationalError, InterfaceError)


class WriterClosed(RuntimeError):
    """The writer was closed before it could keep this mail."""


class GroupWriter:
    """``keep`` from any thread; ``close`` keeps what was handed over and then ends."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Arrived, Future[Kept]]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread = threading.Thread(target=self._work, name="ear-writer", daemon=True)
        self._thread.start()

    def keep(self, mails: Sequence[Arrived]) -> list[Future[Kept]]:
        """One future per mail, done when the mail is committed; else it raises what went wrong."""
        futures: list[Future[Kept]] = [Future() for _ in mails]
        with self._changed:
            if self._is_closed:
                raise WriterClosed("no more mail is taken")
            self._waiting.extend(zip(mails, futures, strict=True))
            self._changed.notify()
        return futures

    async def keep_soon(self, mails: Sequence[Arrived]) -> list[Kept | BaseException]:
        """The same for an event loop: per mail its row, or why it could not be kept."""
        wrapped = [asyncio.wrap_future(future) for future in self.keep(mails)]
        # A client that goes away cancels its session, never the commit of what it handed over.
        return await asyncio.gather(*map(asyncio.shield, wrapped), return_exceptions=True)

    def close(self) -> None:
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        try:
            while batch := self._next_batch():
                self._keep(batch)
        finally:
            _close_connections()

    def _next_batch(self) -> list[tuple[Arrived, Future[Kept]]]:
        """Everything that waits, within bounds; empty when the writer is closed and nothing is left."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            batch: list[tuple[Arrived, Future[Kept]]] = []
            size = 0
            while self._waiting and len(batch) < _MOST_MAILS and size < _MOST_BYTES:
                mail, future = self._waiting.popleft()
                future.set_running_or_notify_cancel()  # from here on nobody can take it back
                batch.append((mail, future))
                size += len(mail.raw)
            return batch

    def _keep(self, batch: list[tuple[Arrived, Future[Kept]]]) -> None:
        try:
            kept = self._keep_at_once_or_again([mail for mail, _ in batch])
        except Exception as error:
            if len(batch) > 1 and not isinstance(error, _AWAY):
                # One that cannot be stored must not hold up the others.
                for one in batch:
                    self._keep([one])
                return
            logger.warning("%s mails could not be kept; their senders try again: %s", len(batch), error)
            for _, future in batch:
                future.set_exception(error)
            return
        for (_, future), row in zip(batch, kept, strict=True):
            future.set_result(row)

    @staticmethod
    def _keep_at_once_or_again(mails: list[Arrived]) -> list[Kept]:
        try:
            return keeping.keep_mails(mails=mails, now=clock.now())
        except _AWAY:
            # A connection that died while nobody used it is found out only now. A commit whose answer was
            # lost does no harm: the same mail is the same row.
            _close_connections()
        try:
            return keeping.keep_mails(mails=mails, now=clock.now())
        except Error:
            _close_connections()
            raise


def _close_connections() -> None:
    with suppress(Error):
        connections.close_all()
