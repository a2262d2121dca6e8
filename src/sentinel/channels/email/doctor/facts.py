"""What the probes saw, as plain values; and how the examined Sentinel is set up. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sentinel.channels.email.doctor.spf import SpfFacts


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a name server said: the values, or none, or that it could not be asked (``failed``: why)."""

    values: tuple[str, ...] = ()
    failed: str = ""

    @property
    def is_known(self) -> bool:
        return not self.failed


@dataclass(frozen=True, kw_only=True)
class Relay:
    """A mail server that takes our mail. ``tls``: none, starttls or implicit, as it is set."""

    host: str
    port: int
    tls: str
    has_login: bool = False


@dataclass(frozen=True, kw_only=True)
class Setup:
    """What is examined and how it is set up.

    ``domain``: the one mail comes from (in From). ``inbound_domain``: where replies and bounces go, empty
    when they go to people. ``own_key``: the public half of our signing key (DER, base64), empty when the
    relay signs. ``source_ips``: where receivers see our mail come from, when somebody said so.
    ``smtp_port``: where mail servers of the world listen.
    """

    domain: str
    relays: tuple[Relay, ...] = ()
    selectors: tuple[str, ...] = ("sentinel",)
    own_key: str = ""
    base_url: str = ""
    inbound_domain: str = ""
    has_listener: bool = False
    source_ips: tuple[str, ...] = ()
    sender_address: str = ""
    smtp_port: int = 25

    @property
    def envelope_domain(self) -> str:
        """The domain whose SPF record counts: that of the address bounces go to."""
        return self.inbound_domain or self.domain


@dataclass(frozen=True, kw_only=True)
class MailHost:
    """One mail server of a domain and its addresses."""

    name: str
    addresses: Answer


@dataclass(frozen=True, kw_only=True)
class MxFacts:
    """Who takes mail for a domain. ``is_null``: the domain says that nobody does (RFC 7505)."""

    domain: str
    answer: Answer
    hosts: tuple[MailHost, ...] = ()
    is_null: bool = False
    fallback: Answer = field(default_factory=Answer)


@dataclass(frozen=True, kw_only=True)
class DmarcFacts:
    """The DMARC records in force for a domain, where they stand, and who outside agreed to get reports."""

    found_at: str
    answer: Answer
    agreed: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class TlsFacts:
    """One attempt to speak encrypted. ``why_not``: why the certificate was not accepted."""

    reached: bool = False
    error: str = ""
    offered: bool = False
    verified: bool = False
    why_not: str = ""
    version: str = ""
    ends_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ReverseName:
    """The names of one address. ``confirmed``: those of them that lead back to it."""

    ip: str
    names: Answer
    confirmed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RelayFacts:
    """One relay as it was found. ``tls`` is None when time ran out."""

    relay: Relay
    addresses: Answer
    reverse: tuple[ReverseName, ...] = ()
    tls: TlsFacts | None = None


@dataclass(frozen=True, kw_only=True)
class LinkFacts:
    """The host that every link in every mail names."""

    addresses: Answer
    tls: TlsFacts | None = None


@dataclass(frozen=True, kw_only=True)
class InboundFacts:
    """Who takes mail for the inbound domain. ``ours`` and ``forged``: the answers to an address of ours and
    to an invented one, as reply codes; None when no server could be asked (``error``: why)."""

    mx: MxFacts
    ours: int | None = None
    forged: int | None = None
    error: str = ""


@dataclass(frozen=True, kw_only=True)
class SpecimenFacts:
    """A check-in as it would leave: its size in bytes and its headers, lower-case names."""

    size: int
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that was seen of a domain. ``dkim``: selector → its TXT records.

    ``spf``: of the domain in From; ``envelope_spf``: of the domain that bounces go to, when it is another.
    """

    setup: Setup
    now: datetime
    mx: MxFacts
    spf: SpfFacts
    envelope_spf: SpfFacts | None
    dkim: Mapping[str, Answer]
    dmarc: DmarcFacts
    relays: tuple[RelayFacts, ...]
    link: LinkFacts | None
    inbound: InboundFacts | None
    specimen: SpecimenFacts | None

    @property
    def counted_spf(self) -> SpfFacts:
        """The SPF record that receivers look at."""
        return self.envelope_spf or self.spf

    @property
    def sending_ips(self) -> tuple[str, ...]:
        """Where receivers see our mail come from: as said, else the relays' own addresses."""
        if self.setup.source_ips:
            return self.setup.source_ips
        return tuple(ip for relay in self.relays for ip in relay.addresses.values)
