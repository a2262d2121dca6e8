"""Listens for mail that comes back, by SMTP or LMTP, on one thread with one event loop.

Only our own signed addresses are taken: a forged one is refused before the mail itself comes, an expired
one is taken all the same, for somebody took the trouble to answer. ``postmaster`` and ``abuse`` are taken
for a person to look at.
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from shutil import disk_usage
from typing import Literal
from weakref import WeakSet

from aiosmtpd.smtp import Envelope, Session
from django.conf import settings

from sentinel.channels.email.inbound.addresses import is_taken
from sentinel.channels.email.inbound.session import Conversation, LocalConversation
from sentinel.channels.email.inbound.writer import GroupWriter, WriterClosed
from sentinel.inbound.keeping import LARGEST, Arrived, Kept

logger = logging.getLogger(__name__)

#: With these two files in the data folder, STARTTLS is offered.
CERTIFICATE, KEY = "inbound-certificate.pem", "inbound-key.pem"
#: How long conversations in the middle of a commit are waited for at the end.
_SECONDS_TO_FINISH = 5.0
_CALLS = {"NOOP": 100, "HELP": 20, "VRFY": 20, "EHLO": 20, "HELO": 20, "LHLO": 20, "*": 1_000_000}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one listener bears. ``seconds`` is the longest silence, and the longest time for 1 MB of a mail.

    ``per_peer`` counts connections from one address of another machine; ``held_bytes`` is what all mails
    that are just coming in may take up, of which another machine has at most half. With less than
    ``free_bytes`` on the disk of the data folder mail is put off: its senders keep it, and a full disk would
    stop all of Sentinel.
    """

    connections: int = 200
    per_peer: int = 50
    recipients: int = 100
    seconds: float = 120.0
    held_bytes: int = 4 * LARGEST
    free_bytes: int = 512 * 1024 * 1024


