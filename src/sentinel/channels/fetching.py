"""One HTTP GET of an address that a user entered: guarded as calls to webhooks are, and small.

Each step is judged anew: a redirection must lead to a public address by https as well, and the connection
goes to exactly the address that was judged. Size and time are bounded in all.
"""

from __future__ import annotations

import http.client
import time
from dataclasses import dataclass
from urllib.parse import urljoin

from sentinel.channels.calling import NotPermitted, reached

#: One step (connecting, waiting for the next bytes), and the whole with all redirections.
STEP_SECONDS = 6.0
WHOLE_SECONDS = 20.0
MOST_REDIRECTIONS = 3
_REDIRECTIONS = frozenset({301, 302, 303, 307, 308})
_CHUNK = 64 * 1024


class TooBig(Exception):
    """More came than is read."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """What came back. ``body`` is empty unless the status is 200."""

    status: int
    body: bytes = b""
    etag: str = ""
    modified: str = ""


def fetch(
    url: str, *, accept: str, etag: str = "", modified: str = "", most_bytes: int, allow_private: bool
) -> Fetched:
    """GET ``url``; with ``etag`` or ``modified`` only if it changed (304 otherwise).

    Raises :class:`NotPermitted`, :class:`NotReached` or :class:`TooBig`, whose words name the host at most.
    """
    headers = {"Accept": accept, "User-Agent": "Sentinel", "Accept-Encoding": "identity"}
    if etag:
        headers["If-None-Match"] = etag
    if modified:
        headers["If-Modified-Since"] = modified
    until = time.monotonic() + WHOLE_SECONDS
    for _ in range(MOST_REDIRECTIONS + 1):
        found, location = _get(url, headers, most_bytes=most_bytes, allow_private=allow_private, until=until)
        if not location:
            return found
        url = urljoin(url, location)
    raise NotPermitted("the address leads from one to the next without end")


def _get(
    url: str, headers: dict[str, str], *, most_bytes: int, allow_private: bool, until: float
) -> tuple[Fetched, str]:
    """One step: the answer, and where it leads to."""
    left = until - time.monotonic()
    step = min(STEP_SECONDS, left)
    there = reached(url, allow_private=allow_private, step_seconds=step, whole_seconds=left)
    with there as (connection, path):
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        location = answer.headers.get("Location", "") if answer.status in _REDIRECTIONS else ""
        found = Fetched(
            status=answer.status,
            body=_body(answer, most_bytes, connection.host) if answer.status == http.client.OK else b"",
            etag=answer.headers.get("ETag", ""),
            modified=answer.headers.get("Last-Modified", ""),
        )
        if time.monotonic() >= until:
            raise TimeoutError  # ended by us: what looks whole may be half
        return found, location


def _body(answer: http.client.HTTPResponse, most_bytes: int, host: str) -> bytes:
    """All of it, or nothing: half a calendar would take absences away."""
    if (answer.length or 0) > most_bytes:
        raise TooBig(f"{host} sends more than {most_bytes // 1024} kB")
    body = b""
    while chunk := answer.read(_CHUNK):
        body += chunk
        if len(body) > most_bytes:
            raise TooBig(f"{host} sends more than {most_bytes // 1024} kB")
    if answer.length:
        raise http.client.IncompleteRead(b"", answer.length)  # the library does not say so by itself
    return body
