"""Rules about the mail itself: its links, its headers, its size, and where answers to it go. Pure."""

from __future__ import annotations

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from sentinel.channels.email.doctor.facts import Facts
from sentinel.channels.email.doctor.findings import (
    Finding,
    Grade,
    bad,
    good,
    not_asked,
    note,
    record,
    unknown,
    worst,
)
from sentinel.channels.email.doctor.of_domain import judge_mx
from sentinel.channels.email.doctor.of_relay import certificate

#: Gmail cuts a mail off here, and with it whatever stands at its end.
CLIPPED_AT = 102 * 1024
LARGE = 60 * 1024
_BRACKETED = re.compile(r"<([^<>]+)>")
#: What the three large mailbox providers ask of everybody who sends in numbers, by check.
_BULK_RULES = {
    "SPF": ("spf", "spf_allows_us"),
    "DKIM": ("dkim",),
    "DMARC": ("dmarc", "alignment"),
    "a named address": ("ptr",),
    "TLS": ("relay_tls",),
    "one-click unsubscribing": ("one_click", "links"),
}


def links_can_be_opened(facts: Facts) -> Finding:
    """Every link begins with the base URL: encrypted, and found from outside."""
    base = facts.setup.base_url
    parts = urlsplit(base)
    if parts.scheme != "https":
        return bad(
            "links",
            "Links in mail are not encrypted",
            "Whoever reads along can answer in a worker's name, mail programs warn, and one-click"
            " unsubscribing"
            " (RFC 8058) needs https. Put Sentinel behind a proxy with a certificate and set"
            " SENTINEL_BASE_URL"
            " to https://….",
            base,
        )
    if facts.link is None or not facts.link.addresses.is_known:
        why = facts.link.addresses.failed if facts.link else base
        return not_asked("links", f"The host of {base}", why)
    addresses = facts.link.addresses.values
    if not addresses:
        return bad(
            "links",
            f"{parts.hostname} does not exist, and every link in every mail names it",
            f"Publish its address:{record(parts.hostname or '', 'A', '203.0.113.5')}",
            base,
        )
    seen = f"{parts.hostname}: {', '.join(addresses)}"
    if all(_is_inside(ip) for ip in addresses):
        return note(
            "links",
            f"{parts.hostname} leads to an address inside your network",
            "Workers read their mail elsewhere. If this is not what the world sees, all is well; else publish"
            " the outside address.",
            seen,
        )
    tls = facts.link.tls
    if tls is None or not tls.reached:
        return unknown(
            "links",
            f"{parts.hostname} could not be reached from here",
            "Open it from outside your network; some networks do not reach themselves by their outside name.",
            f"{seen}\n{tls.error if tls else 'no time was left'}",
        )
    return certificate("links", parts.netloc, tls, facts.now)


def one_click_works(facts: Facts) -> Finding | None:
    """RFC 8058 on a check-in as it would leave: one https address, the Post header, a DKIM signature."""
    if facts.specimen is None:
        return None
    headers = facts.specimen.headers
    ways = _BRACKETED.findall(headers.get("list-unsubscribe", ""))
    web = [way for way in ways if way.lower().startswith("http")]
    seen = "\n".join(
        f"{name}: {headers[name]}"
        for name in ("list-unsubscribe", "list-unsubscribe-post")
        if name in headers
    )
    if len(web) != 1 or headers.get("list-unsubscribe-post", "").strip() != "List-Unsubscribe=One-Click":
        return bad(
            "one_click",
            "Check-ins lack the headers of one-click unsubscribing",
            "A relay or a change of ours removes them: List-Unsubscribe with one https address, and"
            " List-Unsubscribe-Post: List-Unsubscribe=One-Click.",
            seen,
        )
    if not web[0].lower().startswith("https://"):
        return bad(
            "one_click",
            "The unsubscribe address is not encrypted",
            "RFC 8058 asks for https; mail programs show no unsubscribe button otherwise. Set"
            " SENTINEL_BASE_URL"
            " to https://….",
            seen,
        )
    if not any(way.lower().startswith("mailto:") for way in ways):
        return note(
            "one_click",
            "One-click unsubscribing works; unsubscribing by mail does not",
            "Some mail programs offer only that. It comes by itself with an inbound domain"
            " (SENTINEL_INBOUND_DOMAIN).",
            seen,
        )
    return good("one_click", "One-click unsubscribing is offered, by web and by mail", seen)


