"""SPF (RFC 7208): the record with everything it includes, and whether it lets an address send. Pure.

A tree is gathered once, with every name it needs, through a ``Lookup``; then any address is judged
against it without asking again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Protocol

MOST_LOOKUPS = 10
MOST_VOIDS = 2
#: A record that needs more than this is broken anyway; asking on would only take time.
_GIVE_UP_AFTER = 40
_RESULTS = {"+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_TERM = re.compile(
    r"(?P<qualifier>[+\-~?]?)(?P<name>all|include|a|mx|ptr|ip4|ip6|exists)"
    r"(?::(?P<value>[^/\s]+))?(?P<prefix>(?:/\d{1,3})?(?://\d{1,3})?)$",
    re.IGNORECASE,
)
_MODIFIER = re.compile(r"(?P<name>[a-z][a-z0-9_.-]*)=(?P<value>\S*)$", re.IGNORECASE)

Network = IPv4Network | IPv6Network


class Lookup(Protocol):
    """Asks a name server; each answer is the values, or None when it could not be asked."""

    def txt(self, name: str) -> Sequence[str] | None: ...
    def addresses(self, name: str) -> Sequence[str] | None: ...
    def mail_hosts(self, name: str) -> Sequence[str] | None: ...


@dataclass(frozen=True, kw_only=True)
class Term:
    """One mechanism. ``uncertain``: it depends on the mail itself, or could not be asked."""

    text: str
    qualifier: str
    name: str
    value: str = ""
    networks: tuple[Network, ...] = ()
    child: Record | None = None
    uncertain: bool = False


@dataclass(frozen=True, kw_only=True)
class Record:
    """One domain's record with what it includes."""

    domain: str
    text: str
    terms: tuple[Term, ...] = ()
    redirect: Record | None = None


@dataclass(frozen=True, kw_only=True)
class SpfFacts:
    """The SPF of a domain. ``records``: every TXT record that begins with v=spf1; one is right.

    ``lookups``: names the receiver must ask for; ``voids``: of these, the ones that do not exist.
    ``broken``: what cannot be understood, in words. ``failed``: the name server did not answer.
    """

    domain: str
    records: tuple[str, ...] = ()
    root: Record | None = None
    lookups: int = 0
    voids: int = 0
    broken: tuple[str, ...] = ()
    failed: str = ""

    @property
    def includes(self) -> frozenset[str]:
        """All domains that the record includes, directly or not."""
        return frozenset(_included(self.root)) if self.root else frozenset()

    @property
    def last_word(self) -> str:
        """The qualifier of ``all`` that ends the record: + - ~ ? or empty when nothing ends it."""
        record = self.root
        while record is not None:
            for term in record.terms:
                if term.name == "all":
                    return term.qualifier
            record = record.redirect
        return ""

    def allows(self, ip: str) -> str:
        """pass, fail, softfail, neutral or none; "unknown" when it depends on what could not be asked."""
        return _judge(self.root, ip_address(ip)) if self.root else "none"


