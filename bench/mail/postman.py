"""Brings mail to the listener as a mail server would: over a few connections that stay open."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Literal

QUOTED = """\
On Tue, Mar 3, 2026 at 9:12 AM Maria Schulz <care@provider.example> wrote:

> Hello Jürgen,
>
> Do you have any problem, comment or suggestion for us?
>
> ☺ All is well:
> https://sentinel.example.com/a/abcdefghijklmnopqrstuvwxyz234567abcdefghijkl/happy/
>
> ☹ I have a problem:
> https://sentinel.example.com/a/abcdefghijklmnopqrstuvwxyz234567abcdefghijkl/frown/
>
> Kind regards
> Maria Schulz
"""


def reply(number: int, sender: str, recipient: str, words: str) -> bytes:
    """A reply as Gmail writes it: text and HTML, the question quoted below."""
    text = f"{words}\r\n\r\n{QUOTED}".replace("\r\n", "\n").replace("\n", "\r\n")
    quoted = QUOTED.replace("\n", "<br>\r\n")
    html = f'<div dir="ltr">{words}</div><br><div class="gmail_quote">{quoted}</div>\r\n'
    boundary = f"000000000000{number:012x}"
    head = (
        f"From: Juergen Mueller <{sender}>\r\nTo: {recipient}\r\n"
        f"Message-ID: <reply-{number}@mail.lindgren.example>\r\n"
        f"Date: {format_datetime(datetime.now(UTC))}\r\n"
        "Subject: Re: Do you have any problem, comment or suggestion for us?\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'
    )
    parts = "".join(
        f"--{boundary}\r\nContent-Type: text/{kind}; charset=UTF-8\r\n"
        f"Content-Transfer-Encoding: 8bit\r\n\r\n{body}\r\n"
        for kind, body in (("plain", text), ("html", html))
    )
    return (head + parts + f"--{boundary}--\r\n").encode()


@dataclass(frozen=True)
class Parcel:
    """One mail to bring."""

    sender: str
    recipient: str
    content: bytes


@dataclass
class Delivered:
    """What the listener said. `said_at`: wall clock of each 250, in the order of the parcels."""

    accepted: int = 0
    refused: list[str] = field(default_factory=list)
    seconds: float = 0.0
    said_at: dict[str, float] = field(default_factory=dict)


def bring(
    parcels: Iterable[Parcel], *, port: int, protocol: Literal["smtp", "lmtp"], connections: int
) -> Delivered:
    """Bring everything; returns when the last answer came."""
    waiting, delivered = deque(parcels), Delivered()
    began = time.perf_counter()

    async def everybody() -> None:
        lines = (_one_line(waiting, delivered, port, protocol) for _ in range(connections))
        await asyncio.gather(*lines)

    asyncio.run(everybody())
    delivered.seconds = time.perf_counter() - began
    return delivered


async def _one_line(waiting: deque[Parcel], delivered: Delivered, port: int, protocol: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await _answer(reader)
    writer.write(b"LHLO postman.example\r\n" if protocol == "lmtp" else b"EHLO postman.example\r\n")
    await _answer(reader)
    while waiting:
        parcel = waiting.popleft()
        writer.write(f"MAIL FROM:<{parcel.sender}>\r\n".encode())
        await _answer(reader)
        writer.write(f"RCPT TO:<{parcel.recipient}>\r\n".encode())
        answer = await _answer(reader)
        if not answer.startswith("250"):
            delivered.refused.append(answer)
            writer.write(b"RSET\r\n")
            await _answer(reader)
            continue
        writer.write(b"DATA\r\n")
        await _answer(reader)
        writer.write(parcel.content.replace(b"\r\n.", b"\r\n..") + b".\r\n")
        answer = await _answer(reader)
        if answer.startswith("250"):
            delivered.accepted += 1
            delivered.said_at[parcel.recipient] = time.time()
        else:
            delivered.refused.append(answer)
    writer.write(b"QUIT\r\n")
    await _answer(reader)
    writer.close()


async def _answer(reader: asyncio.StreamReader) -> str:
    while True:
        line = (await reader.readline()).decode("utf-8", "replace")
        if line[3:4] != "-":
            return line.strip()
