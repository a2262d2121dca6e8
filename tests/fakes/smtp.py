"""A real SMTP server on loopback whose answers are scripted; it remembers every mail it accepted."""

from __future__ import annotations

import asyncio
import logging
import re
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.fakes.loopback import LoopbackServer

logging.getLogger("mail.log").setLevel(logging.WARNING)
_MESSAGE_ID = re.compile(rb"^Message-ID: *(\S+)", re.MULTILINE | re.IGNORECASE)


@dataclass
class Kept:
    """One mail the server took: envelope and bytes."""

    sender: str
    recipients: list[str]
    content: bytes

    @property
    def message_id(self) -> str:
        found = _MESSAGE_ID.search(self.content)
        return found.group(1).decode() if found else ""


@dataclass
class _Script:
    """What to answer next at each step; an empty queue means to accept."""

    mail: deque[str] = field(default_factory=deque)
    rcpt: deque[str] = field(default_factory=deque)
    data: deque[str] = field(default_factory=deque)


class SmtpServer(LoopbackServer):
    """``with SmtpServer() as server:``, then talk to ``server.port``.

    ``on_mail``, ``on_rcpt``, ``on_data`` script the next answers. The words ``hang`` (say nothing for
    ever), ``drop`` (close the connection) and ``keep and drop`` (take the mail, then close without a
    word) are special.
    """

    def __init__(self, *, user: str = "", password: str = "") -> None:
        super().__init__()
        self._script = _Script()
        self._login = (user, password)
        self._lock = threading.Lock()
        self._kept: list[Kept] = []
        self.sessions = 0
        # Kept here: a task that waits for what nobody holds is swept away as garbage.
        self._never = asyncio.Event()
        self.on_kept: Callable[[Kept], None] | None = None

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(self._session, "127.0.0.1", self.port)

    def _session(self) -> SMTP:
        self.sessions += 1
        wants_login = bool(self._login[0])
        return SMTP(
            self,
            hostname="sink.invalid",
            enable_SMTPUTF8=True,
            loop=self._loop,
            auth_require_tls=False,
            authenticator=self._authenticate if wants_login else None,
        )

    def _authenticate(
        self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        good = (
            isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode()) == self._login
        )
        return AuthResult(success=good, handled=good)

    def on_mail(self, *answers: str) -> None:
        self._script.mail.extend(answers)

    def on_rcpt(self, *answers: str) -> None:
        self._script.rcpt.extend(answers)

    def on_data(self, *answers: str) -> None:
        self._script.data.extend(answers)

    @property
    def kept(self) -> list[Kept]:
        with self._lock:
            return list(self._kept)

    @property
    def message_ids(self) -> list[str]:
        return [mail.message_id for mail in self.kept]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self._login[0] and not session.authenticated:
            return "530 5.7.0 sign in first"
        answer = await self._answer(self._script.mail, server)
        if answer.startswith("250"):
            envelope.mail_from = address
        return answer

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        answer = await self._answer(self._script.rcpt, server)
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content
        mail = Kept(
            sender=envelope.mail_from or "",
            recipients=list(envelope.rcpt_tos),
            content=content if isinstance(content, bytes) else str(content).encode(),
        )
        if self._script.data and self._script.data[0] == "keep and drop":
            self._keep(mail)
        answer = await self._answer(self._script.data, server)
        if answer.startswith("250"):
            self._keep(mail)
        return answer

    def _keep(self, mail: Kept) -> None:
        with self._lock:
            self._kept.append(mail)
            if self.on_kept is not None:
                self.on_kept(mail)

    async def _answer(self, script: deque[str], server: SMTP) -> str:
        answer = script.popleft() if script else "250 2.0.0 fine"
        if answer == "hang":
            await self._never.wait()
        transport = cast(asyncio.Transport, server.transport)
        if answer in ("drop", "keep and drop"):
            transport.abort()
            await self._never.wait()
        if answer.startswith("421"):
            await server.push(answer)
            transport.close()
            await self._never.wait()
        return answer
