"""A domain with which everything is well, to be spoilt one thing at a time."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

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
from sentinel.channels.email.doctor.spf import SpfFacts, gather_spf

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
DOMAIN, INBOUND = "provider.example", "in.provider.example"
RELAY = Relay(host="mail.provider.example", port=587, tls="starttls", has_login=True)
TLS = TlsFacts(reached=True, offered=True, verified=True, version="TLSv1.3", ends_at=NOW + timedelta(days=60))
HEADERS = {
    "list-unsubscribe": "<https://sentinel.provider.example/u/x/>, <mailto:u-x@in.provider.example>",
    "list-unsubscribe-post": "List-Unsubscribe=One-Click",
}


@lru_cache
def public_key(bits: int = 2048) -> str:
    """A public RSA key as DKIM has it; 0 bits: an Ed25519 key."""
    if bits == 0:
        raw = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return b64encode(raw).decode()
    # The library makes no key below 1024 bits, but reads one.
    key = (
        rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key()
        if bits >= 1024
        else rsa.RSAPublicNumbers(65537, (1 << bits - 1) + 1).public_key()
    )
    return b64encode(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def dkim(value: str | None = None, *, more: str = "k=rsa; ") -> str:
    return f"v=DKIM1; {more}p={public_key() if value is None else value}"


def mx(domain: str, *hosts: str, **changes: Any) -> MxFacts:
    return replace(
        MxFacts(
            domain=domain,
            answer=Answer(values=tuple(f"00010 {host}" for host in hosts)),
            hosts=tuple(MailHost(name=host, addresses=Answer(values=("192.0.2.5",))) for host in hosts),
        ),
        **changes,
    )


class _Paper:
    def __init__(self, txt: Mapping[str, Sequence[str]]) -> None:
        self._txt = txt

    def txt(self, name: str) -> Sequence[str] | None:
        return self._txt.get(name, ())

    def addresses(self, name: str) -> Sequence[str] | None:
        return ("192.0.2.5",) if name.startswith("mail.") else ()

    def mail_hosts(self, name: str) -> Sequence[str] | None:
        return ()


def spf(*records: str, domain: str = INBOUND, **other: str) -> SpfFacts:
    texts = {domain: records, **{name.replace("_", "."): (text,) for name, text in other.items()}}
    return gather_spf(domain, _Paper(texts))


def relay(**changes: Any) -> RelayFacts:
    return replace(
        RelayFacts(
            relay=RELAY,
            addresses=Answer(values=("192.0.2.5",)),
            reverse=(reverse("mail.provider.example"),),
            tls=TLS,
        ),
        **changes,
    )


def reverse(*names: str, confirmed: bool = True, failed: str = "") -> ReverseName:
    answer = Answer(values=names, failed=failed)
    return ReverseName(ip="192.0.2.5", names=answer, confirmed=names if confirmed else ())


def dmarc(*records: str, at: str = DOMAIN, **agreed: bool) -> DmarcFacts:
    named = {name.replace("_", "."): agrees for name, agrees in agreed.items()}
    return DmarcFacts(found_at=at, answer=Answer(values=records), agreed=named)


def facts(**changes: Any) -> Facts:
    """All is well, but for ``changes``; those of the set-up are named ``setup_…``."""
    setup = Setup(
        domain=DOMAIN,
        relays=(RELAY,),
        own_key=public_key(),
        base_url="https://sentinel.provider.example",
        inbound_domain=INBOUND,
        has_listener=True,
        sender_address=f"care@{DOMAIN}",
    )
    of_setup = {name[6:]: changes.pop(name) for name in list(changes) if name.startswith("setup_")}
    well = Facts(
        setup=replace(setup, **of_setup),
        now=NOW,
        mx=mx(DOMAIN, "mail.provider.example"),
        spf=spf("v=spf1 -all", domain=DOMAIN),
        envelope_spf=spf("v=spf1 ip4:192.0.2.5 -all"),
        dkim={"sentinel": Answer(values=(dkim(),))},
        dmarc=dmarc(f"v=DMARC1; p=quarantine; rua=mailto:dmarc@{DOMAIN}"),
        relays=(relay(),),
        link=LinkFacts(addresses=Answer(values=("8.8.4.4",)), tls=TLS),
        inbound=InboundFacts(mx=mx(INBOUND, "mail.provider.example"), ours=250, forged=550),
        specimen=SpecimenFacts(size=14_500, headers=HEADERS),
    )
    return replace(well, **changes)
