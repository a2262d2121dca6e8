"""Real HTTP servers on loopback: one to build services on, one that keeps requests and answers by script."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True)
class Request:
    """What somebody asked: method, path with query, headers, body."""

    method: str
    path: str
    headers: Message
    body: bytes


class Loopback:
    """A server whose requests all come to :meth:`handle`, each on a thread of its own."""

    def __init__(self) -> None:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                service.handle(self)

            def do_GET(self) -> None:
                service.handle(self)

            def log_message(self, *_args: Any) -> None:
                """Nobody reads it."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=20)


class HttpService(Loopback):
    """Answers 200 unless something else was scripted: a status, a status with a Location, or "hang"."""

    def __init__(self, answer: bytes = b"{}") -> None:
        super().__init__()
        self.kept: list[Request] = []
        self.answer = answer
        self._script: deque[int | str] = deque()
        self._over = threading.Event()

    def will(self, *answers: int | str) -> HttpService:
        """Answer the next requests like this."""
        self._script.extend(answers)
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        super().__exit__(*error)

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length)
        self.kept.append(Request(handler.command, handler.path, handler.headers, body))
        answer = self._script.popleft() if self._script else 200
        if answer == "hang":
            self._over.wait(30)
            handler.close_connection = True
            return
        if isinstance(answer, str):  # a Location
            handler.send_response(302)
            handler.send_header("Location", answer)
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(answer)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(self.answer)))
        handler.end_headers()
        handler.wfile.write(self.answer)
