"""A real name server on loopback: UDP, with the zone a test writes down, and with its moods."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterable, Mapping

import dns.flags
import dns.message
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

Zone = Mapping[str, Mapping[str, Iterable[str]]]


class NameServer:
    """``with NameServer({"example.com": {"MX": ["10 mail.example.com."]}}) as server:``, then ask
    ``server.address``. TXT values are written without quotes; long ones are cut into pieces.

    ``broken`` names get a failure, ``silent`` ones no answer at all. ``asked`` remembers the questions.
    """

    def __init__(self, zone: Zone, *, broken: Iterable[str] = (), silent: Iterable[str] = ()) -> None:
        self.zone = {name.lower().rstrip("."): records for name, records in zone.items()}
        self.broken, self.silent = set(broken), set(silent)
        self.asked: list[tuple[str, str]] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> NameServer:
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.05)
        self._running = True
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._running = False
        self._thread.join(timeout=20)
        self._socket.close()

    @property
    def address(self) -> str:
        """Where it listens, as SENTINEL_NAME_SERVER has it."""
        return "{}:{}".format(*self._socket.getsockname())

    def _serve(self) -> None:
        while self._running:
            try:
                data, sender = self._socket.recvfrom(4096)
            except TimeoutError:
                continue
            answer = self._answer(dns.message.from_wire(data))
            if answer is not None:
                self._socket.sendto(answer.to_wire(max_size=65535), sender)

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        kind = dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        if name in self.silent:
            return None
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA | dns.flags.AA
        if name in self.broken:
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif name not in self.zone:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            values = [_quoted(v) if kind == "TXT" else v for v in self.zone[name].get(kind, ())]
            if values:
                answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *values))
        return answer


def _quoted(text: str) -> str:
    """A TXT value in pieces of at most 255 characters, as the wire has it."""
    pieces = [text[start : start + 200] for start in range(0, len(text), 200)] or [""]
    escaped = (piece.replace("\\", "\\\\").replace('"', '\\"') for piece in pieces)
    return " ".join(f'"{piece}"' for piece in escaped)
