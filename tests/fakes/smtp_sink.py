"""A mail sink for the bulk sender: pipelines, encrypts, asks for a sign-in, is far away, slow or rude.

It keeps what it took, byte for byte. Manners can be changed while it runs.
"""

from __future__ import annotations

import asyncio
import ssl
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from tests.fakes.loopback import LoopbackServer

#: Answers nothing for ever, or closes without a word; where a script's reply stands.
HANG, DROP, KEEP_AND_DROP = "hang", "drop", "keep and drop"
#: What is asked (MAIL, RCPT, DATA, BODY), the recipient so far, how many the connection took → a reply.
Script = Callable[[str, str, int], str | None]


@dataclass(frozen=True)
class Taken:
    """One mail: envelope, bytes as they came over the wire, and the number of its connection."""

    sender: str
    recipient: str
    content: bytes
    connection: int


#: How long a closing server listens on, as real ones do.
LINGER_SECONDS = 2.0


class Sink(LoopbackServer):
    """``with Sink(...) as sink:``, then talk to ``sink.port``; leaving closes every connection.

    ``rtt`` and ``processing`` in seconds. ``login``: user and password, asked for by ``mechanisms``.
    """

    def __init__(
        self,
        *,
        pipelining: bool = True,
        tls: Literal["none", "starttls", "implicit"] = "none",
        context: ssl.SSLContext | None = None,
        login: tuple[str, str] | None = None,
        mechanisms: str = "PLAIN LOGIN",
        size: int = 0,
        rtt: float = 0.0,
        processing: float = 0.0,
        script: Script | None = None,
        port: int = 0,
        most_at_once: int = 1000,
    ) -> None:
        super().__init__(port=port)
        self.pipelining, self.tls, self.context = pipelining, tls, context
        self.login, self.mechanisms, self.size = login, mechanisms, size
        self.rtt, self.processing = rtt, processing
        self.script = script
        self.taken: list[Taken] = []
        self.said: list[str] = []
        self.connections = self.at_once = 0
        self.most_at_once = most_at_once
        self.signed_in = 0
        # Kept here: a task that waits for what nobody holds is swept away as garbage.
        self.never = asyncio.Event()

    async def _listen(self) -> asyncio.Server:
        context = self.context if self.tls == "implicit" else None
        return await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=context, backlog=500)

    # -- what tests ask ------------------------------------------------------------------------------

    @property
    def recipients(self) -> list[str]:
        return [mail.recipient for mail in list(self.taken)]

    def repeats(self) -> tuple[int, int]:
        """Copies too many, and how many of them differ from the first by a byte."""
        first: dict[str, bytes] = {}
        again = changed = 0
        for mail in list(self.taken):
            known = first.setdefault(mail.recipient, mail.content)
            again += known is not mail.content
            changed += known != mail.content
        return again, changed

    def per_connection(self) -> Counter[int]:
        return Counter(mail.connection for mail in list(self.taken))

    # -- the wire ------------------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.at_once += 1
        dialogue = _Dialogue(self, reader, writer, self.connections)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
                await dialogue.run()
        finally:
            self.at_once -= 1
            writer.transport.abort()
            await asyncio.sleep(0)  # it is gone only after another turn of the loop


class _Left(Exception):
    """The connection is over."""


