"""Hands mail to an SMTP server, one kept-open connection per thread.

With PIPELINING (RFC 2920) the body of one mail and the envelope of the next leave in one write, so a mail
costs one round trip. What may be repeated: everything. A try that ends unclearly after the body was sent is
reported as transient and repeated with the same Message-ID, Date and bytes.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias, cast

from sentinel.channels.base import Capabilities, Sent, Tried
from sentinel.channels.email.connection import Connection, Lost, Refused, SmtpServer, Stage, Tls
from sentinel.channels.email.dkim import Signer
from sentinel.channels.email.mime import BadAddress, CannotBeBuilt, Envelope, build
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed

__all__ = ["EmailSender", "SmtpServer", "Tls"]

logger = logging.getLogger(__name__)

#: Relays dislike connections that live for ever.
MESSAGES_PER_CONNECTION = 100
#: So many messages one connection leases at once at most ...
BATCH = 100
#: ... and so many may have been taken by the server and not yet written down.
TOGETHER = 20
#: A mail whose turn does not come within this time, because the one before it hangs, waits for its next try.
PATIENCE_SECONDS = 1.0
_ENHANCED = re.compile(rb"\b([245])\.(\d{1,3})\.(\d{1,3})\b")


@dataclass
class _Job:
    """One mail on its way. ``is_offered``: its envelope went out behind the body of the one before."""

    message: Claimed
    mail: Envelope
    pulled_at: float
    deadline: float = 0.0
    is_offered: bool = False


_Results: TypeAlias = Generator[Tried | None, None, _Job | None]


class EmailSender:
    """The channel ``email``. With a ``signer`` every mail is signed by us, for relays that do not sign."""

    channel = "email"

    def __init__(self, server: SmtpServer, *, connections: int = 4, signer: Signer | None = None) -> None:
        self._server = server
        self._signer = signer
        self._mine = threading.local()
        self.capabilities = Capabilities(
            may_repeat=True, connections=connections, batch=BATCH, together=TOGETHER
        )

    def send(self, message: Claimed, now: datetime) -> Sent:
        """Try once; see :class:`~sentinel.channels.base.Sender`."""
        (sent,) = [tried[1] for tried in self.send_many([message]) if tried is not None]
        return sent

    def send_many(self, messages: Iterable[Claimed]) -> Generator[Tried | None, None, None]:
        """Try one after the other; see :class:`~sentinel.channels.base.ManySender`."""
        queue = iter(messages)
        try:
            job = yield from self._next_job(queue)
            while job is not None:
                job = yield from self._try(job, queue)
        except GeneratorExit:
            self._drop()  # something may be half said
            raise

    def close(self) -> None:
        """Close this thread's connection."""
        connection = self._current()
        if connection is not None:
            connection.close()
            self._mine.connection = None

    def _next_job(self, queue: Iterator[Claimed]) -> _Results:
        for message in queue:
            try:
                mail = self._signed(build(message))
                if any(sign in mail.sender + mail.recipient for sign in "\r\n"):
                    raise CannotBeBuilt("the mail cannot be built: a line break in an address")
            except CannotBeBuilt as error:
                refused = isinstance(error, BadAddress)
                yield message, self._result(Result.PERMANENT, str(error), refused=refused)
                continue
            if mail.is_large:
                size = len(mail.content)
                logger.warning("mail %s is %s bytes; some programs will clip it", message.kind, size)
            return _Job(message, mail, time.monotonic())
        return None

    def _signed(self, mail: Envelope) -> Envelope:
        if self._signer is None:
            return mail
        return replace(mail, content=self._signer.sign(mail.content) + mail.content)

    def _try(self, job: _Job, queue: Iterator[Claimed]) -> _Results:
        """Carry one mail through. Returns the next one, which may have been offered already."""
        following: _Job | None = None
        job.deadline = time.monotonic() + self._server.try_seconds
        try:
            connection = yield from self._granted(job)
            if connection.can_pipeline and connection.sent + 1 < MESSAGES_PER_CONNECTION:
                following = yield from self._next_job(queue)
            self._hand_over(connection, job, following)
            answer = yield from connection.taken(job.deadline)
            sent = self._result(Result.ACCEPTED, answer, ref=job.mail.message_id)
        except Refused as refusal:
            self._after_refusal(refusal, job, following)
            sent = self._judge(refusal, job.mail)
        except Lost as loss:
            self._drop(following)
            sent = self._after_loss(loss, job.mail)
        yield job.message, sent
        if following is None:
            return (yield from self._next_job(queue))
        if not following.is_offered and time.monotonic() - following.pulled_at > PATIENCE_SECONDS:
            why = "the mail before it was not answered"
            yield following.message, self._result(Result.TRANSIENT, why, ref=following.mail.message_id)
            return (yield from self._next_job(queue))
        return following

    @staticmethod
    def _hand_over(connection: Connection, job: _Job, following: _Job | None) -> None:
        body = connection.body(job.mail)
        # What the server cannot take is refused in its own turn: here it would look like this mail's fault.
        if following is None or not connection.takes(following.mail):
            connection.send_body(body, job.deadline)
        else:
            following.is_offered = True
            connection.offer(following.mail, job.deadline, behind=body)

    def _granted(self, job: _Job) -> Generator[None, None, Connection]:
        """The connection on which the server is ready for the mail's body."""
        connection = self._current()
        if connection is not None and connection.sent >= MESSAGES_PER_CONNECTION:
            self.close()
            connection = None
        if connection is not None:
            try:
                return (yield from self._offered(connection, job))
            except Lost as loss:
                # A kept connection may have been closed meanwhile; nothing of this mail was handed over.
                if loss.stage is not Stage.SENDER:
                    raise
            except Refused as refusal:
                if (refusal.stage, refusal.code) != (Stage.SENDER, 421):
                    raise
            self._drop(job)
        yield  # opening takes its time
        return (yield from self._offered(self._connect(job.deadline), job))

    @staticmethod
    def _offered(connection: Connection, job: _Job) -> Generator[None, None, Connection]:
        if not job.is_offered:
            connection.offer(job.mail, job.deadline)
        yield from connection.granted(job.mail, job.deadline)
        return connection

    def _connect(self, deadline: float) -> Connection:
        connection = self._mine.connection = Connection(self._server)
        connection.open(deadline)
        return connection

    def _current(self) -> Connection | None:
        return cast(Connection | None, getattr(self._mine, "connection", None))

    def _drop(self, offered: _Job | None = None) -> None:
        """Let go of the connection, and with it of what was offered on it."""
        if offered is not None:
            offered.is_offered = False
        connection = self._current()
        if connection is not None:
            connection.drop()
            self._mine.connection = None

    def _after_refusal(self, refusal: Refused, job: _Job, following: _Job | None) -> None:
        if refusal.stage is Stage.BODY and refusal.code != 421:
            return  # the transaction is over, and the next one may have begun
        connection = self._current()
        usable = refusal.stage is not Stage.CONNECT and refusal.code != 421
        if connection is not None and not (usable and connection.reset(job.deadline)):
            self._drop(following)

    def _judge(self, refusal: Refused, mail: Envelope) -> Sent:
        detail = f"{refusal.stage}: {refusal.code} {refusal.answer.decode(errors='replace')}"
        result = Result.PERMANENT if _is_permanent(refusal) else Result.TRANSIENT
        refused = result is Result.PERMANENT and _is_about_address(refusal)
        return self._result(result, detail, ref=mail.message_id, refused=refused)

    def _after_loss(self, loss: Lost, mail: Envelope) -> Sent:
        sent = self._result(Result.TRANSIENT, f"{loss.stage}: {loss.why}", ref=mail.message_id)
        return replace(sent, is_away=loss.stage is Stage.CONNECT)

    def _result(self, result: Result, detail: str, *, ref: str = "", refused: bool = False) -> Sent:
        return Sent(
            result=result,
            detail=detail,
            provider=f"smtp:{self._server.host}"[:40],
            provider_ref=ref,
            address_refused=refused,
        )


def _is_permanent(refusal: Refused) -> bool:
    """Whether the answer is about this message. Our own set-up being wrong must lose no mail."""
    if refusal.code < 500 or refusal.stage is Stage.CONNECT:
        return False
    wants_sign_in = refusal.code in (503, 530, 534, 535, 538)
    return not wants_sign_in


def _is_about_address(refusal: Refused) -> bool:
    """Whether nobody lives there, in contrast to a policy that refuses us (5.7.x)."""
    found = _ENHANCED.search(refusal.answer)
    enhanced = (int(found.group(2)), int(found.group(3))) if found else None
    if refusal.stage is Stage.RECIPIENT:
        if enhanced is None:
            return refusal.code in (550, 551, 553)
        # 5.1.x: no such address. 5.2.1: the mailbox is closed; 5.2.2, a full one, may be emptied.
        return enhanced[0] == 1 or enhanced == (2, 1)
    return refusal.stage is Stage.BODY and enhanced is not None and enhanced[0] == 1
