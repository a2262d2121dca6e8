"""A mail server that keeps nothing but the proof: fast enough to be no part of what is measured.

It can be far away, slow, rude, and exact: `--rtt` and `--processing` in milliseconds, 421 and a closed
connection after `--close-every` mails, 451 for `--defer-share` of them, and with `--log` a line for each:

    A <seconds> <Message-ID> <digest of the bytes> <recipient>

A mail counts as accepted when its processing is over, whether or not the client is still there to hear it:
that is the mail which a killed sender cannot know about. Deferred mails are logged with a D.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import random
import re
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

MESSAGE_ID = re.compile(rb"^Message-ID:\s*<?([^>\s]+)", re.IGNORECASE | re.MULTILINE)
LONGEST_HEADERS = 8192
OFFERS = b"250-sink\r\n250-PIPELINING\r\n250-SIZE 40000000\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n"
END_OF_DATA = b"\r\n.\r\n"


@dataclass
class Counts:
    """What became of everything; printed as JSON at the end."""

    connections: int = 0
    accepted: int = 0
    deferred: int = 0
    closed_by_us: int = 0
    empty: int = 0
    bytes: int = 0


@dataclass
class Manners:
    """How the server behaves, and where it writes down what it took."""

    rtt: float = 0.0
    processing: float = 0.0
    close_every: int = 0
    defer_share: float = 0.0
    keep: Path | None = None
    log: Path | None = None
    counts: Counts = field(default_factory=Counts)
    lines: list[bytes] = field(default_factory=list)
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    def accept(self, content: bytes, recipient: bytes) -> bool:
        """Take or defer one mail; returns whether it was taken."""
        if self.defer_share and self.dice.random() < self.defer_share:
            self.counts.deferred += 1
            self._note(b"D", content, recipient)
            return False
        self.counts.accepted += 1
        self.counts.bytes += len(content)
        self._note(b"A", content, recipient)
        if self.keep and self.counts.accepted == 1:
            self.keep.write_bytes(content)
        return True

    def _note(self, what: bytes, content: bytes, recipient: bytes) -> None:
        if self.log is None:
            return
        found = MESSAGE_ID.search(content, 0, LONGEST_HEADERS)
        name = found.group(1) if found else b"-"
        digest = hashlib.blake2b(content, digest_size=8).hexdigest().encode()
        self.lines.append(b"%s %.4f %s %s %s\n" % (what, time.time(), name, digest, recipient))

    def flush(self) -> None:
        if self.log is not None and self.lines:
            with self.log.open("ab") as file:
                file.writelines(self.lines)
            self.lines.clear()


class Session(asyncio.Protocol):
    """One connection. Replies to pipelined commands leave in one write."""

    def __init__(self, manners: Manners) -> None:
        self.manners = manners
        self.loop = asyncio.get_running_loop()
        self.buffer = bytearray()
        self.searched = 0
        self.in_data = self.busy = self.leaving = False
        self.taken = 0
        self.recipient = b""
        self.replies: list[bytes] = []
        self.under_way: deque[tuple[float, bytes]] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.manners.counts.connections += 1
        self._later(self.manners.rtt, lambda: self._write(b"220 sink ESMTP\r\n"))

    def data_received(self, data: bytes) -> None:
        if self.leaving:
            return
        if not self.manners.rtt:
            self._feed(data)
            return
        # Both ways at once: what the client hears comes a whole round trip after what it said.
        self.under_way.append((self.loop.time() + self.manners.rtt, data))
        if len(self.under_way) == 1:
            self.loop.call_later(self.manners.rtt, self._arrive)

    def _arrive(self) -> None:
        now = self.loop.time() + 0.0005
        while self.under_way and self.under_way[0][0] <= now:
            self._feed(self.under_way.popleft()[1])
        if self.under_way:
            self.loop.call_at(self.under_way[0][0], self._arrive)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        if seconds:
            self.loop.call_later(seconds, act)
        else:
            act()

    def _feed(self, data: bytes) -> None:
        self.buffer += data
        self._go_on()

    def _go_on(self) -> None:
        start = 0
        while not (self.busy or self.leaving):
            end = self._content(start) if self.in_data else self._command(start)
            if end < 0:
                break
            start = end
        del self.buffer[:start]
        if self.replies:
            self._write(b"".join(self.replies))
            self.replies.clear()

    def _write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)
        if self.leaving:
            # Close for writing only and wait for the client: a reset could swallow the last reply.
            with contextlib.suppress(OSError):
                self.transport.write_eof()
            self.loop.call_later(5, self.transport.close)

    def _command(self, start: int) -> int:
        """Answer the command that begins at `start`; where the next one begins, or -1."""
        end = self.buffer.find(b"\n", start)
        if end < 0:
            return -1
        line = bytes(self.buffer[start:end])
        self.replies.append(self._answer(line[:4].upper(), line))
        return end + 1

    def _answer(self, verb: bytes, line: bytes) -> bytes:
        if verb == b"MAIL":
            return self._begin()
        if verb == b"RCPT":
            self.recipient = line[line.find(b"<") + 1 : line.rfind(b">")]
            return b"250 2.1.5 fine\r\n"
        if verb == b"DATA":
            self.in_data, self.searched = True, 0
            return b"354 go on\r\n"
        if verb == b"EHLO":
            return OFFERS
        if verb == b"QUIT":
            self.leaving = True
            return b"221 2.0.0 bye\r\n"
        return b"250 2.0.0 fine\r\n"  # HELO, RSET, NOOP

    def _begin(self) -> bytes:
        if self.manners.close_every and self.taken >= self.manners.close_every:
            self.manners.counts.closed_by_us += 1
            self.leaving = True
            return b"421 4.4.2 that is enough for one connection\r\n"
        return b"250 2.1.0 fine\r\n"

    def _content(self, start: int) -> int:
        """Take the mail whose bytes begin at `start`; where the next command begins, or -1."""
        if self.buffer.startswith(b".\r\n", start):
            self.in_data = False
            self.manners.counts.empty += 1
            self.replies.append(b"554 5.5.1 nothing in it\r\n")
            return start + 3
        # From an earlier look only the last four bytes can belong to the end.
        end = self.buffer.find(END_OF_DATA, start + max(0, self.searched - 4))
        if end < 0:
            self.searched = len(self.buffer) - start
            return -1
        self.in_data = False
        content = bytes(self.buffer[start : end + 2])
        if self.manners.processing:
            self.busy = True
            self.loop.call_later(self.manners.processing, self._processed, content)
        else:
            self.replies.append(self._verdict(content))
        return end + len(END_OF_DATA)

    def _processed(self, content: bytes) -> None:
        self.busy = False
        self.replies.append(self._verdict(content))
        self._go_on()

    def _verdict(self, content: bytes) -> bytes:
        self.taken += 1
        if self.manners.accept(content, self.recipient):
            return b"250 2.0.0 queued\r\n"
        return b"451 4.2.0 come again later\r\n"


async def serve(manners: Manners, *, port: int) -> None:
    """Listen until SIGTERM; the first line on the output is the port, the last the counts."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = await loop.create_server(lambda: Session(manners), "127.0.0.1", port, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    while not stop.is_set():
        manners.flush()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.1)
    manners.flush()
    print(json.dumps(asdict(manners.counts)), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rtt", type=float, default=0, help="milliseconds")
    parser.add_argument("--processing", type=float, default=0, help="milliseconds after the final dot")
    parser.add_argument("--close-every", type=int, default=0, help="421 after this many mails")
    parser.add_argument("--defer-share", type=float, default=0, help="451 for this share, 0 to 1")
    parser.add_argument("--log", type=Path, help="one line for each mail")
    parser.add_argument("--keep", type=Path, help="the first mail as it came, dots doubled")
    wanted = parser.parse_args()
    manners = Manners(
        rtt=wanted.rtt / 1000,
        processing=wanted.processing / 1000,
        close_every=wanted.close_every,
        defer_share=wanted.defer_share,
        log=wanted.log,
        keep=wanted.keep,
    )
    with contextlib.suppress(ImportError):
        # why: the sink should cost little, and is measured apart; the sender decides for itself
        import uvloop

        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    asyncio.run(serve(manners, port=wanted.port))


if __name__ == "__main__":
    main()
