"""A voice service on loopback that behaves like Twilio's Calls interface, with scripted people on the line.

It checks the sign-in, keeps calls, answers create, fetch, update and list, and signs what it sends. ``play``
lets a call live: telephones ring, people do what the script says, our TwiML is fetched and followed. Its
clock moves by what happens, never by waiting.
"""

from __future__ import annotations

import base64
import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler
from typing import Any, Literal
from urllib.parse import parse_qs, parse_qsl, urlsplit

from sentinel.kernel.clock import FixedClock
from tests.fakes.http_service import Loopback
from tests.fakes.twilio_calls import Call, Person, Web, lives

ACCOUNT, TOKEN = "AC" + "0" * 32, "the-token-of-the-account"
_PATH = re.compile(r"/2010-04-01/Accounts/(\w+)/Calls(?:/(\w+))?\.json")
Fault = Literal["lose the answer", "accept nothing", "garbage"] | int
_FAULTS = {
    401: (20003, "Authenticate"),
    429: (20429, "Too Many Requests"),
    500: (20500, "Internal Server Error"),
    503: (20503, "Service Unavailable"),
    504: (0, "Gateway Timeout"),
}


class Twilio(Loopback):
    """``with Twilio(...) as service``; ``people`` are by number, everybody else does not answer."""

    def __init__(self, at: FixedClock) -> None:
        super().__init__()
        self.calls: dict[str, Call] = {}
        self.people: dict[str, Person] = {}
        self.web = Web(token=TOKEN, account=ACCOUNT)
        self._clock = at
        #: How the next requests that would change something go wrong.
        self.faults: deque[Fault] = deque()
        #: Numbers that are refused: what is answered for them.
        self.refused: dict[str, tuple[int, int, str]] = {}
        self.account_status, self.account_type = "active", "Full"
        self.requests: list[tuple[str, str, dict[str, list[str]]]] = []
        self._playing: dict[str, Iterator[str]] = {}
        self._lock = threading.RLock()

    # --- the telephones

    def play(self, ref: str, until: str = "") -> None:
        """Let a call live to its end, or to a point of its life; a second time it goes on from there."""
        life = self._playing.setdefault(ref, lives(self, self.calls[ref]))
        for point in life:
            if point == until:
                return
        assert not until, f"the call never came to {until}"

    def pass_time(self, seconds: float) -> None:
        """Let the one clock of service and Sentinel go on."""
        self._clock.advance(seconds=seconds)

    @property
    def now(self) -> datetime:
        return self._clock.now()

    def add(self, **facts: Any) -> Call:
        """One more call, or leg of a call."""
        with self._lock:
            call = Call(sid=f"CA{len(self.calls):032x}", created_at=self.now, **facts)
            self.calls[call.sid] = call
            return call

    # --- the interface

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        fields = parse_qs(body.decode(), keep_blank_values=True)
        self.requests.append((handler.command, parts.path, fields))
        fault = self.faults.popleft() if self.faults and handler.command == "POST" else None
        if fault == "accept nothing":
            handler.close_connection = True
            return
        if isinstance(fault, int):
            code, message = _FAULTS[fault]
            _answer(handler, fault, {"code": code, "message": message, "status": fault})
            return
        with self._lock:
            status, answer = self._answer(handler, parts.path, dict(parse_qsl(parts.query)), fields)
        if fault == "lose the answer":
            handler.close_connection = True
            return
        _answer(handler, status, "<html>" if fault == "garbage" else answer)

    def _answer(
        self,
        handler: BaseHTTPRequestHandler,
        path: str,
        query: dict[str, str],
        fields: dict[str, list[str]],
    ) -> tuple[int, Any]:
        signed_in = base64.b64encode(f"{ACCOUNT}:{TOKEN}".encode()).decode()
        if handler.headers.get("Authorization") != f"Basic {signed_in}":
            return 401, {"code": 20003, "message": "Authenticate", "status": 401}
        if path == f"/2010-04-01/Accounts/{ACCOUNT}.json":
            return 200, {"sid": ACCOUNT, "status": self.account_status, "type": self.account_type}
        match = _PATH.fullmatch(path)
        if match is None or match[1] != ACCOUNT or (match[2] and match[2] not in self.calls):
            return 404, {
                "code": 20404,
                "message": f"The requested resource {path} was not found",
                "status": 404,
            }
        if match[2]:
            call = self.calls[match[2]]
            if handler.command == "POST":
                call.change(fields["Status"][0], self.now)
            return 200, self._shown(call)
        return self._created(fields) if handler.command == "POST" else (200, self._listed(query))

    def _created(self, fields: dict[str, list[str]]) -> tuple[int, Any]:
        to = fields["To"][0]
        if to in self.refused:
            status, code, message = self.refused[to]
            return status, {"code": code, "message": message, "status": status}
        call = self.add(
            to=to,
            caller=fields["From"][0],
            url=fields["Url"][0],
            callback=fields["StatusCallback"][0],
            wanted=tuple(fields["StatusCallbackEvent"]),
            ring_seconds=int(fields["Timeout"][0]),
        )
        return 201, self._shown(call)

    def _listed(self, query: dict[str, str]) -> Any:
        found = [
            call
            for call in reversed(self.calls.values())
            if query.get("To", call.to) == call.to
            and query.get("From", call.caller) == call.caller
            and query.get("ParentCallSid", call.parent) == call.parent
        ]
        size = int(query.get("PageSize", 50))
        return {"calls": [self._shown(call) for call in found[:size]], "next_page_uri": None, "page": 0}

    def _shown(self, call: Call) -> dict[str, Any]:
        return {
            "sid": call.sid,
            "account_sid": ACCOUNT,
            "to": call.to,
            "from": call.caller,
            "parent_call_sid": call.parent or None,
            "status": call.status,
            "date_created": format_datetime(call.created_at.astimezone(UTC)),
            "end_time": format_datetime(call.ended_at.astimezone(UTC)) if call.ended_at else None,
            "duration": str(call.seconds) if call.ended_at else None,
            "answered_by": call.answered_by or None,
        }


def _answer(handler: BaseHTTPRequestHandler, status: int, answer: Any) -> None:
    body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


__all__ = ["ACCOUNT", "TOKEN", "Call", "Person", "Twilio"]
