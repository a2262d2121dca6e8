"""One HTTP request to an address that a user or an administrator entered, without being led elsewhere.

The name is resolved once and the connection goes to exactly the address that was judged, so that a name
cannot point somewhere else a moment later. Redirections are not followed, and time is bounded in all.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from sentinel.channels.base import Sent
from sentinel.channels.opening import judged
from sentinel.kernel.addresses import is_public
from sentinel.outbox.rules import Result

#: One step (connecting, writing, waiting for the answer), and the whole; below two thirds of the lease.
STEP_SECONDS = 6.0
WHOLE_SECONDS = 14.0
_MOST_READ = 2_048


class NotReached(Exception):
    """Nobody answered, or not in time. Its words name the host at most."""


class NotPermitted(Exception):
    """This address must not be called: it is inside our own network, or none at all."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back: the status, and the beginning of the body."""

    status: int
    text: str


def post(
    url: str, *, body: bytes, headers: Mapping[str, str], allow_private: bool, step_seconds: float = 0
) -> Answer:
    """POST ``body``. Raises :class:`NotPermitted` or :class:`NotReached`."""
    seconds = step_seconds or STEP_SECONDS
    whole = min(WHOLE_SECONDS, seconds * 3)
    there = reached(url, allow_private=allow_private, step_seconds=seconds, whole_seconds=whole)
    with there as (connection, path):
        connection.request("POST", path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        return Answer(status=answer.status, text=answer.read(_MOST_READ).decode("utf-8", "replace"))


@contextmanager
def reached(
    url: str, *, allow_private: bool, step_seconds: float, whole_seconds: float
) -> Iterator[tuple[Pinned, str]]:
    """A connection for one request to the host of ``url``, and the path to ask it for.

    Raises :class:`NotPermitted` before anything is sent, and :class:`NotReached` when nobody is there or the
    block fails on the way; after ``whole_seconds`` the connection is ended.
    """
    try:
        parts = urlsplit(url)
        host, secure, port = parts.hostname or "", parts.scheme == "https", parts.port
    except ValueError:
        raise NotPermitted("the address leads to none") from None
    if not _is_called(parts, allow_private):
        raise NotPermitted("only addresses with https:// are called")
    if whole_seconds <= 0:
        raise NotReached(f"{host} did not answer in time")
    port = port or (443 if secure else 80)
    address = judged_address(host, port, allow_private=allow_private)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = Pinned(host, port, address=address, secure=secure, seconds=step_seconds)
    watch = threading.Timer(whole_seconds, connection.abandon)
    watch.daemon = True
    try:
        watch.start()
        yield connection, path
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotReached(f"{host} did not answer ({type(error).__name__})") from None
    finally:
        watch.cancel()
        connection.close()


def _is_called(parts: SplitResult, allow_private: bool) -> bool:
    """Whether an address is called at all; where its name leads is judged afterwards."""
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and allow_private))


def hand_over(
    url: str,
    *,
    body: bytes,
    headers: Mapping[str, str],
    provider: str,
    ref: str,
    gone: Collection[int],
    allow_private: bool,
) -> Sent:
    """POST a message and say what came of it. ``provider``: its name when the address has none; ``gone``:
    answers that mean that nobody is there any more."""
    provider = (urlsplit(url).hostname or provider)[:40]
    try:
        answer = post(url, body=body, headers=headers, allow_private=allow_private)
    except NotPermitted as refused:
        return Sent(result=Result.PERMANENT, detail=str(refused), provider=provider)
    except NotReached as silence:
        return Sent(result=Result.TRANSIENT, detail=str(silence), provider=provider)
    return Sent(
        result=Result(judged(answer.status)),
        detail=f"{provider} answered {answer.status}",
        provider=provider,
        provider_ref=ref,
        address_refused=answer.status in gone,
    )


def judged_address(host: str, port: int, *, allow_private: bool) -> str:
    """The address of a host. One private address among several is one too many."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotReached(f"the name {host} is not known") from None
    addresses = [str(row[4][0]).partition("%")[0] for row in found]
    if not allow_private and not all(is_public(address) for address in addresses):
        raise NotPermitted(f"{host} is an address of a private network")
    return addresses[0]


class Pinned(http.client.HTTPConnection):
    """A connection to one judged address that still speaks to the host by its name."""

    def __init__(self, host: str, port: int, *, address: str, secure: bool, seconds: float) -> None:
        super().__init__(host, port, timeout=seconds)
        self.default_port = 443 if secure else 80
        self._address, self._secure, self._seconds = address, secure, seconds

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), timeout=self._seconds)
        self.sock = plain
        if self._secure:
            self.sock = ssl.create_default_context().wrap_socket(plain, server_hostname=self.host)

    def abandon(self) -> None:
        """Somebody answers one byte a minute: end it."""
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return
