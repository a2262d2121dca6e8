"""One SMTP connection: a state machine on bytes, three ways of talking.

``full``: the body of one mail and the envelope of the next leave in one write, one round trip per
mail (RFC 2920: content may begin a group, DATA ends it). ``pipe``: envelope, then body. ``lock``: one
command, one answer; for servers that do not offer PIPELINING.
"""

from __future__ import annotations

import asyncio
from collections import deque
from enum import IntEnum
from typing import cast

from sentinel.bulk.rules import Answer, Stage, read_answer
from sentinel.channels.email.bulk.jobs import Job, Step
from sentinel.channels.email.bulk.owner import Owner

LONGEST_REPLY = 65_536
LONGEST_ANSWER = 500


class Mode(IntEnum):
    """How much is said before an answer is waited for."""

    LOCK = 0
    PIPE = 1
    FULL = 2


class Lost(Exception):
    """The connection ended, or said something that is no SMTP."""


class _Wait(IntEnum):
    MAIL = 0
    RCPT = 1
    DATA = 2
    BODY = 3
    DOT = 4  # the lone dot after a refused recipient
    RESET = 5
    QUIT = 6


_STAGES = {_Wait.MAIL: Stage.MAIL, _Wait.RCPT: Stage.RCPT, _Wait.DATA: Stage.DATA, _Wait.BODY: Stage.BODY}
#: The usual answers to a body and the envelope behind it, which come together.
_USUAL = [b"250 ", b"250 ", b"250 ", b"354 "]
_END_OF_BODY = b".\r\n"
_ENVELOPE = (_Wait.MAIL, _Wait.RCPT, _Wait.DATA)
_AFTER_RESET = (_Wait.RESET, *_ENVELOPE)


