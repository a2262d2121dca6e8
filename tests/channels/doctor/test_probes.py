"""The probes see what is there: a real name server, real mail servers with real certificates, on loopback."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from sentinel.channels.email.doctor.examination import judge
from sentinel.channels.email.doctor.facts import Facts, Relay, Setup
from sentinel.channels.email.doctor.findings import Finding
from sentinel.channels.email.doctor.names import Names, Patience, TimeIsUp
from sentinel.channels.email.doctor.probes import Probe
from tests.channels.doctor.facts_of import dkim, public_key
from tests.fakes.certificates import Authority, make_authority
from tests.fakes.name_server import NameServer
from tests.fakes.smtp import SmtpServer

NOW = datetime.now(UTC)
DOMAIN, INBOUND, HOST = "provider.example", "in.provider.example", "mail.provider.example"
OURS, FORGED = f"rm-ours@{INBOUND}", f"rm-forged@{INBOUND}"
ZONE = {
    DOMAIN: {"MX": [f"10 {HOST}."], "TXT": ["site-verification=1", "v=spf1 -all"]},
    INBOUND: {"MX": [f"10 {HOST}."], "TXT": ["v=spf1 include:spf.relay.example -all"]},
    "spf.relay.example": {"TXT": ["v=spf1 ip4:203.0.113.0/24 -all"]},
    HOST: {"A": ["127.0.0.1"]},
    "1.0.0.127.in-addr.arpa": {"PTR": [f"{HOST}."]},
    "9.113.0.203.in-addr.arpa": {"PTR": ["out.relay.example."]},
    "out.relay.example": {"A": ["203.0.113.9"]},
    f"sentinel._domainkey.{DOMAIN}": {"TXT": [dkim()]},
    f"_dmarc.{DOMAIN}": {"TXT": [f"v=DMARC1; p=reject; rua=mailto:a@{DOMAIN},mailto:b@reports.example"]},
    f"{DOMAIN}._report._dmarc.reports.example": {"TXT": ["v=DMARC1"]},
    "sentinel.provider.example": {"A": ["127.0.0.1"]},
}


class Door:
    """Takes mail for one address only, as our ear does."""

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address != OURS:
            return "550 5.1.1 no such address"
        envelope.rcpt_tos.append(address)
        return "250 ok"


async def _close(server: asyncio.Server) -> None:
    server.close()
    sessions = asyncio.all_tasks() - {asyncio.current_task()}
    for session in sessions:
        session.cancel()
    await asyncio.gather(*sessions, return_exceptions=True)
    await server.wait_closed()


@contextmanager
def mail_server(context: ssl.SSLContext | None = None, *, implicit: bool = False) -> Iterator[int]:
    """A mail server on loopback that encrypts when it has a certificate; yields its port."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def session() -> SMTP:
        return SMTP(Door(), loop=loop, tls_context=None if implicit else context)

    listening = loop.create_server(session, "127.0.0.1", 0, ssl=context if implicit else None)
    server = asyncio.run_coroutine_threadsafe(listening, loop).result(timeout=20)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(timeout=20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=20)
        loop.close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """An authority that this process trusts."""
    made = make_authority(tmp_path_factory.mktemp("ca"), NOW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(made.file))
        yield made


def look(
    server: NameServer, *, port: int, tls: str = "starttls", seconds: float = 20, **setup: object
) -> Facts:
    """Examine the zone with a relay at a port of this machine."""
    patience = Patience(seconds)
    columns: dict[str, object] = {
        "relays": (Relay(host=HOST, port=port, tls=tls),),
        "own_key": public_key(),
        "inbound_domain": INBOUND,
        "source_ips": ("203.0.113.9",),
        "smtp_port": port,
        "has_listener": True,
    }
    return Probe(
        setup=Setup(domain=DOMAIN, **(columns | setup)),  # type: ignore[arg-type]
        names=Names(server.address, patience),
        patience=patience,
        ours=OURS,
        forged=FORGED,
    ).gather(NOW)


def titles(facts: Facts) -> dict[str, Finding]:
    return {finding.check: finding for finding in judge(facts)}


def test_a_well_kept_domain_is_seen_as_it_is(authority: Authority) -> None:
    with NameServer(ZONE) as server, mail_server(authority.server(HOST, now=NOW)) as port:
        facts = look(server, port=port)
    found = titles(facts)
    assert found["mx"].title == f"{DOMAIN} takes mail"
    assert found["spf"].title == f"{INBOUND} has a sound SPF record"
    assert found["spf_allows_us"].grade == "good"
    assert found["dkim"].title == "The DKIM key is published (2048 bits)"
    assert found["dmarc"].title == "DMARC is in force (p=reject)"
    assert found["alignment"].grade == "good"
    assert found["ptr"].title == "203.0.113.9 is out.relay.example, and back"
    assert "valid certificate" in found["relay_tls"].title
    assert found["inbound"].title == f"Mail to {INBOUND} comes back into Sentinel"
    assert facts.relays[0].tls is not None
    assert facts.relays[0].tls.version.startswith("TLS")


def test_without_source_addresses_the_relays_own_name_is_looked_at(authority: Authority) -> None:
    with NameServer(ZONE) as server, mail_server(authority.server(HOST, now=NOW)) as port:
        facts = look(server, port=port, source_ips=())
    assert titles(facts)["ptr"].title == f"127.0.0.1 is {HOST}, and back"


@pytest.mark.parametrize(("host", "days", "why"), [(HOST, -1, "expired"), ("other.example", 90, "mismatch")])
def test_a_certificate_that_does_not_hold_is_seen(
    authority: Authority, host: str, days: int, why: str
) -> None:
    with NameServer(ZONE) as server, mail_server(authority.server(host, now=NOW, days=days)) as port:
        found = titles(look(server, port=port))["relay_tls"]
    assert found.title == f"The certificate of {HOST}:{port} is not accepted"
    assert why in found.what_to_do.lower()
    assert "certificate until 20" in found.evidence


