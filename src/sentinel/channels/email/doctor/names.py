"""Asking name servers, within one time limit over everything that is asked."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
import dns.reversename

from sentinel.channels.email.doctor.facts import Answer

_DNS_PORT = 53
_SECONDS_EACH = 4.0


class TimeIsUp(Exception):
    """The time for all probes together is over."""


@dataclass
class Patience:
    """The time that is left for all probes together."""

    seconds: float
    _started: float = field(default_factory=time.monotonic)

    @property
    def left(self) -> float:
        return self.seconds - (time.monotonic() - self._started)

    def at_most(self, seconds: float) -> float:
        """So long one probe may take. Raises TimeIsUp."""
        if self.left <= 0.05:
            raise TimeIsUp
        return min(seconds, self.left)


class Names:
    """The name server. It remembers answers, so that nothing is asked twice in one examination.

    ``server``: its address with an optional port; empty for the machine's own.
    """

    def __init__(self, server: str, patience: Patience) -> None:
        self._resolver = dns.resolver.Resolver(configure=not server)
        if server:
            host, port = _host_and_port(server)
            self._resolver.nameservers = [host]
            self._resolver.port = port
        self._patience = patience
        self._known: dict[tuple[str, str], Answer] = {}

    def ask(self, name: str, kind: str) -> Answer:
        """The values of one name; numbers of MX records are left in front, TXT pieces are joined."""
        key = (name.lower().rstrip("."), kind)
        if key not in self._known:
            self._known[key] = self._ask(*key)
        return self._known[key]

    def addresses_of(self, name: str) -> Answer:
        """All addresses of a host, IPv4 first."""
        four, six = self.ask(name, "A"), self.ask(name, "AAAA")
        values = four.values + six.values
        return Answer(values=values) if values else Answer(failed=four.failed or six.failed)

    def names_of(self, ip: str) -> Answer:
        """The names that an address says it has."""
        return self.ask(dns.reversename.from_address(ip).to_text(), "PTR")

    # What SPF asks for; None when it could not be asked.

    def txt(self, name: str) -> Sequence[str] | None:
        answer = self.ask(name, "TXT")
        return answer.values if answer.is_known else None

    def addresses(self, name: str) -> Sequence[str] | None:
        answer = self.addresses_of(name)
        return answer.values if answer.is_known else None

    def mail_hosts(self, name: str) -> Sequence[str] | None:
        answer = self.ask(name, "MX")
        return [value.split()[1] for value in answer.values] if answer.is_known else None

    def _ask(self, name: str, kind: str) -> Answer:
        try:
            found = self._resolver.resolve(
                name, kind, lifetime=self._patience.at_most(_SECONDS_EACH), raise_on_no_answer=False
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return Answer()
        except TimeIsUp:
            return Answer(failed="there was no time left to ask")
        except (dns.exception.DNSException, UnicodeError, OSError) as error:
            return Answer(failed=f"{name} {kind}: {_reason(error)}")
        return Answer(values=tuple(sorted(_text(value, kind) for value in found.rrset or ())))


def is_address(text: str) -> bool:
    """Whether a host is given as an address."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _text(value: Any, kind: str) -> str:
    if kind == "TXT":
        return b"".join(value.strings).decode("utf-8", "replace")
    if kind == "MX":
        return f"{value.preference:05} {value.exchange.to_text(omit_final_dot=True).lower() or '.'}"
    if kind == "PTR":
        return str(value.target.to_text(omit_final_dot=True).lower())
    return str(value.to_text())


def _reason(error: Exception) -> str:
    if isinstance(error, dns.exception.Timeout):
        return "the name server does not answer"
    if isinstance(error, dns.resolver.NoNameservers):
        return "the name server reports a failure"
    return str(error) or type(error).__name__


def _host_and_port(server: str) -> tuple[str, int]:
    """``192.0.2.1``, ``192.0.2.1:5353``, ``2001:db8::1`` or ``[2001:db8::1]:5353``."""
    host, _, port = server.rpartition(":")
    if is_address(server):
        return server, _DNS_PORT
    if port.isdigit() and is_address(host.strip("[]")):
        return host.strip("[]"), int(port)
    if is_address(server.strip("[]")):
        return server.strip("[]"), _DNS_PORT
    raise ValueError(
        f"SENTINEL_NAME_SERVER must be an address like 192.0.2.1 or 192.0.2.1:53, not {server!r}"
    )