class Session(asyncio.Protocol):
    """See the module. Opened by :func:`sentinel.channels.email.bulk.opening.open_session`."""

    def __init__(self, owner: Owner, *, per_connection: int) -> None:
        self.owner = owner
        self.per_connection = per_connection
        self.mode = Mode.LOCK
        self.size_limit = 0
        self.offers: frozenset[str] = frozenset()
        self.sent = 0
        self.heard_at = 0.0
        self.is_closed = False
        self.is_leaving = False  # no new mail on this connection
        self.is_hungry = False
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._lines: list[bytes] = []
        self._waits: deque[_Wait] = deque()
        self._greeting: asyncio.Future[tuple[int, list[str]]] | None = None
        self._is_working = False
        self._started = 0
        self._next: Job | None = None
        self._body: Job | None = None
        self._refusal: Answer | None = None
        self._needs_reset = False

    # -- opening -----------------------------------------------------------------------------------

    def expect(self) -> asyncio.Future[tuple[int, list[str]]]:
        """The next reply, while the connection is being opened."""
        self._greeting = self._loop.create_future()
        if self.is_closed:
            self._greeting.set_exception(Lost("the connection was closed"))
        return self._greeting

    async def ask(self, command: str) -> tuple[int, list[str]]:
        """One command and its reply, while the connection is being opened."""
        reply = self.expect()
        self.write(command.encode("ascii") + b"\r\n")
        return await reply

    @property
    def transport(self) -> asyncio.Transport:
        if self._transport is None or self.is_closed:
            raise Lost("the connection was closed")
        return self._transport

    def use(self, transport: asyncio.Transport) -> None:
        """Go on over another transport (after STARTTLS); what was said in clear before it is forgotten."""
        self._transport = transport
        self._rest = b""
        self._lines.clear()

    def work(self) -> None:
        """The opening is over; ask for mail."""
        self._is_working = True
        self._go_on()

    # -- asyncio -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self.heard_at = self._loop.time()

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._loop.time()
        if self._rest:
            data = self._rest + data
        lines = data.split(b"\n")
        self._rest = lines.pop()
        if len(self._rest) > LONGEST_REPLY:
            self.drop("the server's reply has no end")
            return
        if self._body is not None and self._next is not None and [line[:4] for line in lines] == _USUAL:
            self._all_granted(lines[0])
            return
        for line in lines:
            if line[3:4] == b"-":
                self._lines.append(line)
                if len(self._lines) > LONGEST_REPLY // 64:
                    self.drop("the server's reply has no end")
                continue
            if self.is_closed:
                return
            self._take(line)

    def _take(self, line: bytes) -> None:
        code = line[:3]
        if not code.isdigit():
            self.drop("the server does not speak SMTP")
            return
        if self._is_working:
            if self._lines:
                line = code + b" " + b" ".join([*(part[4:].strip() for part in self._lines), line[4:]])
                self._lines.clear()
            self._replied(int(code), line)
            return
        words = [_words(part[4:]) for part in (*self._lines, line)]
        self._lines.clear()
        if self._greeting is not None and not self._greeting.done():
            self._greeting.set_result((int(code), words))

    def _all_granted(self, line: bytes) -> None:
        """One mail taken, the next one's body awaited: nearly every read, so it takes no detours."""
        job, following = _under_way(self._body), _under_way(self._next)
        self._body = None
        self._waits.clear()
        self._take_in(job, line)
        if not self.is_closed:
            following.step = Step.BEGINNING
            self.owner.begin(self, following)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end(f"{type(exc).__name__}: {exc}" if exc else "the server closed the connection")

    # -- what the owner asks for -------------------------------------------------------------------

    def start(self, job: Job) -> None:
        """Offer a mail on a connection that waits for work."""
        self.is_hungry = False
        self._offer(job)

    def release(self, job: Job) -> None:
        """The job is written down as begun: its body may leave."""
        job.step = Step.RELEASED
        self._next, self._body = None, job
        self._waits.append(_Wait.BODY)
        if self.mode is Mode.FULL and not self._is_full():
            follower = self.owner.next_job(self)
            if follower is not None:
                self._offer(follower, job.content, _END_OF_BODY)
                return
        self.write(job.content + _END_OF_BODY)

    def leave(self) -> None:
        """No new mail on this connection; say goodbye when what is under way is answered."""
        self.is_leaving = True
        if self.is_hungry:
            self.is_hungry = False
            self._quit()

    def drop(self, why: str) -> None:
        """Close without a word."""
        if self._transport is not None:
            self._transport.abort()
        self._end(why)

    @property
    def is_silent_since(self) -> float | None:
        """Since when an answer is owed; None when the server owes none."""
        return self.heard_at if self._waits else None

    @property
    def has_body_out(self) -> bool:
        return self._body is not None

    def write(self, data: bytes) -> None:
        """Send; silence is counted from here."""
        self.heard_at = self._loop.time()
        self.transport.write(data)

    # -- one mail after the other ------------------------------------------------------------------

    def _go_on(self) -> None:
        """Nothing is under way: the next mail, or wait, or leave."""
        if self._is_full():
            self._quit()
            return
        job = self.owner.next_job(self)
        if job is not None:
            self._offer(job)
            return
        self.is_hungry = True
        self.owner.hungry(self)

    def _is_full(self) -> bool:
        return self.is_leaving or self._started >= self.per_connection

    def _offer(self, job: Job, *before: bytes) -> None:
        self._started += 1
        self._next, self._refusal = job, None
        if self.mode is Mode.LOCK:
            first = b"RSET" if self._needs_reset else job.envelope.partition(b"\r\n")[0]
            self._waits.append(_Wait.RESET if self._needs_reset else _Wait.MAIL)
            self._needs_reset = False
            self.write(b"".join((*before, first, b"\r\n")))
        elif self._needs_reset:
            self._needs_reset = False
            self._waits.extend(_AFTER_RESET)
            self.write(b"".join((*before, b"RSET\r\n", job.envelope)))
        else:
            self._waits.extend(_ENVELOPE)
            self.write(b"".join((*before, job.envelope)))

    def _replied(self, code: int, line: bytes) -> None:
        if not self._waits:
            self._end_by_server(line)  # only a goodbye comes unasked
            return
        wait = self._waits.popleft()
        if code == 421 and wait is not _Wait.QUIT:
            self._hung_up(wait, line)
        elif wait is _Wait.DATA:
            self._data_replied(code, line)
        elif wait is _Wait.BODY:
            self._body_replied(code, line)
        elif wait is _Wait.DOT:
            self._refused()
        elif wait is _Wait.QUIT:
            self.drop("")
        elif code >= 300:
            self._not_granted(wait, code, line)
        elif self.mode is Mode.LOCK:
            self._say_next(wait)

    def _not_granted(self, wait: _Wait, code: int, line: bytes) -> None:
        """A command before DATA was refused; of several refusals the first one is the reason."""
        if wait is _Wait.RESET:
            self.drop("the server refused RSET")
            return
        if self._refusal is None:
            self._refusal = _answer(wait, code, line)
        if self.mode is Mode.LOCK:
            self._needs_reset = True
            self._refused()

    def _say_next(self, wait: _Wait) -> None:
        """Lock-step: the command after the one that was just granted."""
        lines = _under_way(self._next).envelope.split(b"\r\n")
        following = {_Wait.RESET: _Wait.MAIL, _Wait.MAIL: _Wait.RCPT, _Wait.RCPT: _Wait.DATA}[wait]
        self._waits.append(following)
        self.write(lines[following] + b"\r\n")

    def _data_replied(self, code: int, line: bytes) -> None:
        if code == 354 and self._refusal is None:
            job = _under_way(self._next)
            job.step = Step.BEGINNING
            self.owner.begin(self, job)
        elif code == 354:
            # The server waits for a body although nobody may get it (RFC 2920, 3.1).
            self._waits.append(_Wait.DOT)
            self.write(b".\r\n")
        else:
            if self._refusal is None:
                self._refusal = _answer(_Wait.DATA, code, line)
            self._needs_reset = True
            self._refused()

    def _refused(self) -> None:
        """The job under offer was refused before its body."""
        job, refusal = _under_way(self._next), self._refusal
        self._next = self._refusal = None
        job.step = Step.OVER
        if refusal is not None:
            self.owner.answered(self, job, refusal)
        if not self.is_closed:
            self._go_on()

    def _body_replied(self, code: int, line: bytes) -> None:
        job, self._body = _under_way(self._body), None
        if code < 300:
            self._take_in(job, line)
        else:
            job.step = Step.OVER
            self.owner.answered(self, job, _answer(_Wait.BODY, code, line))
        if not self._waits and not self.is_closed:
            self._go_on()

    def _take_in(self, job: Job, line: bytes) -> None:
        job.step = Step.OVER
        self.sent += 1
        self.owner.accepted(self, job, _words(line[4:]).removeprefix("2.0.0 "))

    def _hung_up(self, wait: _Wait, line: bytes) -> None:
        """421: the connection ends; it is an answer to what was asked, and to nothing else."""
        job = self._body if wait is _Wait.BODY else self._next
        if wait in _STAGES and job is not None:
            if wait is _Wait.BODY:
                self._body = None
            else:
                self._next = None
            job.step = Step.OVER
            self.owner.answered(self, job, _answer(wait, 421, line))
        self._end_by_server(line)

    def _end_by_server(self, line: bytes) -> None:
        self.drop(_words(line))

    # -- the end -----------------------------------------------------------------------------------

    def _quit(self) -> None:
        self.is_leaving = True
        self._waits.append(_Wait.QUIT)
        self.write(b"QUIT\r\n")

    def _end(self, why: str) -> None:
        if self.is_closed:
            return
        self.is_closed = True
        self.is_hungry = False
        self._waits.clear()
        if self._greeting is not None and not self._greeting.done():
            self._greeting.set_exception(Lost(why))
            self._greeting.exception()  # nobody may be waiting for it any more
        following, self._next = self._next, None
        body, self._body = self._body, None
        if following is not None and self._refusal is not None:
            self.owner.answered(self, following, self._refusal)
        elif following is not None:
            self.owner.returned(self, following)
        if body is not None:
            self.owner.unclear(self, body, why)
        self.owner.closed(self, why)


def _under_way(job: Job | None) -> Job:
    if job is None:
        raise Lost("the server answered what nobody asked")
    return job


def _answer(wait: _Wait, code: int, line: bytes) -> Answer:
    return read_answer(_STAGES[wait], code, _words(line[4:]))


def _words(answer: bytes) -> str:
    """A server's words as the database and a terminal can bear them: one zero byte in them would make every
    commit fail, and all mail stand still."""
    text = answer.decode("utf-8", "replace").strip()[:LONGEST_ANSWER]
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()
