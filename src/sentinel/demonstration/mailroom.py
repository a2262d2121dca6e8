"""The mail room: a real SMTP server on loopback that keeps every mail it is given."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import Error, connections

from sentinel.demonstration.services import catch_mail, refuse_outside_demonstration
from sentinel.kernel import clock

logger = logging.getLogger(__name__)
# aiosmtpd writes a line for every command of every session.
logging.getLogger("mail.log").setLevel(logging.WARNING)

HOST = "127.0.0.1"
_LARGEST = 5 * 1024 * 1024


class _Room:
    """aiosmtpd's handler: answers "accepted" only after the mail is in the database."""

    def __init__(self) -> None:
        # One thread, hence one database connection; the event loop itself may not touch the database.
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="mailroom-writer")

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._writer, self._keep, envelope)
        except Error:
            logger.warning("the mail room cannot reach the database", exc_info=True)
            return "451 4.3.0 try again in a moment"
        return "250 2.0.0 kept"

    @staticmethod
    def _keep(envelope: Envelope) -> None:
        content = envelope.content
        raw = content if isinstance(content, bytes) else str(content or "").encode()
        try:
            catch_mail(
                sender=envelope.mail_from or "", recipients=list(envelope.rcpt_tos), raw=raw, now=clock.now()
            )
        except Error:
            connections.close_all()
            raise

    def close(self) -> None:
        self._writer.submit(connections.close_all)
        self._writer.shutdown()


@contextmanager
def listening(port: int = 0) -> Iterator[int]:
    """Run the mail room for the length of the block; yields its port (0 chooses a free one).

    Refuses outside demonstration mode; raises OSError when the port is taken.
    """
    refuse_outside_demonstration()
    room, loop = _Room(), asyncio.new_event_loop()
    server = loop.run_until_complete(
        loop.create_server(
            lambda: SMTP(
                room, hostname="mailroom.invalid", data_size_limit=_LARGEST, enable_SMTPUTF8=True, loop=loop
            ),
            HOST,
            port,
        )
    )
    thread = threading.Thread(target=loop.run_forever, name="mailroom", daemon=True)
    thread.start()
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        asyncio.run_coroutine_threadsafe(_shut(server), loop).result(timeout=5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=5)
        room.close()
        loop.close()


async def _shut(server: asyncio.Server) -> None:
    server.close()
    # Sessions that are still open end here, or the loop would be closed under them.
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    await asyncio.sleep(0)


def run_until(stop: threading.Event, *, port: int) -> None:
    """Serve until ``stop`` is set."""
    with listening(port) as taken:
        logger.info("the mail room listens on %s:%s", HOST, taken)
        stop.wait()