class _Dialogue:
    def __init__(
        self, sink: Sink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, number: int
    ) -> None:
        self.sink, self.reader, self.writer, self.number = sink, reader, writer, number
        self.is_encrypted = sink.tls == "implicit"
        self.is_signed_in = sink.login is None
        self.sender = self.recipient = ""
        self.is_open = False  # a MAIL was granted
        self.has_recipient = False
        self.took = 0

    async def run(self) -> None:
        with suppress(_Left):
            is_full = self.sink.at_once > self.sink.most_at_once
            await self._answer("421 4.7.0 too many connections" if is_full else "220 sink")
            while True:
                line = await self.reader.readline()
                if not line.endswith(b"\n"):
                    return
                if self.sink.rtt:
                    await asyncio.sleep(self.sink.rtt)
                await self._command(line.decode().rstrip("\r\n"))
                while b"\n" in self._waiting():
                    await self._command((await self.reader.readline()).decode().rstrip("\r\n"))

    def _waiting(self) -> bytes:
        buffer: bytearray = self.reader._buffer  # type: ignore[attr-defined]  # what came in the same write
        return bytes(buffer[:600])

    async def _command(self, line: str) -> None:
        self.sink.said.append(line)
        verb = line[:4].upper()
        act = {
            "EHLO": self._hello, "STAR": self._encrypt, "AUTH": self._sign_in, "MAIL": self._mail,
            "RCPT": self._rcpt, "DATA": self._data, "RSET": self._reset, "QUIT": self._quit,
        }.get(verb)  # fmt: skip
        if act is None:
            await self._answer("500 5.5.2 what?")
        else:
            await act(line)

    async def _answer(self, reply: str) -> None:
        if reply == HANG:
            await self.sink.never.wait()
        if reply == DROP:
            raise _Left
        self.writer.write(reply.encode() + b"\r\n")
        await self.writer.drain()
        if reply.startswith(("421", "221")):
            with suppress(OSError, TimeoutError):
                self.writer.write_eof() if self.writer.can_write_eof() else None
                # Closing on what was not read yet would throw away answers that are on their way.
                await asyncio.wait_for(self.reader.read(), LINGER_SECONDS)
            raise _Left

    def _scripted(self, step: str) -> str | None:
        return self.sink.script(step, self.recipient, self.took) if self.sink.script else None

    async def _hello(self, _line: str) -> None:
        offers = ["sink", "ENHANCEDSTATUSCODES", "8BITMIME"]
        offers += ["PIPELINING"] if self.sink.pipelining else []
        offers += [f"SIZE {self.sink.size}"] if self.sink.size else []
        offers += ["STARTTLS"] if self.sink.tls == "starttls" and not self.is_encrypted else []
        offers += [f"AUTH {self.sink.mechanisms}"] if self.sink.login else []
        await self._answer("\r\n".join([*(f"250-{offer}" for offer in offers[:-1]), f"250 {offers[-1]}"]))

    async def _encrypt(self, _line: str) -> None:
        await self._answer("220 go on")
        assert self.sink.context is not None
        await self.writer.start_tls(self.sink.context)
        self.is_encrypted = True

    async def _sign_in(self, line: str) -> None:
        if "PLAIN" in line.upper():
            _, user, password = b64decode(line.split()[2]).decode().split("\0")
        else:
            user, password = [await self._ask(word) for word in ("VXNlcm5hbWU6", "UGFzc3dvcmQ6")]
        self.is_signed_in = (user, password) == self.sink.login
        self.sink.signed_in += self.is_signed_in
        await self._answer("235 2.7.0 welcome" if self.is_signed_in else "535 5.7.8 wrong password")

    async def _ask(self, word: str) -> str:
        await self._answer(f"334 {word}")
        return b64decode(await self.reader.readline()).decode()

    async def _mail(self, line: str) -> None:
        if not self.is_signed_in:
            await self._answer("530 5.7.0 sign in first")
            return
        if self.is_open:
            await self._answer("503 5.5.1 nested MAIL")
            return
        self.sender = line[line.index("<") + 1 : line.index(">")]
        self.recipient, self.has_recipient = "", False
        reply = self._scripted("MAIL") or "250 2.1.0 fine"
        self.is_open = reply.startswith("250")
        await self._answer(reply)

    async def _rcpt(self, line: str) -> None:
        self.recipient = line[line.index("<") + 1 : line.index(">")]
        reply = self._scripted("RCPT") or ("250 2.1.5 fine" if self.is_open else "503 5.5.1 no MAIL")
        self.has_recipient = reply.startswith("250")
        await self._answer(reply)

    async def _data(self, _line: str) -> None:
        reply = self._scripted("DATA") or (
            "354 go on" if self.has_recipient else "554 5.5.1 no valid recipients"
        )
        await self._answer(reply)
        if reply.startswith("354"):
            await self._body()

    async def _body(self) -> None:
        content = await self._content()
        if self.sink.processing:
            await asyncio.sleep(self.sink.processing)
        had_recipient, self.is_open, self.has_recipient = self.has_recipient, False, False
        if not had_recipient:
            await self._answer("554 5.5.1 no valid recipients")
            return
        reply = self._scripted("BODY") or "250 2.0.0 queued"
        if reply.startswith("250") or reply == KEEP_AND_DROP:
            self.took += 1
            self.sink.taken.append(Taken(self.sender, self.recipient, content, self.number))
        await self._answer(DROP if reply == KEEP_AND_DROP else reply)

    async def _content(self) -> bytes:
        first = await self.reader.readline()
        if first == b".\r\n":
            return b""
        return first + (await self.reader.readuntil(b"\r\n.\r\n"))[:-3]

    async def _reset(self, _line: str) -> None:
        self.is_open = self.has_recipient = False
        await self._answer("250 2.0.0 forgotten")

    async def _quit(self, _line: str) -> None:
        await self._answer("221 2.0.0 bye")
