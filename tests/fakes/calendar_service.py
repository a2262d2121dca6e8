"""A web server with one calendar file, as an office's server publishes it."""

from __future__ import annotations

import hashlib
import threading
from http.server import BaseHTTPRequestHandler

from tests.fakes.http_service import Loopback


def event(first: str, last: str, *, title: str = "Holiday", uid: str = "", lines: str = "") -> str:
    """One event of whole days, ``last`` not included; dates as 20260316."""
    return (
        f"BEGIN:VEVENT\r\nUID:{uid or first + title}\r\nSUMMARY:{title}\r\n"
        f"DTSTART;VALUE=DATE:{first}\r\nDTEND;VALUE=DATE:{last}\r\n{lines}END:VEVENT\r\n"
    )


def calendar(*events: str) -> bytes:
    """A file that holds these events."""
    text = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//t//EN\r\n" + "".join(events) + "END:VCALENDAR\r\n"
    return text.encode()


class CalendarService(Loopback):
    """Serves ``content`` at /secret/away.ics with an ETag and answers 304 to whoever has it already.

    ``status``: answer this instead of 200. ``leads_to``: a Location, by path. ``cut``: send so many bytes
    less than promised. ``hangs``: answer nothing until it is closed. ``asked``: the headers and paths of all
    requests.
    """

    path = "/secret/away.ics"

    def __init__(self, content: bytes = b"") -> None:
        super().__init__()
        self.content = content
        self.status = 200
        self.leads_to: dict[str, str] = {}
        self.cut = 0
        self.hangs = False
        self.promises_length = True
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.answered: list[int] = []
        self._over = threading.Event()

    @property
    def address(self) -> str:
        return f"{self.url}{self.path}"

    def __exit__(self, *error: object) -> None:
        self._over.set()
        super().__exit__(*error)

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append((handler.path, dict(handler.headers.items())))
        if self.hangs:
            self._over.wait(30)
            handler.close_connection = True
            return
        etag = f'"{hashlib.sha256(self.content).hexdigest()[:16]}"'
        status, headers, body = self.status, {"ETag": etag}, self.content
        if handler.path in self.leads_to:
            status, headers, body = 302, {"Location": self.leads_to[handler.path]}, b""
        elif status == 200 and handler.headers.get("If-None-Match") == etag:
            status, body = 304, b""
        self.answered.append(status)
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        if self.promises_length and status != 304:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[: len(body) - self.cut] if status == 200 else body)
        handler.close_connection = True
