"""Rules about the relays: their names, their encryption. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from ipaddress import ip_address

from sentinel.channels.email.doctor.facts import Facts, RelayFacts, ReverseName, TlsFacts
from sentinel.channels.email.doctor.findings import Finding, bad, good, not_asked, note, unknown, worst
from sentinel.channels.email.doctor.providers import provider_of

SOON = timedelta(days=14)


def every_relay_is_named(facts: Facts) -> list[Finding]:
    """Each address that mail leaves from has a name, and the name leads back."""
    return [_named(relay, facts) for relay in facts.relays]


def every_relay_encrypts(facts: Facts) -> list[Finding]:
    """Each relay is reached, offers encryption, and shows a certificate that holds."""
    return [_encrypted(relay, facts.now) for relay in facts.relays]


def _named(found: RelayFacts, facts: Facts) -> Finding:
    host = found.relay.host
    provider = provider_of(host)
    if provider and not facts.setup.source_ips:
        return good("ptr", f"{provider.name} cares for the names of its own servers", host)
    if not found.addresses.is_known:
        return not_asked("ptr", f"The address of the relay {host}", found.addresses.failed)
    if not found.reverse:
        return bad(
            "ptr",
            f"The relay {host} has no address",
            "Correct its name in SENTINEL_EMAIL_URL or _BULK_RELAYS.",
        )
    if is_here(found) and not facts.setup.source_ips:
        return unknown(
            "ptr",
            "The relay is on this machine; what the world sees of it is not known",
            "Name the address mail leaves from: sentinel doctor mail --ip 203.0.113.5",
            host,
        )
    judged = [_reverse(reverse) for reverse in found.reverse]
    return next(finding for finding in judged if finding.grade is worst(judged))


def _reverse(found: ReverseName) -> Finding:
    if not found.names.is_known:
        return not_asked("ptr", f"The name of {found.ip}", found.names.failed)
    if not found.names.values:
        return bad(
            "ptr",
            f"{found.ip} has no name",
            "Google, Microsoft and many others refuse mail from addresses without a name. Ask whoever"
            " gave you"
            " the address to enter the relay's name for it (a PTR record), like mail.example.com.",
            f"{ip_address(found.ip).reverse_pointer} PTR: nothing",
        )
    seen = f"{found.ip} PTR {', '.join(found.names.values)}"
    if not found.confirmed:
        return bad(
            "ptr",
            f"The name of {found.ip} does not lead back to it",
            f"Publish an address record for {found.names.values[0]} with {found.ip}, or correct the PTR"
            " record."
            " A name that anybody could claim proves nothing.",
            seen,
        )
    if _is_generic(found.confirmed[0], found.ip):
        return note(
            "ptr",
            f"{found.ip} has the name of a customer's line",
            f"“{found.confirmed[0]}” looks like a dial-up line; give it a name of your own, like"
            " mail.example.com.",
            seen,
        )
    return good("ptr", f"{found.ip} is {found.confirmed[0]}, and back", seen)


def _encrypted(found: RelayFacts, now: datetime) -> Finding:
    relay = found.relay
    where = f"{relay.host}:{relay.port}"
    if found.tls is None:
        if found.addresses.failed or found.addresses.values:
            return unknown(
                "relay_tls",
                f"{where} was not looked at",
                "Try again: the time was over.",
                found.addresses.failed,
            )
        return bad("relay_tls", f"{where} cannot be found", "Correct the relay's name in the settings.")
    tls = found.tls
    if not tls.reached:
        return bad(
            "relay_tls",
            f"{where} does not answer",
            "No check-in leaves while it is so. Start the relay, or correct its address and the firewall.",
            tls.error,
        )
    if relay.tls == "none":
        return _unencrypted(found, tls, where, now)
    if not tls.offered:
        return bad(
            "relay_tls",
            f"{where} offers no encryption",
            "Sentinel is told to encrypt and therefore sends nothing. Give the relay a certificate, or take"
            " another port.",
            tls.error,
        )
    return certificate("relay_tls", where, tls, now)


def _unencrypted(found: RelayFacts, tls: TlsFacts, where: str, now: datetime) -> Finding:
    if is_here(found):
        return good("relay_tls", f"{where} is on this machine and answers", "no encryption needed")
    if not tls.offered:
        return bad(
            "relay_tls",
            f"Mail goes to {where} readable for everybody on the way",
            "The relay offers no encryption. Give it a certificate and use smtp+starttls:// in the settings.",
        )
    what = "and the password, too" if found.relay.has_login else "although it could be encrypted"
    return bad(
        "relay_tls",
        f"Mail goes to {where} readable on the way, {what}",
        "Write smtp+starttls:// instead of smtp:// in SENTINEL_EMAIL_URL and SENTINEL_BULK_RELAYS.",
        certificate("relay_tls", where, tls, now).title,
    )


def certificate(check: str, where: str, tls: TlsFacts, now: datetime) -> Finding:
    """Whether a certificate is accepted, and for how long."""
    ends = f"{tls.ends_at:%Y-%m-%d}" if tls.ends_at else "unknown"
    seen = f"{tls.version}, certificate until {ends}"
    if not tls.verified:
        return bad(
            check,
            f"The certificate of {where} is not accepted",
            f"{tls.why_not or tls.error}. Renew it, or make it name this host; nothing is sent to a"
            " server that"
            " may be another.",
            seen,
        )
    if tls.ends_at is not None and tls.ends_at - now < SOON:
        days = max(0, (tls.ends_at - now).days)
        return note(
            check,
            f"The certificate of {where} ends in {days} days",
            "Renew it now; the day it ends, no mail leaves.",
            seen,
        )
    left = f", {(tls.ends_at - now).days} days left" if tls.ends_at else ""
    return good(check, f"{where} encrypts with a valid certificate{left}", seen)


def is_here(found: RelayFacts) -> bool:
    """Whether a relay is this machine itself, as the settings name it."""
    host = found.relay.host
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _is_generic(name: str, ip: str) -> bool:
    """dsl-203-0-113-5.example.net and the like: the address written into the name."""
    numbers = [int(n) for n in re.findall(r"\d+", name)]
    own = [int(n) for n in ip.split(".")] if "." in ip else []
    return len(own) == 4 and (numbers[:4] == own or numbers[:4] == own[::-1])
