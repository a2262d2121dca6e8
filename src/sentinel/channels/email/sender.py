"""Hands mail to an SMTP server, one kept-open connection per thread.

What may be repeated: everything. A try that ends unclearly after the body was sent is reported as
transient and repeated with the same Message-ID, Date and bytes.
"""

from __future__ import annotations

import logging
import re
import smtplib
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import cast

from sentinel.channels.base import Capabilities, Sent
from sentinel.channels.email.dkim import Signer
from sentinel.channels.email.mime import BadAddress, CannotBeBuilt, Envelope, build
from sentinel.outbox.rules import Result
from sentinel.outbox.services import LEASE, Claimed

logger = logging.getLogger(__name__)

#: Longest silence of the server that is waited for: a third of the lease.
STEP_SECONDS = LEASE.total_seconds() / 3
#: Longest whole try, connecting included: two thirds of the lease, so that it is settled in time.
TRY_SECONDS = LEASE.total_seconds() * 2 / 3
#: Relays dislike connections that live for ever.
MESSAGES_PER_CONNECTION = 100
_ENHANCED = re.compile(rb"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


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


class _Stage(StrEnum):
    """How far a try came; decides what a refusal means."""

    CONNECT = "connect"  # greeting, TLS, sign-in: about us, never about the message
    SENDER = "MAIL FROM"
    RECIPIENT = "RCPT TO"
    DATA = "DATA"
    BODY = "end of data"  # the server may have the mail already


class _Refused(Exception):
    """The server answered with a 4xx or 5xx code."""

    def __init__(self, stage: _Stage, code: int, answer: bytes) -> None:
        super().__init__(stage, code, answer)
        self.stage, self.code, self.answer = stage, code, answer


class _Lost(Exception):
    """The connection failed or fell silent."""

    def __init__(self, stage: _Stage, why: str) -> None:
        super().__init__(stage, why)
        self.stage, self.why = stage, why


class _Connection:
    """One SMTP session. Every step has a time limit, and so have all steps of a try together."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._smtp: smtplib.SMTP | None = None
        self.sent = 0

    def open(self, deadline: float) -> None:
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
            raise _Refused(_Stage.CONNECT, error.smtp_code, _bytes(error.smtp_error)) from error
        except (OSError, smtplib.SMTPException, ssl.SSLError) as error:
            raise _Lost(_Stage.CONNECT, _words(error)) from error

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

    def deliver(self, mail: Envelope, deadline: float) -> str:
        """One mail transaction; returns the server's last answer. Raises _Refused or _Lost."""
        options = ["SMTPUTF8"] if not (mail.recipient.isascii() and mail.sender.isascii()) else []
        if options and not self._smtp_now().has_extn("smtputf8"):
            raise _Refused(
                _Stage.RECIPIENT, 553, b"5.6.7 the mail server cannot take this address (SMTPUTF8)"
            )
        self._ask(_Stage.SENDER, lambda smtp: smtp.mail(mail.sender, options), deadline, 250)
        self._ask(_Stage.RECIPIENT, lambda smtp: smtp.rcpt(mail.recipient), deadline, 250, 251)
        self._ask(_Stage.DATA, lambda smtp: smtp.docmd("DATA"), deadline, 354)
        answer = self._ask(_Stage.BODY, lambda smtp: self._body(smtp, mail), deadline, 250)
        self.sent += 1
        return answer.decode(errors="replace")

    @staticmethod
    def _body(smtp: smtplib.SMTP, mail: Envelope) -> tuple[int, bytes]:
        # Lines that begin with a dot get a second one (RFC 5321, 4.5.2); the content has CRLF lines.
        smtp.send(re.sub(rb"(?m)^\.", b"..", mail.content) + b".\r\n")
        return smtp.getreply()

    def _ask(
        self,
        stage: _Stage,
        ask: Callable[[smtplib.SMTP], tuple[int, bytes]],
        deadline: float,
        *expected: int,
    ) -> bytes:
        try:
            self._limit(deadline)
            code, answer = ask(self._smtp_now())
        except (OSError, smtplib.SMTPException) as error:
            raise _Lost(stage, _words(error)) from error
        if code not in expected:
            raise _Refused(stage, code, answer)
        return answer

    def reset(self, deadline: float) -> bool:
        """Make the session ready for the next mail after a refusal."""
        try:
            self._limit(deadline)
            return self._smtp_now().rset()[0] == 250
        except (OSError, smtplib.SMTPException):
            return False

    def close(self) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is None:
            return
        try:
            if smtp.sock is not None:
                smtp.sock.settimeout(1)
                smtp.docmd("QUIT")
        except (OSError, smtplib.SMTPException):
            pass  # the server is gone already
        finally:
            smtp.close()

    def drop(self) -> None:
        """Close without a word: the other side is silent or confused."""
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            smtp.close()

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
        smtp = self._smtp_now()
        if smtp.sock is None:
            raise smtplib.SMTPServerDisconnected("not connected")
        smtp.sock.settimeout(self._step(deadline))


class EmailSender:
    """The channel ``email``. With a ``signer`` every mail is signed by us, for relays that do not sign."""

    channel = "email"

    def __init__(self, server: SmtpServer, *, connections: int = 4, signer: Signer | None = None) -> None:
        self._server = server
        self._signer = signer
        self._mine = threading.local()
        self.capabilities = Capabilities(may_repeat=True, connections=connections, batch=1)

    def _signed(self, mail: Envelope) -> Envelope:
        if self._signer is None:
            return mail
        return replace(mail, content=self._signer.sign(mail.content) + mail.content)

    def send(self, message: Claimed, now: datetime) -> Sent:
        """Try once; see :class:`~sentinel.channels.base.Sender`."""
        deadline = time.monotonic() + self._server.try_seconds
        try:
            mail = self._signed(build(message))
        except CannotBeBuilt as error:
            return self._result(Result.PERMANENT, str(error), refused=isinstance(error, BadAddress))
        if mail.is_large:
            logger.warning("mail %s is %s bytes; some programs will clip it", message.kind, len(mail.content))
        try:
            return self._result(Result.ACCEPTED, self._deliver(mail, deadline), ref=mail.message_id)
        except _Refused as refusal:
            self._after_refusal(refusal, deadline)
            return self._judge(refusal, mail)
        except _Lost as loss:
            self._drop()
            return self._result(Result.TRANSIENT, f"{loss.stage}: {loss.why}", ref=mail.message_id)

    def close(self) -> None:
        """Close this thread's connection."""
        connection = self._current()
        if connection is not None:
            connection.close()
            self._mine.connection = None

    def _deliver(self, mail: Envelope, deadline: float) -> str:
        connection = self._current()
        if connection is not None and connection.sent >= MESSAGES_PER_CONNECTION:
            self.close()
            connection = None
        if connection is not None:
            try:
                return connection.deliver(mail, deadline)
            except _Lost as loss:
                # A kept connection may have been closed meanwhile; nothing of this mail was handed over.
                if loss.stage is not _Stage.SENDER:
                    raise
                self._drop()
            except _Refused as refusal:
                if (refusal.stage, refusal.code) != (_Stage.SENDER, 421):
                    raise
                self._drop()
        return self._connect(deadline).deliver(mail, deadline)

    def _connect(self, deadline: float) -> _Connection:
        connection = self._mine.connection = _Connection(self._server)
        connection.open(deadline)
        return connection

    def _current(self) -> _Connection | None:
        return cast(_Connection | None, getattr(self._mine, "connection", None))

    def _drop(self) -> None:
        connection = self._current()
        if connection is not None:
            connection.drop()
            self._mine.connection = None

    def _after_refusal(self, refusal: _Refused, deadline: float) -> None:
        connection = self._current()
        usable = refusal.stage is not _Stage.CONNECT and refusal.code != 421
        if connection is not None and not (usable and connection.reset(deadline)):
            self._drop()

    def _judge(self, refusal: _Refused, mail: Envelope) -> Sent:
        detail = f"{refusal.stage}: {refusal.code} {refusal.answer.decode(errors='replace')}"
        result = Result.PERMANENT if _is_permanent(refusal) else Result.TRANSIENT
        refused = result is Result.PERMANENT and _is_about_address(refusal)
        return self._result(result, detail, ref=mail.message_id, refused=refused)

    def _result(self, result: Result, detail: str, *, ref: str = "", refused: bool = False) -> Sent:
        return Sent(
            result=result,
            detail=detail,
            provider=f"smtp:{self._server.host}"[:40],
            provider_ref=ref,
            address_refused=refused,
        )


def _is_permanent(refusal: _Refused) -> bool:
    """Whether the answer is about this message. Our own set-up being wrong must lose no mail."""
    if refusal.code < 500 or refusal.stage is _Stage.CONNECT:
        return False
    wants_sign_in = refusal.code in (503, 530, 534, 535, 538)
    return not wants_sign_in


def _is_about_address(refusal: _Refused) -> bool:
    """Whether nobody lives there, in contrast to a policy that refuses us (5.7.x)."""
    found = _ENHANCED.search(refusal.answer)
    enhanced = (int(found.group(2)), int(found.group(3))) if found else None
    if refusal.stage is _Stage.RECIPIENT:
        if enhanced is None:
            return refusal.code in (550, 551, 553)
        # 5.1.x: no such address. 5.2.1: the mailbox is closed; 5.2.2, a full one, may be emptied.
        return enhanced[0] == 1 or enhanced == (2, 1)
    return refusal.stage is _Stage.BODY and enhanced is not None and enhanced[0] == 1


def _bytes(answer: bytes | str) -> bytes:
    return answer if isinstance(answer, bytes) else answer.encode(errors="replace")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]
