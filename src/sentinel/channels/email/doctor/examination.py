"""One examination, from the question to the findings."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings

from sentinel.channels.email.doctor import of_domain, of_mail, of_relay
from sentinel.channels.email.doctor.facts import Facts, Setup
from sentinel.channels.email.doctor.findings import Finding
from sentinel.channels.email.doctor.names import Names, Patience
from sentinel.channels.email.doctor.probes import SECONDS, Probe
from sentinel.channels.email.doctor.setup import addresses_to_ask, setup_of, specimen


def examine(
    domain: str,
    *,
    now: datetime,
    selectors: tuple[str, ...] = (),
    source_ips: tuple[str, ...] = (),
    seconds: float = SECONDS,
) -> list[Finding]:
    """What mail systems see of a sending domain of this Sentinel; takes ``seconds`` at most.

    ``selectors``: further DKIM keys; ``source_ips``: where receivers see our mail come from.
    """
    setup = setup_of(domain, selectors=selectors, source_ips=source_ips)
    return judge(look(setup, now=now, seconds=seconds))


def look(setup: Setup, *, now: datetime, seconds: float = SECONDS) -> Facts:
    """Ask name servers and mail servers. Raises ValueError for a name server that is none."""
    patience = Patience(seconds)
    ours, forged = addresses_to_ask(now) if setup.inbound_domain else ("", "")
    return Probe(
        setup=setup,
        names=Names(settings.ENVIRONMENT.name_server or "", patience),
        patience=patience,
        specimen=specimen(now),
        ours=ours,
        forged=forged,
    ).gather(now)


def judge(facts: Facts) -> list[Finding]:
    """All rules, in the order people fix things. Pure."""
    single = (
        of_mail.sender_uses_the_domain(facts),
        of_domain.mail_reaches_the_domain(facts),
        of_domain.spf_is_sound(facts),
        of_domain.spf_allows_us(facts),
        of_domain.dkim_is_published(facts),
        of_domain.dmarc_says_what_to_do(facts),
        of_domain.something_is_aligned(facts),
    )
    findings = [finding for finding in single if finding is not None]
    findings += of_relay.every_relay_is_named(facts)
    findings += of_relay.every_relay_encrypts(facts)
    last = (
        of_mail.links_can_be_opened(facts),
        of_mail.one_click_works(facts),
        of_mail.answers_come_back(facts),
        of_mail.mail_is_not_clipped(facts),
    )
    findings += [finding for finding in last if finding is not None]
    return [*findings, of_mail.bulk_rules_hold(findings)]
