"""One SMTP connection that is kept open. Every answer has a time limit, and so has a whole try.

The standard library opens it (greeting, encryption, sign-in); from then on we speak ourselves, because the
standard library waits for each answer before it says the next word. Waiting is done in short steps that are
handed to the caller, who has other things to do meanwhile.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias, TypeVar

from sentinel.outbox.services import LEASE
from sentinel.ui.mime import Envelope

#: Longest silence of the server that is waited for: a third of the lease.
STEP_SECONDS = LEASE.total_seconds() / 3
#: Longest whole try, connecting included: two thirds of the lease, so that it is settled in time.
TRY_SECONDS = LEASE.total_seconds() * 2 / 3
#: After so long without a word the caller gets a moment for other things.
TICK_SECONDS = 0.02
_LONGEST_REPLY = 65_536
_AT_LINE_START = re.compile(rb"(?m)^\.")


_Got = TypeVar("_Got")
#: Yields when the server is slow; returns what was waited for.
Waiting: TypeAlias = Generator[None, None, _Got]


class Tls(StrEnum):
    """How the connection is encrypted."""

    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


@dataclass(frozen=True, kw_only=True)
class SmtpServer:
    """Where mail is handed over. ``step_seconds`` bounds one answer, ``try_seconds`` one whole try."""

    host: str
    port: int
    username: str = ""
    password: str = field(default="", repr=False)
    tls: Tls = Tls.NONE
    hello_name: str = ""
    step_seconds: float = STEP_SECONDS
    try_seconds: float = TRY_SECONDS


class Stage(StrEnum):
    """How far a try came; decides what a refusal means."""

    CONNECT = "connect"  # greeting, TLS, sign-in: about us, never about the message
    SENDER = "MAIL FROM"
    RECIPIENT = "RCPT TO"
    DATA = "DATA"
    BODY = "end of data"  # the server may have the mail already


_ENVELOPE = ((Stage.SENDER, (250,)), (Stage.RECIPIENT, (250, 251)), (Stage.DATA, (354,)))


class Refused(Exception):
    """The server answered with a 4xx or 5xx code."""

    def __init__(self, stage: Stage, code: int, answer: bytes) -> None:
        super().__init__(stage, code, answer)
        self.stage, self.code, self.answer = stage, code, answer


class Lost(Exception):
    """The connection failed or fell silent."""

    def __init__(self, stage: Stage, why: str) -> None:
        super().__init__(stage, why)
        self.stage, self.why = stage, why


class Connection:
    """One SMTP session. What waits for the server yields until it has answered (``yield from``)."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._smtp: smtplib.SMTP | None = None
        self._unread = b""
        self.sent = 0
        self.can_pipeline = False

    def open(self, deadline: float) -> None:
        """Greet, encrypt, sign in. Raises Refused or Lost, both about the stage CONNECT."""
        server = self._server
        try:
            self._smtp = smtp = self._dial(deadline)
            self._limit(deadline)
            smtp.ehlo_or_helo_if_needed()
            if server.tls is Tls.STARTTLS:
                self._limit(deadline)
                smtp.starttls(context=ssl.create_default_context())
                smtp.ehlo()
            if server.username:
                self._limit(deadline)
                smtp.login(server.username, server.password)
        except smtplib.SMTPResponseException as error:
            raise Refused(Stage.CONNECT, error.smtp_code, _bytes(error.smtp_error)) from error
        except (OSError, smtplib.SMTPException, ssl.SSLError) as error:
            raise Lost(Stage.CONNECT, _words(error)) from error
        self.can_pipeline = smtp.has_extn("pipelining")

    def _dial(self, deadline: float) -> smtplib.SMTP:
        # The host goes to the constructor: smtplib checks the certificate against that one only.
        server, timeout = self._server, self._step(deadline)
        name = server.hello_name or None
        if server.tls is Tls.IMPLICIT:
            context = ssl.create_default_context()
            return smtplib.SMTP_SSL(
                server.host, server.port, local_hostname=name, timeout=timeout, context=context
            )
        return smtplib.SMTP(server.host, server.port, local_hostname=name, timeout=timeout)

    # -- one mail ----------------------------------------------------------------------------------

    def offer(self, mail: Envelope, deadline: float, *, behind: bytes = b"") -> None:
        """Say whose mail comes and for whom, ``behind`` the body of the mail before it.

        With pipelining all three commands leave at once, and their answers are awaited together.
        """
        commands = self._commands(mail)
        stage = Stage.BODY if behind else Stage.SENDER
        self._write(behind + b"".join(commands if self.can_pipeline else ()), deadline, stage)

    def granted(self, mail: Envelope, deadline: float) -> Waiting[None]:
        """Wait until the server is ready for the body of what was offered. Raises Refused or Lost.

        A refusal leaves the session ready for :meth:`reset`, unless it was 421.
        """
        refusal: Refused | None = None
        commands = self._commands(mail)
        for number, (stage, expected) in enumerate(_ENVELOPE):
            if not self.can_pipeline:
                self._write(commands[number], deadline, stage)
            code, answer = yield from self._reply(stage, deadline)
            if code not in expected:
                refusal = refusal or Refused(stage, code, answer)
                if code == 421 or not self.can_pipeline:
                    raise refusal
        if refusal is None:
            return
        if code == 354:
            # The server waits for a body although nobody may get it (RFC 2920, 3.1).
            self._write(b".\r\n", deadline, Stage.DATA)
            yield from self._reply(Stage.DATA, deadline)
        raise refusal

    @staticmethod
    def body(mail: Envelope) -> bytes:
        """The mail's bytes on the wire: a dot at a line's beginning is doubled (RFC 5321, 4.5.2)."""
        content = mail.content
        if b"\n." in content or content.startswith(b"."):
            content = _AT_LINE_START.sub(b"..", content)
        return content + b".\r\n"

    def send_body(self, body: bytes, deadline: float) -> None:
        """Send the last of a mail. From here on the server may have it."""
        self._write(body, deadline, Stage.BODY)

    def taken(self, deadline: float) -> Waiting[str]:
        """Wait until the server has taken the mail; returns its words. Raises Refused or Lost."""
        code, answer = yield from self._reply(Stage.BODY, deadline)
        if code != 250:
            raise Refused(Stage.BODY, code, answer)
        self.sent += 1
        return answer.decode(errors="replace")

    def takes(self, mail: Envelope) -> bool:
        """Whether the server can be told these addresses at all."""
        return _is_plain(mail) or self._smtp_now().has_extn("smtputf8")

    def _commands(self, mail: Envelope) -> tuple[bytes, bytes, bytes]:
        if not self.takes(mail):
            raise Refused(Stage.RECIPIENT, 553, b"5.6.7 the mail server cannot take this address (SMTPUTF8)")
        option = "" if _is_plain(mail) else " SMTPUTF8"
        return (
            f"MAIL FROM:<{mail.sender}>{option}\r\n".encode(),
            f"RCPT TO:<{mail.recipient}>\r\n".encode(),
            b"DATA\r\n",
        )

    # -- the end -----------------------------------------------------------------------------------

    def reset(self, deadline: float) -> bool:
        """Make the session ready for the next mail after a refusal."""
        try:
            self._write(b"RSET\r\n", deadline, Stage.SENDER)
            waiting = self._reply(Stage.SENDER, deadline)
            while True:
                next(waiting)
        except StopIteration as answered:
            return bool(answered.value[0] == 250)
        except Lost:
            return False

    def close(self) -> None:
        """Say goodbye."""
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            if smtp.sock is not None:
                smtp.sock.settimeout(1)
                smtp.sock.sendall(b"QUIT\r\n")
                smtp.sock.recv(512)
        except OSError:
            pass  # the server is gone already
        finally:
            smtp.close()

    def drop(self) -> None:
        """Close without a word: the other side is silent or confused."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

    # -- the wire ----------------------------------------------------------------------------------

    def _write(self, data: bytes, deadline: float, stage: Stage = Stage.SENDER) -> None:
        if not data:
            return
        try:
            self._limit(deadline)
            self._socket().sendall(data)
        except (OSError, smtplib.SMTPException) as error:
            raise Lost(stage, _words(error)) from error

    def _reply(self, stage: Stage, deadline: float) -> Waiting[tuple[int, bytes]]:
        """Wait for one whole reply; returns its code and text. Yields once, when it does not come at once."""
        lines: list[bytes] = []
        until = min(time.monotonic() + self._server.step_seconds, deadline)
        was_told = False
        while True:
            line, newline, rest = self._unread.partition(b"\n")
            if newline:
                self._unread = rest
                if not line[:3].isdigit():
                    raise Lost(stage, f"the server does not speak SMTP: {line[:80]!r}")
                lines.append(line[4:].strip())
                if line[3:4] != b"-":
                    return int(line[:3]), b"\n".join(lines)
            elif len(self._unread) > _LONGEST_REPLY or len(lines) > _LONGEST_REPLY // 64:
                raise Lost(stage, "the server's reply has no end")
            elif not self._receive(stage, until, until if was_told else time.monotonic() + TICK_SECONDS):
                was_told = True
                yield

    def _receive(self, stage: Stage, until: float, patient_until: float) -> bool:
        """Read what has come; False when nothing came for a moment. Raises Lost at ``until``."""
        try:
            sock = self._socket()
            sock.settimeout(max(0.001, min(until, patient_until) - time.monotonic()))
            data = sock.recv(65_536)
        except TimeoutError as error:
            if time.monotonic() >= until:
                raise Lost(stage, "TimeoutError: no answer in time") from error
            return False
        except (OSError, smtplib.SMTPException) as error:
            raise Lost(stage, _words(error)) from error
        if not data:
            raise Lost(stage, "SMTPServerDisconnected: Connection unexpectedly closed")
        self._unread += data
        return True

    def _socket(self) -> socket.socket:
        sock = self._smtp_now().sock
        if sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        return sock

    def _smtp_now(self) -> smtplib.SMTP:
        if self._smtp is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        return self._smtp

    def _step(self, deadline: float) -> float:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the try took too long")
        return min(self._server.step_seconds, left)

    def _limit(self, deadline: float) -> None:
        self._socket().settimeout(self._step(deadline))


def _is_plain(mail: Envelope) -> bool:
    return mail.recipient.isascii() and mail.sender.isascii()


def _bytes(answer: bytes | str) -> bytes:
    return answer if isinstance(answer, bytes) else answer.encode(errors="replace")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]