class Ear:
    """Shared by all conversations of one listener; aiosmtpd calls the ``handle_`` methods."""

    def __init__(self, *, source: str, writer: GroupWriter, limits: Limits) -> None:
        self.source = source
        self._writer = writer
        self._limits = limits
        self._peers: dict[Conversation, str] = {}
        self._per_peer: Counter[str] = Counter()
        self._held = 0
        self._held_by: Counter[str] = Counter()
        self.committing = 0

    def enter(self, session: Conversation) -> bool:
        peer = _peer_of(session)
        is_full = len(self._peers) >= self._limits.connections or (
            self._per_peer[peer] >= self._limits.per_peer and not _is_this_machine(peer)
        )
        if not is_full:
            self._peers[session] = peer
            self._per_peer[peer] += 1
        return not is_full

    def leave(self, session: Conversation) -> None:
        peer = self._peers.pop(session, None)
        if peer is not None:
            self._per_peer[peer] -= 1
            if not self._per_peer[peer]:
                del self._per_peer[peer]

    def reserve(self, session: Conversation, size: int) -> bool:
        peer = self._peers.get(session, "")
        share = self._limits.held_bytes // (1 if _is_this_machine(peer) else 2)
        if self._held + size > self._limits.held_bytes or self._held_by[peer] + size > share:
            return False
        self._held += size
        self._held_by[peer] += size
        return True

    def release(self, session: Conversation, size: int) -> None:
        peer = self._peers.get(session, "")
        self._held -= size
        self._held_by[peer] -= size
        if not self._held_by[peer]:
            del self._held_by[peer]

    async def keep(self, mails: list[Arrived]) -> list[Kept | BaseException]:
        self.committing += 1
        try:
            return await self._writer.keep_soon(mails)
        except WriterClosed as error:
            return [error] * len(mails)
        finally:
            self.committing -= 1

    async def handle_EHLO(  # noqa: N802
        self,
        _server: Conversation,
        session: Session,
        _envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", "250-ENHANCEDSTATUSCODES", responses[-1]]

    async def handle_MAIL(  # noqa: N802
        self,
        _server: Conversation,
        _session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        if disk_usage(settings.DATA_DIR).free < self._limits.free_bytes:
            return "452 4.3.1 the disk is nearly full here; please try again later"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 go on"

    async def handle_RCPT(  # noqa: N802
        self,
        _server: Conversation,
        _session: Session,
        envelope: Envelope,
        address: str,
        _options: list[str],
    ) -> str:
        if not is_taken(address):
            return "550 5.1.1 nobody is reached under this address"
        if len(envelope.rcpt_tos) >= self._limits.recipients:
            return "452 4.5.3 too many recipients for one mail"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 go on"

    async def handle_RSET(self, _server: Conversation, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
        return "250 2.0.0 forgotten"

    async def handle_NOOP(  # noqa: N802
        self, _server: Conversation, _session: Session, _envelope: Envelope, _arg: str
    ) -> str:
        return "250 2.0.0 still here"

    async def handle_exception(self, error: Exception) -> str:
        logger.error("a conversation failed; its client will try again", exc_info=error)
        return "451 4.3.0 something is wrong here; please try again later"


def _peer_of(session: Conversation) -> str:
    peer = session.transport and session.transport.get_extra_info("peername")
    return str(peer[0]) if peer else ""


def _is_this_machine(peer: str) -> bool:
    try:
        return ip_address(peer.partition("%")[0]).is_loopback
    except ValueError:
        return True  # a socket of this machine has no address


def _tls(folder: Path) -> ssl.SSLContext | None:
    """STARTTLS with the certificate in the data folder, if there is one."""
    certificate, key = folder / CERTIFICATE, folder / KEY
    if not (certificate.is_file() and key.is_file()):
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context


@contextmanager
def listening(
    *, protocol: Literal["smtp", "lmtp"], host: str, port: int = 0, limits: Limits | None = None
) -> Iterator[int]:
    """Listen for the length of the block; yields the port (0 chooses a free one).

    Raises OSError when the port cannot be had. At the end, mails that are being committed are still
    answered; conversations that wait for their client are cut off.
    """
    limits, tls = limits or Limits(), _tls(Path(settings.DATA_DIR))
    kind = LocalConversation if protocol == "lmtp" else Conversation
    loop, writer = asyncio.new_event_loop(), GroupWriter()
    ear = Ear(source=protocol, writer=writer, limits=limits)

    conversations: WeakSet[Conversation] = WeakSet()

    def converse() -> Conversation:
        conversation = kind(
            ear,
            hostname=settings.INBOUND_DOMAIN,
            ident="Sentinel",
            data_size_limit=LARGEST,
            enable_SMTPUTF8=True,
            timeout=limits.seconds,
            command_call_limit=_CALLS,
            tls_context=tls,
            loop=loop,
        )
        conversations.add(conversation)
        return conversation

    try:
        server = loop.run_until_complete(loop.create_server(converse, host, port, backlog=512))
        thread = threading.Thread(target=loop.run_forever, name="ear", daemon=True)
        thread.start()
        try:
            yield int(server.sockets[0].getsockname()[1])
        finally:
            asyncio.run_coroutine_threadsafe(_shut(server, ear, conversations), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join(timeout=5)
    finally:
        writer.close()
        loop.close()


async def _shut(server: asyncio.Server, ear: Ear, conversations: WeakSet[Conversation]) -> None:
    loop = asyncio.get_running_loop()
    for listening_socket in server.sockets:
        loop.remove_reader(listening_socket.fileno())
    # What was accepted a moment ago becomes a conversation first: a closed server would lose it, and its
    # client would wait for a word for minutes.
    for _ in range(3):
        await asyncio.sleep(0)
    server.close()
    waits = 100
    while ear.committing and waits:
        waits -= 1
        await asyncio.sleep(_SECONDS_TO_FINISH / 100)
    await asyncio.sleep(0)  # the answers to what was just committed
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for conversation in list(conversations):
        conversation.hang_up()
    for _ in range(5):  # sockets are closed in the loop's next rounds
        await asyncio.sleep(0)
