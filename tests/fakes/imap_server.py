"""A small real IMAP4rev1 server on loopback: enough of it to fetch a mailbox, and ways to fail."""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass, field

from tests.fakes.loopback import LoopbackServer

_COMMAND = re.compile(rb"(\S+) (?:(UID) )?(\S+) ?(.*)", re.DOTALL)


@dataclass
class Stored:
    """One mail in a folder."""

    uid: int
    raw: bytes
    flags: set[str] = field(default_factory=set)


class ImapServer(LoopbackServer):
    """``with ImapServer() as server:``, then talk to ``server.port`` as ``user`` / ``secret``.

    ``capabilities`` can be taken away. ``drop_before`` names commands before whose next execution the
    connection is cut; ``log`` holds every command, without its tag.
    """

    def __init__(
        self,
        capabilities: tuple[str, ...] = ("IDLE", "MOVE", "UIDPLUS"),
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__()
        self.capabilities = capabilities
        self._tls = tls
        self.folders: dict[str, list[Stored]] = {"INBOX": [], "Done": []}
        self.validity = 1
        self.log: list[str] = []
        self.drop_before: list[str] = []
        self._next_uid = 1
        self._changed: set[asyncio.Event] = set()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._talk, "127.0.0.1", 0, limit=1 << 20, ssl=self._tls)

    def deliver(self, raw: bytes, folder: str = "INBOX") -> int:
        """Put a mail into a folder; whoever idles is told."""

        async def put() -> int:
            uid = self._next_uid
            self._next_uid += 1
            self.folders[folder].append(Stored(uid, raw))
            for event in self._changed:
                event.set()
            return uid

        return asyncio.run_coroutine_threadsafe(put(), self._loop).result(timeout=20)

    def renumber(self) -> None:
        """What a server does after a restore: other numbers, another validity."""
        self.validity += 1
        for number, mail in enumerate(self.folders["INBOX"], start=1):
            mail.uid = number
        self._next_uid = len(self.folders["INBOX"]) + 1

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _Session(self, reader, writer, self._changed)
        try:
            await session.run()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


class _Session:
    def __init__(
        self,
        server: ImapServer,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        changed: set[asyncio.Event],
    ) -> None:
        self.server, self.reader, self.writer, self.changed = server, reader, writer, changed
        self.folder = "INBOX"
        self.announced = 0

    def say(self, line: bytes) -> None:
        self.writer.write(line + b"\r\n")

    async def run(self) -> None:
        self.say(b"* OK ready")
        while line := await self.reader.readline():
            match = _COMMAND.match(line.rstrip(b"\r\n"))
            if match is None:
                self.say(b"* BAD what")
                continue
            tag, uid, name, rest = match.groups()
            command = (b"UID " if uid else b"").decode() + name.decode().upper()
            self.server.log.append(f"{command} {rest.decode(errors='replace')}".strip())
            if command in self.server.drop_before:
                self.server.drop_before.remove(command)
                self.writer.transport.abort()
                return
            act = getattr(self, "on_" + command.lower().replace(" ", "_"), None)
            answer = b"BAD unknown" if act is None else (await act(rest) or b"OK done")
            if command == "UID STORE" and len(self.mails) > self.announced:
                self.announce()  # servers may say it with any answer, and then not again
            self.say(tag + b" " + answer)
            await self.writer.drain()
            if command == "LOGOUT":
                return

    async def on_capability(self, _rest: bytes) -> None:
        self.say(f"* CAPABILITY IMAP4rev1 {' '.join(self.server.capabilities)}".encode())

    async def on_login(self, rest: bytes) -> bytes | None:
        return None if rest in (b"user secret", b'"user" "secret"', b'user "secret"') else b"NO wrong"

    async def on_noop(self, _rest: bytes) -> None: ...

    async def on_logout(self, _rest: bytes) -> None:
        self.say(b"* BYE bye")

    async def on_select(self, rest: bytes) -> bytes | None:
        name = rest.decode().strip('"')
        if name not in self.server.folders:
            return b"NO no such folder"
        self.folder = name
        self.announce()
        self.say(b"* OK [UIDVALIDITY %d] valid" % self.server.validity)
        return b"OK [READ-WRITE] selected"

    def announce(self) -> None:
        self.announced = len(self.mails)
        self.say(b"* %d EXISTS" % self.announced)

    @property
    def mails(self) -> list[Stored]:
        return self.server.folders[self.folder]

    def chosen(self, numbers: bytes) -> list[Stored]:
        found: list[Stored] = []
        highest = max((mail.uid for mail in self.mails), default=0)
        for part in numbers.decode().split(","):
            first, _, last = part.partition(":")
            ends = [highest if end == "*" else int(end) for end in (first, last or first)]
            found += [mail for mail in self.mails if min(ends) <= mail.uid <= max(ends)]
        return found

    async def on_uid_search(self, rest: bytes) -> None:
        found = self.chosen(rest.split()[-1])
        self.say(b"* SEARCH " + b" ".join(b"%d" % mail.uid for mail in found))

    async def on_uid_fetch(self, rest: bytes) -> None:
        numbers, what = rest.split(b" ", 1)
        for place, mail in enumerate(self.mails, start=1):
            if mail not in self.chosen(numbers):
                continue
            if b"RFC822.SIZE" in what:
                self.say(b"* %d FETCH (UID %d RFC822.SIZE %d)" % (place, mail.uid, len(mail.raw)))
            elif mail.uid % 2:  # servers differ in where they put the number
                self.say(
                    b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n%b)" % (place, mail.uid, len(mail.raw), mail.raw)
                )
            else:
                self.say(
                    b"* %d FETCH (BODY[]<0> {%d}\r\n%b UID %d)" % (place, len(mail.raw), mail.raw, mail.uid)
                )

    async def on_uid_store(self, rest: bytes) -> None:
        numbers, _how, flags = rest.split(b" ", 2)
        for mail in self.chosen(numbers):
            mail.flags |= set(flags.decode().strip("()").split())

    async def on_uid_move(self, rest: bytes) -> None:
        await self.on_uid_copy(rest)
        moved = self.chosen(rest.split(b" ", 1)[0])
        self.server.folders[self.folder] = [mail for mail in self.mails if mail not in moved]

    async def on_uid_copy(self, rest: bytes) -> None:
        numbers, folder = rest.split(b" ", 1)
        self.server.folders[folder.decode().strip('"')] += self.chosen(numbers)

    async def on_uid_expunge(self, rest: bytes) -> None:
        gone = [mail for mail in self.chosen(rest) if r"\Deleted" in mail.flags]
        self.server.folders[self.folder] = [mail for mail in self.mails if mail not in gone]

    async def on_expunge(self, _rest: bytes) -> None:
        self.server.folders[self.folder] = [mail for mail in self.mails if r"\Deleted" not in mail.flags]

    async def on_idle(self, _rest: bytes) -> None:
        event = asyncio.Event()
        self.changed.add(event)
        self.say(b"+ idling")
        if len(self.mails) > self.announced:
            self.announce()
        await self.writer.drain()
        done = asyncio.ensure_future(self.reader.readline())
        try:
            while not done.done():
                hint = asyncio.ensure_future(event.wait())
                await asyncio.wait({done, hint}, return_when=asyncio.FIRST_COMPLETED)
                hint.cancel()
                if event.is_set():
                    event.clear()
                    self.announce()
                    await self.writer.drain()
        finally:
            self.changed.discard(event)