def test_a_certificate_that_nobody_vouches_for_is_seen(authority: Authority, tmp_path: Path) -> None:
    stranger = make_authority(tmp_path, NOW)
    with NameServer(ZONE) as server, mail_server(stranger.server(HOST, now=NOW)) as port:
        assert titles(look(server, port=port))["relay_tls"].grade == "bad"


def test_a_certificate_that_ends_soon_is_seen(authority: Authority) -> None:
    with NameServer(ZONE) as server, mail_server(authority.server(HOST, now=NOW, days=3)) as port:
        assert "ends in" in titles(look(server, port=port))["relay_tls"].title


def test_a_relay_without_encryption_is_seen() -> None:
    with NameServer(ZONE) as server, SmtpServer() as relay:
        found = titles(look(server, port=relay.port))
    assert found["relay_tls"].title == f"{HOST}:{relay.port} offers no encryption"


def test_a_relay_that_is_gone_is_seen() -> None:
    with SmtpServer() as relay:
        port = relay.port
    with NameServer(ZONE) as server:
        found = titles(look(server, port=port))
    assert found["relay_tls"].title == f"{HOST}:{port} does not answer"
    assert found["relay_tls"].evidence == "nobody listens there"
    assert found["inbound"].grade == "unknown"


def test_a_relay_whose_name_is_gone_is_seen() -> None:
    with NameServer({name: records for name, records in ZONE.items() if name != HOST}) as server:
        assert titles(look(server, port=9))["relay_tls"].title == f"{HOST}:9 cannot be found"


def test_an_encrypted_port_is_looked_at_directly(authority: Authority) -> None:
    context = authority.server(HOST, now=NOW)
    with NameServer(ZONE) as server, mail_server(context, implicit=True) as port:
        found = titles(look(server, port=port, tls="implicit", inbound_domain=""))
    assert "valid certificate" in found["relay_tls"].title


def test_the_host_of_the_links_is_looked_at(authority: Authority) -> None:
    context = authority.server("sentinel.provider.example", now=NOW)
    with NameServer(ZONE) as server, mail_server(context, implicit=True) as port:
        url = f"https://sentinel.provider.example:{port}"
        facts = look(server, port=9, relays=(), inbound_domain="", base_url=url)
    assert facts.link is not None
    assert facts.link.tls is not None
    assert facts.link.tls.verified


def test_a_mail_server_that_knows_none_of_our_addresses_is_seen(authority: Authority) -> None:
    with NameServer(ZONE) as server, mail_server() as port:
        patience = Patience(20)
        setup = Setup(domain=DOMAIN, inbound_domain=INBOUND, smtp_port=port, has_listener=True)
        names = Names(server.address, patience)
        facts = Probe(setup=setup, names=names, patience=patience, ours=FORGED, forged=FORGED).gather(NOW)
    assert titles(facts)["inbound"].title == f"Mail to {INBOUND} does not come back to Sentinel"


def test_an_empty_zone_is_told_what_to_publish() -> None:
    with NameServer({}) as server:
        found = titles(look(server, port=9, relays=(), own_key="", inbound_domain=""))
    assert found["mx"].grade == found["spf"].grade == found["dmarc"].grade == "bad"
    assert f"_dmarc.{DOMAIN}. TXT" in found["dmarc"].what_to_do
    assert found["dkim"].grade == "unknown"


def test_a_name_server_that_fails_says_nothing_about_us() -> None:
    names = [DOMAIN, INBOUND, f"_dmarc.{DOMAIN}", f"sentinel._domainkey.{DOMAIN}"]
    with NameServer(ZONE, broken=names) as server:
        found = titles(look(server, port=9, relays=(), own_key=""))
    assert {found[check].grade for check in ("mx", "spf", "dkim", "dmarc", "inbound")} == {"unknown"}


def test_the_policy_of_a_parent_counts() -> None:
    with NameServer(ZONE) as server:
        patience = Patience(20)
        setup = Setup(domain=f"news.{DOMAIN}")
        facts = Probe(setup=setup, names=Names(server.address, patience), patience=patience).gather(NOW)
    assert facts.dmarc.found_at == DOMAIN
    assert facts.dmarc.agreed == {"reports.example": True}


def test_all_probes_together_have_a_time_limit() -> None:
    with NameServer(ZONE, silent=[DOMAIN, INBOUND, HOST]) as server:
        started = datetime.now(UTC)
        facts = look(server, port=9, seconds=1.5)
        assert (datetime.now(UTC) - started).total_seconds() < 5
    assert titles(facts)["mx"].grade == "unknown"


def test_patience_ends() -> None:
    with pytest.raises(TimeIsUp):
        Patience(0.0).at_most(1.0)


def test_nothing_is_asked_twice() -> None:
    with NameServer(ZONE) as server:
        names = Names(server.address, Patience(10))
        for _ in range(3):
            assert names.ask(DOMAIN, "MX").values == (f"00010 {HOST}",)
        assert server.asked == [(DOMAIN, "MX")]


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("192.0.2.1:5353", ("192.0.2.1", 5353)),
        ("2001:db8::1", ("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
    ],
)
def test_a_name_server_is_named_with_or_without_port(text: str, at: tuple[str, int]) -> None:
    resolver = Names(text, Patience(1))._resolver
    assert (resolver.nameservers, resolver.port) == ([at[0]], at[1])


def test_a_name_server_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="SENTINEL_NAME_SERVER"):
        Names("dns.example.com", Patience(1))
