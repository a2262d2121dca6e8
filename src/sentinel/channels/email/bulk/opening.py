"""Opens a connection: greeting, EHLO, encryption with a checked certificate, sign-in."""

from __future__ import annotations

import asyncio
import socket
import ssl
from base64 import b64encode
from functools import lru_cache

from sentinel.bulk.rules import Answer, Stage, read_answer
from sentinel.channels.email.bulk.session import Lost, Mode, Session
from sentinel.channels.email.bulk.settings import RelaySettings

OPEN_SECONDS = 30.0
_MODES = {"full": Mode.FULL, "auto": Mode.FULL, "pipe": Mode.PIPE, "lock": Mode.LOCK}


class NotOpened(Exception):
    """The relay cannot be used just now. ``answer``: what it said, if it said something."""

    def __init__(self, why: str, answer: Answer | None = None) -> None:
        super().__init__(why)
        self.answer = answer


async def open_session(session: Session, relay: RelaySettings, *, hello_name: str) -> None:
    """Bring a new session to the point where it asks for mail. Raises :class:`NotOpened`."""
    try:
        async with asyncio.timeout(OPEN_SECONDS):
            await _open(session, relay, hello_name or _own_name())
    except (OSError, Lost, TimeoutError, ValueError) as error:
        session.drop("not opened")
        raise NotOpened(_words(error)) from error
    except BaseException:  # a cancelled one too must not leave its connection behind
        session.drop("not opened")
        raise


async def _open(session: Session, relay: RelaySettings, name: str) -> None:
    loop = asyncio.get_running_loop()
    greeting = session.expect()
    if relay.tls == "implicit":
        context = _trust(relay.ca_file)
        await loop.create_connection(
            lambda: session, relay.host, relay.port, ssl=context, server_hostname=relay.host
        )
    else:
        await loop.create_connection(lambda: session, relay.host, relay.port)
    _check(await greeting, 220)
    offers = await _hello(session, name)
    if relay.tls == "starttls":
        if "STARTTLS" not in offers:
            raise NotOpened("the relay offers no STARTTLS, and nothing is sent in clear")
        _check(await session.ask("STARTTLS"), 220)
        encrypted = await loop.start_tls(
            session.transport, session, _trust(relay.ca_file), server_hostname=relay.host
        )
        if encrypted is None:
            raise NotOpened("the relay closed the connection during STARTTLS")
        session.use(encrypted)
        offers = await _hello(session, name)
    if relay.username:
        await _sign_in(session, relay, offers)
    _take_offers(session, relay, offers)


async def _hello(session: Session, name: str) -> dict[str, str]:
    code, lines = await session.ask(f"EHLO {name}")
    if 500 <= code < 600:
        _check(await session.ask(f"HELO {name}"), 250)
        return {}
    _check((code, lines), 250)
    offers: dict[str, str] = {}
    for line in lines[1:]:
        keyword, _, rest = line.replace("=", " ", 1).partition(" ")
        offers[keyword.upper()] = f"{offers.get(keyword.upper(), '')} {rest}".strip()
    return offers


async def _sign_in(session: Session, relay: RelaySettings, offers: dict[str, str]) -> None:
    ways = offers.get("AUTH", "").upper().split()
    if "PLAIN" in ways:
        secret = f"\0{relay.username}\0{relay.password}"
        _check(await session.ask(f"AUTH PLAIN {_coded(secret)}"), 235)
    elif "LOGIN" in ways:
        _check(await session.ask("AUTH LOGIN"), 334)
        _check(await session.ask(_coded(relay.username)), 334)
        _check(await session.ask(_coded(relay.password)), 235)
    else:
        raise NotOpened("the relay offers neither AUTH PLAIN nor AUTH LOGIN")


def _take_offers(session: Session, relay: RelaySettings, offers: dict[str, str]) -> None:
    session.mode = _MODES[relay.mode] if "PIPELINING" in offers else Mode.LOCK
    size = offers.get("SIZE", "")
    session.size_limit = int(size) if size.isdecimal() else 0
    session.offers = frozenset(offers)


def _check(reply: tuple[int, list[str]], wanted: int) -> None:
    code, lines = reply
    if code != wanted:
        text = " ".join(lines)[:500]
        raise NotOpened(f"{code} {text}", read_answer(Stage.CONNECT, code, text))


def _coded(text: str) -> str:
    return b64encode(text.encode()).decode("ascii")


@lru_cache(maxsize=8)
def _trust(ca_file: str) -> ssl.SSLContext:
    # One context for all connections: reading the machine's certificates takes longer than a handshake.
    return ssl.create_default_context(cafile=ca_file or None)


@lru_cache(maxsize=1)
def _own_name() -> str:
    name = socket.getfqdn()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _words(error: BaseException) -> str:
    if isinstance(error, TimeoutError) and not str(error):
        return f"no answer within {OPEN_SECONDS:.0f} s"
    return f"{type(error).__name__}: {error}"[:300]
