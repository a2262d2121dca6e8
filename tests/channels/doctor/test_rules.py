"""Every finding of the mail doctor has a good and a bad case, and says in plain words what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sentinel.channels.email.doctor.examination import judge
from sentinel.channels.email.doctor.facts import (
    Answer,
    DmarcFacts,
    Facts,
    InboundFacts,
    LinkFacts,
    MailHost,
    Relay,
    RelayFacts,
    SpecimenFacts,
    TlsFacts,
)
from sentinel.channels.email.doctor.findings import Finding, Grade, worst
from sentinel.channels.email.doctor.spf import SpfFacts
from tests.channels.doctor.facts_of import (
    DOMAIN,
    HEADERS,
    INBOUND,
    NOW,
    RELAY,
    TLS,
    dkim,
    dmarc,
    facts,
    mx,
    public_key,
    relay,
    reverse,
    spf,
)

LOST = Answer(failed="the name server does not answer")
SES = Relay(host="email-smtp.eu-west-1.amazonaws.com", port=587, tls="starttls")
HERE = Relay(host="127.0.0.1", port=25, tls="none")
PLAIN = replace(RELAY, tls="none")
G, N, U, B = Grade.GOOD, Grade.NOTE, Grade.UNKNOWN, Grade.BAD


def finding(check: str, found: Facts) -> Finding:
    (only,) = [f for f in judge(found) if f.check == check]
    return only


def test_a_domain_with_which_all_is_well_is_told_so() -> None:
    findings = judge(facts())
    assert [f.title for f in findings if f.grade is not G] == []
    assert worst(findings) is G
    assert len({f.check for f in findings}) == len(findings) == 13
    assert all(not f.what_to_do for f in findings)


@pytest.mark.parametrize(
    ("changed", "grade", "words"),
    [
        (mx(DOMAIN, answer=LOST), U, "could not be looked up"),
        (mx(DOMAIN, is_null=True), B, "takes no mail"),
        (mx(DOMAIN), B, "can receive no mail"),
        (mx(DOMAIN, fallback=Answer(values=("192.0.2.1",))), N, "no MX record"),
        (mx(DOMAIN, "a.example", hosts=(MailHost(name="a.example", addresses=Answer()),)), B, "do not exist"),
        (
            mx(
                DOMAIN,
                "a.example",
                hosts=(
                    MailHost(name="a.example", addresses=Answer()),
                    MailHost(name="b.example", addresses=Answer(values=("192.0.2.1",))),
                ),
            ),
            N,
            "One mail server",
        ),
    ],
)
def test_mx(changed: Any, grade: Grade, words: str) -> None:
    found = finding("mx", facts(mx=changed))
    assert found.grade is grade
    assert words in found.title
    assert found.what_to_do


@pytest.mark.parametrize(
    ("changed", "grade", "words"),
    [
        (spf(), B, "has no SPF record"),
        (SpfFacts(domain=INBOUND, failed="silence"), U, "could not be looked up"),
        (spf("v=spf1 -all", "v=spf1 ~all"), B, "2 SPF records"),
        (spf("v=spf1 +all"), B, "lets everybody send"),
        (spf("v=spf1 ip4:192.0.2.5 ?all"), N, "nothing about everybody else"),
        (spf("v=spf1 ip4:192.0.2.5"), N, "nothing about everybody else"),
        (spf("v=spf1 nonsense -all"), B, "is broken"),
        (
            spf("v=spf1 " + " ".join(f"exists:{n}.example" for n in range(11)) + " -all"),
            B,
            "needs 11 lookups",
        ),
        (spf("v=spf1 a:x.example a:y.example a:z.example -all"), B, "hosts that do not exist"),
        (spf("v=spf1 " + " ".join(f"a:mail.{n}.example" for n in range(10)) + " ~all"), G, "sound"),
    ],
)
def test_spf(changed: SpfFacts, grade: Grade, words: str) -> None:
    found = finding("spf", facts(envelope_spf=changed))
    assert found.grade is grade
    assert words in found.title


def test_without_a_record_the_right_one_is_written_out() -> None:
    found = finding("spf", facts(envelope_spf=spf()))
    assert f'{INBOUND}. TXT "v=spf1 ip4:192.0.2.5 -all"' in found.what_to_do
    assert "the domain whose SPF record counts" in found.what_to_do
    ses = facts(envelope_spf=spf(), relays=(relay(relay=SES),))
    assert "include:amazonses.com" in finding("spf", ses).what_to_do
    own = facts(envelope_spf=None, spf=spf(domain=DOMAIN), setup_inbound_domain="", inbound=None)
    assert f'{DOMAIN}. TXT "v=spf1' in finding("spf", own).what_to_do


@pytest.mark.parametrize(
    ("record", "changes", "grade", "words"),
    [
        ("v=spf1 ip4:192.0.2.0/24 -all", {}, G, "lets the relay send"),
        ("v=spf1 ip4:198.51.100.1 -all", {}, B, "does not let 192.0.2.5 send"),
        ("v=spf1 -all", {"setup_source_ips": ("203.0.113.9",)}, B, "does not let 203.0.113.9"),
        ("v=spf1 ip4:203.0.113.9 -all", {"setup_source_ips": ("203.0.113.9",)}, G, "lets the relay send"),
        ("v=spf1 exists:%{i}.ok.example -all", {}, U, "cannot be told"),
        ("v=spf1 -all", {"relays": (relay(relay=SES),)}, B, "does not let Amazon SES send"),
        ("v=spf1 include:amazonses.com -all", {"relays": (relay(relay=SES),)}, G, "lets Amazon SES send"),
        (
            "v=spf1 -all",
            {"relays": (relay(relay=HERE, addresses=Answer(values=("127.0.0.1",))),)},
            U,
            "not known from which address",
        ),
    ],
)
def test_spf_and_our_relays(record: str, changes: dict[str, Any], grade: Grade, words: str) -> None:
    envelope = spf(record, amazonses_com="v=spf1 ip4:198.51.100.0/24 -all")
    found = finding("spf_allows_us", facts(envelope_spf=envelope, **changes))
    assert found.grade is grade
    assert words in found.title


def test_the_address_is_added_before_the_end_of_the_record() -> None:
    found = finding("spf_allows_us", facts(envelope_spf=spf("v=spf1 ip4:198.51.100.1 ~all")))
    assert f'{INBOUND}. TXT "v=spf1 ip4:198.51.100.1 ip4:192.0.2.5 ~all"' in found.what_to_do


@pytest.mark.parametrize(
    ("texts", "grade", "words"),
    [
        ((), B, "not published"),
        (("hello",), B, "not published"),
        ((dkim(""),), B, "is revoked"),
        ((dkim(public_key(1024)),), B, "not the one that Sentinel signs with"),
        ((dkim(), dkim(public_key(1024))), B, "several keys"),
        ((dkim("MIIBIjANBgkq"),), B, "cannot be used"),
        ((dkim(more="t=y; "),), N, "only a test"),
        ((dkim(),), G, "2048 bits"),
    ],
)
def test_dkim_when_sentinel_signs(texts: tuple[str, ...], grade: Grade, words: str) -> None:
    found = finding("dkim", facts(dkim={"sentinel": Answer(values=texts)}))
    assert found.grade is grade
    assert words in found.title


def test_the_key_to_publish_is_written_out() -> None:
    found = finding("dkim", facts(dkim={"sentinel": Answer()}))
    expected = f'sentinel._domainkey.{DOMAIN}. TXT "v=DKIM1; k=rsa; p={public_key()}"'
    assert expected in found.what_to_do


@pytest.mark.parametrize(
    ("answer", "grade", "words"),
    [
        (Answer(), U, "No DKIM key was found"),
        (LOST, U, "could not be looked up"),
        (Answer(values=(dkim(public_key(1024)),)), N, "of 1024 bits"),
        (Answer(values=(dkim(public_key(0), more="k=ed25519; "),)), N, "ed25519"),
        (Answer(values=("v=DKIM1; k=rsa",)), B, "cannot be used"),
        (Answer(values=("v=DKIM2; p=x",)), B, "cannot be used"),
        (Answer(values=(dkim(),)), G, "published"),
    ],
)
def test_dkim_when_the_relay_signs(answer: Answer, grade: Grade, words: str) -> None:
    changed = facts(
        setup_own_key="", setup_selectors=("s1", "sentinel"), dkim={"s1": answer, "sentinel": Answer()}
    )
    found = finding("dkim", changed)
    assert found.grade is grade
    assert words in found.title


def test_a_key_of_512_bits_is_refused() -> None:
    changed = facts(setup_own_key="", dkim={"sentinel": Answer(values=(dkim(public_key(512)),))})
    found = finding("dkim", changed)
    assert (found.grade, found.title) == (B, "The DKIM key has only 512 bits")


@pytest.mark.parametrize(
    ("changed", "grade", "words"),
    [
        (DmarcFacts(found_at="", answer=LOST), U, "could not be looked up"),
        (dmarc(at=""), B, "has no DMARC record"),
        (dmarc("v=DMARC1; p=none", "v=DMARC1; p=reject"), B, "several DMARC records"),
        (dmarc("v=DMARC1; p=maybe"), B, "no usable policy"),
        (dmarc("v=DMARC1; p=reject"), N, "Nobody gets the DMARC reports"),
        (dmarc("v=DMARC1; p=none; rua=mailto:d@provider.example"), N, "only watches"),
        (dmarc("v=DMARC1; p=reject; pct=20; rua=mailto:d@provider.example"), N, "20 %"),
        (
            dmarc("v=DMARC1; p=reject; rua=mailto:d@reports.example", reports_example=False),
            N,
            "has not agreed",
        ),
        (dmarc("v=DMARC1; p=reject; rua=mailto:d@reports.example", reports_example=True), G, "p=reject"),
    ],
)
def test_dmarc(changed: DmarcFacts, grade: Grade, words: str) -> None:
    found = finding("dmarc", facts(dmarc=changed))
    assert found.grade is grade
    assert words in found.title


def test_a_subdomain_follows_the_policy_for_subdomains() -> None:
    record = "v=DMARC1; p=reject; sp=none; rua=mailto:d@provider.example"
    changed = facts(setup_domain="news.provider.example", setup_sender_address="", dmarc=dmarc(record))
    assert "p=none" in finding("dmarc", changed).title


STRICT = f"v=DMARC1; p=reject; aspf=s; rua=mailto:d@{DOMAIN}"
RELAXED = f"v=DMARC1; p=reject; rua=mailto:d@{DOMAIN}"
NO_KEY = {"setup_own_key": "", "dkim": {"sentinel": Answer()}}


@pytest.mark.parametrize(
    ("changes", "grade", "words"),
    [
        ({"dmarc": dmarc(STRICT)}, G, "DKIM vouches"),
        ({"dmarc": dmarc(RELAXED), **NO_KEY}, N, "Only SPF vouches"),
        ({"dmarc": dmarc(STRICT), **NO_KEY}, B, "Nothing vouches"),
        (
            {"dmarc": dmarc(RELAXED), "setup_inbound_domain": "in.other.example", **NO_KEY},
            B,
            "Nothing vouches",
        ),
        ({"dmarc": dmarc(RELAXED), "envelope_spf": spf(), **NO_KEY}, B, "Nothing vouches"),
    ],
)
def test_alignment(changes: dict[str, Any], grade: Grade, words: str) -> None:
    found = finding("alignment", facts(**changes))
    assert found.grade is grade
    assert words in found.title


@pytest.mark.parametrize(
    ("changed", "grade", "words"),
    [
        (relay(reverse=(reverse(),)), B, "has no name"),
        (relay(reverse=(reverse(failed="silence"),)), U, "could not be looked up"),
        (relay(reverse=(reverse("mail.provider.example", confirmed=False),)), B, "does not lead back"),
        (relay(reverse=(reverse("dsl-192-0-2-5.isp.example"),)), N, "customer's line"),
        (relay(reverse=(reverse("5.2.0.192.isp.example"),)), N, "customer's line"),
        (relay(reverse=(), addresses=Answer()), B, "has no address"),
        (relay(reverse=(), addresses=LOST), U, "could not be looked up"),
        (relay(relay=SES, reverse=()), G, "Amazon SES cares"),
        (relay(relay=HERE, reverse=(reverse("localhost"),)), U, "on this machine"),
        (relay(), G, "and back"),
    ],
)
def test_names_of_relays(changed: RelayFacts, grade: Grade, words: str) -> None:
    found = finding("ptr", facts(relays=(changed,)))
    assert found.grade is grade
    assert words in found.title


@pytest.mark.parametrize(
    ("changed", "grade", "words"),
    [
        (relay(tls=None), U, "was not looked at"),
        (relay(tls=None, addresses=Answer(), reverse=()), B, "cannot be found"),
        (relay(tls=TlsFacts(error="nobody listens there")), B, "does not answer"),
        (relay(tls=TlsFacts(reached=True)), B, "offers no encryption"),
        (relay(tls=replace(TLS, verified=False, why_not="certificate has expired")), B, "is not accepted"),
        (relay(tls=replace(TLS, ends_at=NOW + timedelta(days=5))), N, "ends in 5 days"),
        (relay(relay=PLAIN), B, "and the password, too"),
        (relay(relay=replace(PLAIN, has_login=False)), B, "although it could be"),
        (relay(relay=PLAIN, tls=TlsFacts(reached=True)), B, "readable for everybody"),
        (relay(relay=HERE, tls=TlsFacts(reached=True)), G, "on this machine"),
        (relay(), G, "60 days left"),
    ],
)
def test_encryption_of_relays(changed: RelayFacts, grade: Grade, words: str) -> None:
    found = finding("relay_tls", facts(relays=(changed,)))
    assert found.grade is grade
    assert words in found.title


def link(*ips: str, tls: TlsFacts | None = TLS) -> LinkFacts:
    return LinkFacts(addresses=Answer(values=ips), tls=tls)


@pytest.mark.parametrize(
    ("changes", "grade", "words"),
    [
        ({"setup_base_url": "http://sentinel.provider.example"}, B, "not encrypted"),
        ({"link": LinkFacts(addresses=LOST)}, U, "could not be looked up"),
        ({"link": link()}, B, "does not exist"),
        ({"link": link("10.0.0.5", "192.168.1.9")}, N, "inside your network"),
        ({"link": link("8.8.4.4", tls=TlsFacts(error="no"))}, U, "could not be reached"),
        ({"link": link("8.8.4.4", tls=None)}, U, "could not be reached"),
        (
            {"link": link("8.8.4.4", tls=replace(TLS, verified=False, why_not="wrong host"))},
            B,
            "not accepted",
        ),
        ({}, G, "valid certificate"),
    ],
)
def test_links(changes: dict[str, Any], grade: Grade, words: str) -> None:
    found = finding("links", facts(**changes))
    assert found.grade is grade
    assert words in found.title


def with_headers(**headers: str) -> SpecimenFacts:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return SpecimenFacts(size=14_000, headers={**HEADERS, **named})


@pytest.mark.parametrize(
    ("changed", "grade", "words"),
    [
        (with_headers(list_unsubscribe=""), B, "lack the headers"),
        (with_headers(list_unsubscribe_post="yes"), B, "lack the headers"),
        (
            with_headers(list_unsubscribe="<https://a.example/1>, <https://a.example/2>"),
            B,
            "lack the headers",
        ),
        (with_headers(list_unsubscribe="<http://a.example/1>"), B, "not encrypted"),
        (with_headers(list_unsubscribe="<https://a.example/1>"), N, "by mail does not"),
        (with_headers(), G, "by web and by mail"),
    ],
)
def test_one_click(changed: SpecimenFacts, grade: Grade, words: str) -> None:
    found = finding("one_click", facts(specimen=changed))
    assert found.grade is grade
    assert words in found.title


@pytest.mark.parametrize(("size", "grade"), [(14_500, G), (61 * 1024, N), (102 * 1024, B)])
def test_size(size: int, grade: Grade) -> None:
    assert finding("size", facts(specimen=SpecimenFacts(size=size, headers=HEADERS))).grade is grade


def inbound(ours: int | None = 250, forged: int | None = 550, **changes: Any) -> InboundFacts:
    return InboundFacts(mx=mx(INBOUND, "mail.provider.example", **changes), ours=ours, forged=forged)


@pytest.mark.parametrize(
    ("changed", "grade", "words"),
    [
        (None, N, "go to people"),
        (inbound(answer=LOST), U, "could not be looked up"),
        (inbound(answer=Answer(), hosts=()), B, "can receive no mail"),
        (inbound(ours=None), U, "could not be asked"),
        (inbound(ours=550), B, "does not come back"),
        (inbound(forged=250), N, "takes every address"),
        (inbound(), G, "comes back into Sentinel"),
    ],
)
def test_inbound(changed: InboundFacts | None, grade: Grade, words: str) -> None:
    found = finding("inbound", facts(inbound=changed))
    assert found.grade is grade
    assert words in found.title


def test_with_a_fetched_mailbox_every_address_may_be_taken() -> None:
    assert finding("inbound", facts(inbound=inbound(forged=250), setup_has_listener=False)).grade is G


def test_another_domain_than_the_senders_is_pointed_out() -> None:
    found = finding("sender", facts(setup_sender_address="care@other.example"))
    assert (found.grade, found.title) == (N, f"Mail comes from other.example, not from {DOMAIN}")


@pytest.mark.parametrize(
    ("changes", "grade", "words"),
    [
        ({}, G, "are kept"),
        ({"dmarc": dmarc(at="")}, B, "DMARC missing"),
        (
            {"envelope_spf": spf(), "relays": (relay(reverse=(reverse(),)),)},
            B,
            "SPF, a named address missing",
        ),
        ({"specimen": with_headers(list_unsubscribe="")}, B, "one-click unsubscribing missing"),
        ({"setup_own_key": "", "dkim": {"sentinel": Answer()}, "dmarc": dmarc(RELAXED)}, U, "open: DKIM"),
    ],
)
def test_the_rules_for_bulk_senders_in_one_line(changes: dict[str, Any], grade: Grade, words: str) -> None:
    found = finding("bulk_rules", facts(**changes))
    assert found.grade is grade
    assert words in found.title