@dataclass
class _Walk:
    lookup: Lookup
    lookups: int = 0
    voids: int = 0
    broken: list[str] = field(default_factory=list)
    failed: str = ""

    def gather(self, domain: str, path: tuple[str, ...]) -> Record | None:
        """The record of one domain; None when it has none (or more than one, or cannot be asked)."""
        texts = self.lookup.txt(domain)
        if texts is None:
            self.failed = self.failed or f"{domain} could not be asked"
            return None
        records = spf_records(texts)
        if len(records) != 1:
            if path:
                self.broken.append(
                    f"{domain} is included but has {'no SPF record' if not records else 'several'}"
                )
            return None
        return self._read(domain, records[0], (*path, domain))

    def _read(self, domain: str, text: str, path: tuple[str, ...]) -> Record:
        terms: list[Term] = []
        redirect: Record | None = None
        for word in text.split()[1:]:
            modifier, found = _MODIFIER.match(word), _TERM.match(word)
            if modifier:
                if modifier["name"].lower() == "redirect" and "all" not in {t.name for t in terms}:
                    redirect = self._follow(modifier["value"], path)
            elif found:
                terms.append(self._term(word, found, domain, path))
            else:
                self.broken.append(f"“{word}” in the record of {domain} cannot be understood")
        return Record(domain=domain, text=text, terms=tuple(terms), redirect=redirect)

    def _term(self, word: str, found: re.Match[str], domain: str, path: tuple[str, ...]) -> Term:
        name, value = found["name"].lower(), found["value"] or ""
        prefix = found["prefix"] or ""
        basic = Term(text=word, qualifier=found["qualifier"] or "+", name=name, value=value.lower())
        if name in ("ip4", "ip6"):
            return replace(basic, networks=self._network(word, value + prefix))
        if name == "all":
            return basic
        self.lookups += 1
        if "%" in value or name in ("ptr", "exists") or self.lookups > _GIVE_UP_AFTER:
            return replace(basic, uncertain=True)
        if name == "include":
            child = self._follow(value, path, counted=True)
            return replace(basic, child=child, uncertain=child is None and bool(self.failed))
        return self._addressed(basic, value or domain, prefix)

    def _follow(self, domain: str, path: tuple[str, ...], *, counted: bool = False) -> Record | None:
        self.lookups += 0 if counted else 1
        wanted = domain.lower().rstrip(".")
        if wanted in path:
            self.broken.append(f"{wanted} includes itself")
            return None
        return self.gather(wanted, path)

    def _addressed(self, basic: Term, target: str, prefix: str) -> Term:
        """``a`` and ``mx``: the addresses of the hosts, widened by the prefixes."""
        hosts: Sequence[str] | None = [target]
        if basic.name == "mx":
            hosts = self.lookup.mail_hosts(target)
        found = [] if hosts is None else [self.lookup.addresses(host) for host in hosts[:MOST_LOOKUPS]]
        uncertain = hosts is None or any(ips is None for ips in found)
        ips = [ip for known in found if known for ip in known]
        if not ips and not uncertain:
            self.voids += 1
        return replace(basic, networks=tuple(_widen(ip, prefix) for ip in ips), uncertain=uncertain)

    def _network(self, word: str, text: str) -> tuple[Network, ...]:
        try:
            return (ip_network(text, strict=False),)
        except ValueError:
            self.broken.append(f"“{word}” names no network")
            return ()


def spf_records(texts: Iterable[str]) -> tuple[str, ...]:
    """The SPF records among a name's TXT records."""
    return tuple(t for t in texts if t.lower() == "v=spf1" or t.lower().startswith("v=spf1 "))


def gather_spf(domain: str, lookup: Lookup) -> SpfFacts:
    """Everything about the SPF of a domain."""
    texts = lookup.txt(domain)
    if texts is None:
        return SpfFacts(domain=domain, failed=f"{domain} could not be asked")
    walk = _Walk(lookup)
    root = walk.gather(domain, ())
    return SpfFacts(
        domain=domain,
        records=spf_records(texts),
        root=root,
        lookups=walk.lookups,
        voids=walk.voids,
        broken=tuple(walk.broken),
        failed=walk.failed,
    )


def _judge(record: Record, ip: IPv4Address | IPv6Address) -> str:
    doubt = False
    for term in record.terms:
        if term.name == "all":
            return "unknown" if doubt else _RESULTS[term.qualifier]
        inner = _judge(term.child, ip) if term.child else ""
        if inner == "pass" or any(ip in network for network in term.networks):
            return _RESULTS[term.qualifier]
        doubt = doubt or term.uncertain or inner == "unknown"
    if record.redirect is not None:
        after = _judge(record.redirect, ip)
        return "unknown" if doubt and after != "pass" else after
    return "unknown" if doubt else "neutral"


def _included(record: Record) -> Iterable[str]:
    for term in record.terms:
        if term.name == "include":
            yield term.value
        if term.child is not None:
            yield from _included(term.child)
    if record.redirect is not None:
        yield record.redirect.domain
        yield from _included(record.redirect)


def _widen(ip: str, prefix: str) -> Network:
    """An address as a network: ``/24`` counts for IPv4, ``//64`` for IPv6."""
    four, _, six = prefix.partition("//")
    wanted = four.lstrip("/") if ":" not in ip else six
    return ip_network(f"{ip}/{wanted}" if wanted else ip, strict=False)