def mail_is_not_clipped(facts: Facts) -> Finding | None:
    """Gmail shows the first 102 KB."""
    if facts.specimen is None:
        return None
    size = facts.specimen.size
    seen = f"{size / 1024:.1f} KB"
    if size >= CLIPPED_AT:
        return bad(
            "size",
            f"A check-in has {seen}; Gmail cuts it off at 102 KB",
            "What is cut off takes the unsubscribe link with it. Shorten the programme's question.",
            seen,
        )
    if size >= LARGE:
        return note("size", f"A check-in has {seen}", "Shorten it before it reaches 102 KB.", seen)
    return good("size", f"A check-in has {seen}", "Gmail cuts off at 102 KB")


def answers_come_back(facts: Facts) -> Finding | None:
    """The inbound domain leads to us: an address of ours is taken there, a forged one refused."""
    inbound = facts.inbound
    if inbound is None:
        return note(
            "inbound",
            "Replies and bounces go to people, not into Sentinel",
            "A frown by reply then reaches the owner only, and addresses that bounce are written to"
            " again. Give"
            " Sentinel a domain for incoming mail: SENTINEL_INBOUND_DOMAIN.",
        )
    domain = inbound.mx.domain
    mx = judge_mx(inbound.mx, "inbound")
    if mx.grade in (Grade.BAD, Grade.UNKNOWN):
        return mx
    seen = f"{mx.evidence}\nan address of ours: {inbound.ours}, an invented one: {inbound.forged}"
    if inbound.ours is None or inbound.ours == 421:
        return unknown(
            "inbound",
            f"The mail server of {domain} could not be asked",
            "Many networks do not let machines reach port 25. Send a mail to an address at this domain from"
            " outside, and look for it under Mail in the console.",
            f"{mx.evidence}\n{inbound.error}",
        )
    if inbound.ours >= 400:
        return bad(
            "inbound",
            f"Mail to {domain} does not come back to Sentinel",
            "Its mail server refuses an address that is ours. Have it pass all mail for this domain on to"
            " `sentinel inbound` (by LMTP or SMTP), or point the MX record at it.",
            seen,
        )
    if inbound.forged is not None and inbound.forged < 400 and facts.setup.has_listener:
        return note(
            "inbound",
            f"The mail server of {domain} takes every address",
            "Mail arrives, and junk to invented addresses with it. Let the mail server ask Sentinel for each"
            " recipient (Postfix: reject_unverified_recipient), so that forgeries are refused at the door.",
            seen,
        )
    return good("inbound", f"Mail to {domain} comes back into Sentinel", seen)


def sender_uses_the_domain(facts: Facts) -> Finding | None:
    """The examined domain is the one mail comes from."""
    used = facts.setup.sender_address.rpartition("@")[2].lower()
    if not used or used == facts.setup.domain:
        return None
    return note(
        "sender",
        f"Mail comes from {used}, not from {facts.setup.domain}",
        f"Examine {used}, or change the sender in the programme.",
        facts.setup.sender_address,
    )


def bulk_rules_hold(findings: list[Finding]) -> Finding:
    """One line about what Google, Yahoo and Microsoft ask of everybody who sends in numbers."""
    grades: dict[str, Grade] = {}
    for rule, checks in _BULK_RULES.items():
        found = [finding for finding in findings if finding.check in checks]
        grades[rule] = worst(found) if found else Grade.UNKNOWN
    broken = [rule for rule, grade in grades.items() if grade is Grade.BAD]
    open_ones = [rule for rule, grade in grades.items() if grade is Grade.UNKNOWN]
    seen = "\n".join(f"{rule}: {grade.value}" for rule, grade in grades.items())
    asked = "Google, Yahoo and Microsoft ask for SPF, DKIM, DMARC, named addresses, TLS and one-click"
    if broken:
        return bad(
            "bulk_rules",
            f"Large mailbox providers will refuse mail: {', '.join(broken)} missing",
            f"{asked}. See the findings above. They also count complaints: keep them below 0.1 %.",
            seen,
        )
    if open_ones:
        return unknown(
            "bulk_rules",
            f"Whether large mailbox providers are content is open: {', '.join(open_ones)}",
            f"{asked}. Settle what could not be looked at.",
            seen,
        )
    return good("bulk_rules", "The rules of Google, Yahoo and Microsoft for bulk senders are kept", seen)


def _is_inside(ip: str) -> bool:
    return ip_address(ip).is_private
