"""Gathering the facts about a domain: name servers first, then mail servers, as long as time is left."""

from __future__ import annotations

import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import urlsplit

from sentinel.channels.email.doctor.conversation import ask_recipients, look_at_relay, look_at_tls
from sentinel.channels.email.doctor.facts import (
    Answer,
    DmarcFacts,
    Facts,
    InboundFacts,
    LinkFacts,
    MailHost,
    MxFacts,
    Relay,
    RelayFacts,
    ReverseName,
    Setup,
    SpecimenFacts,
    TlsFacts,
)
from sentinel.channels.email.doctor.names import Names, Patience, TimeIsUp, is_address
from sentinel.channels.email.doctor.records import dmarc_records, read_dmarc
from sentinel.channels.email.doctor.spf import gather_spf

#: All probes together.
SECONDS = 45.0
_MOST_HOSTS = 5
_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What one examination works with. ``ours`` and ``forged``: an address that must be taken, and an
    invented one that must not, to find out whether the inbound domain leads to us."""

    setup: Setup
    names: Names
    patience: Patience
    specimen: SpecimenFacts | None = None
    ours: str = ""
    forged: str = ""

    def gather(self, now: datetime) -> Facts:
        """Everything that can be seen from here within the time limit. Never raises for what it finds."""
        setup, names = self.setup, self.names
        envelope = setup.envelope_domain
        return Facts(
            setup=setup,
            now=now,
            mx=self._mx(setup.domain),
            spf=gather_spf(setup.domain, names),
            envelope_spf=gather_spf(envelope, names) if envelope != setup.domain else None,
            dkim={
                selector: names.ask(f"{selector}._domainkey.{setup.domain}", "TXT")
                for selector in setup.selectors
            },
            dmarc=self._dmarc(),
            relays=tuple(self._relay(relay) for relay in setup.relays),
            link=self._link(),
            inbound=self._inbound(),
            specimen=self.specimen,
        )

    def _mx(self, domain: str) -> MxFacts:
        answer = self.names.ask(domain, "MX")
        hosts = [value.split()[1] for value in answer.values]
        is_null = hosts == ["."]
        found = () if is_null else tuple(hosts[:_MOST_HOSTS])
        return MxFacts(
            domain=domain,
            answer=answer,
            hosts=tuple(MailHost(name=name, addresses=self.names.addresses_of(name)) for name in found),
            is_null=is_null,
            fallback=Answer() if hosts else self.names.addresses_of(domain),
        )

    def _dmarc(self) -> DmarcFacts:
        """The record of the domain, else of the nearest parent that has one."""
        labels = self.setup.domain.split(".")
        answer = Answer()
        for depth in range(len(labels) - 1):
            place = ".".join(labels[depth:])
            answer = self.names.ask(f"_dmarc.{place}", "TXT")
            records = dmarc_records(answer.values)
            if records or not answer.is_known:
                break
        else:
            return DmarcFacts(found_at="", answer=Answer())
        if not records:
            return DmarcFacts(found_at="", answer=answer)
        reports = read_dmarc(records[0], is_subdomain=False).reports_to
        elsewhere = {to.rpartition("@")[2] for to in reports} - {place}
        outside = {d for d in elsewhere if not d.endswith(f".{place}") and not place.endswith(f".{d}")}
        agreed = {d: self._has_agreed(place, d) for d in sorted(outside)}
        return DmarcFacts(found_at=place, answer=Answer(values=records), agreed=agreed)

    def _has_agreed(self, place: str, other: str) -> bool:
        answer = self.names.ask(f"{place}._report._dmarc.{other}", "TXT")
        return not answer.is_known or bool(dmarc_records(answer.values))

    def _relay(self, relay: Relay) -> RelayFacts:
        addresses = self._addresses(relay.host)
        seen_from = self.setup.source_ips or addresses.values
        return RelayFacts(
            relay=relay,
            addresses=addresses,
            reverse=tuple(self._reverse(ip) for ip in seen_from[:_MOST_HOSTS]),
            tls=self._in_time(
                lambda: look_at_relay(relay.host, relay.port, relay.tls, addresses.values, self.patience)
            )
            if addresses.values
            else None,
        )

    def _reverse(self, ip: str) -> ReverseName:
        names = self.names.names_of(ip)
        wanted = ip_address(ip)
        confirmed = tuple(
            name
            for name in names.values[:_MOST_HOSTS]
            if wanted in {ip_address(found) for found in self.names.addresses_of(name).values}
        )
        return ReverseName(ip=ip, names=names, confirmed=confirmed)

    def _link(self) -> LinkFacts | None:
        parts = urlsplit(self.setup.base_url)
        if not parts.hostname:
            return None
        host, addresses = parts.hostname, self._addresses(parts.hostname)
        tls: TlsFacts | None = None
        if parts.scheme == "https" and addresses.values:
            tls = self._in_time(lambda: look_at_tls(host, parts.port or 443, addresses.values, self.patience))
        return LinkFacts(addresses=addresses, tls=tls)

    def _inbound(self) -> InboundFacts | None:
        if not self.setup.inbound_domain:
            return None
        mx = self._mx(self.setup.inbound_domain)
        error = "it has no mail server"
        for host in mx.hosts or (MailHost(name=self.setup.inbound_domain, addresses=mx.fallback),):
            if not host.addresses.values:
                continue
            try:
                ours, forged = ask_recipients(
                    host.name,
                    self.setup.smtp_port,
                    host.addresses.values,
                    (self.ours, self.forged),
                    self.patience,
                )
            except TimeIsUp:
                return InboundFacts(mx=mx, error="there was no time left to ask it")
            except (OSError, smtplib.SMTPException) as failure:
                error = f"{host.name}: {failure}"
                continue
            return InboundFacts(mx=mx, ours=ours, forged=forged)
        return InboundFacts(mx=mx, error=error)

    def _addresses(self, host: str) -> Answer:
        if is_address(host):
            return Answer(values=(host,))
        # By definition this machine (RFC 6761); name servers need not know.
        return Answer(values=("127.0.0.1",)) if host == "localhost" else self.names.addresses_of(host)

    @staticmethod
    def _in_time(look: Callable[[], _T]) -> _T | None:
        try:
            return look()
        except TimeIsUp:
            return None
