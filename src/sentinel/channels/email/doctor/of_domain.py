"""Rules about the sending domain's records: MX, SPF, DKIM, DMARC. Pure."""

from __future__ import annotations

from ipaddress import ip_address

from sentinel.channels.email.doctor.facts import Facts, MxFacts
from sentinel.channels.email.doctor.findings import Finding, bad, good, not_asked, note, record, unknown
from sentinel.channels.email.doctor.providers import Provider, provider_of
from sentinel.channels.email.doctor.records import DkimKey, Dmarc, is_aligned, is_dkim, read_dkim, read_dmarc
from sentinel.channels.email.doctor.spf import MOST_LOOKUPS, MOST_VOIDS, SpfFacts

SHORT_KEY, GOOD_KEY = 1024, 2048


def mail_reaches_the_domain(facts: Facts) -> Finding:
    """A domain that takes no mail is not believed when it sends some."""
    return judge_mx(facts.mx, "mx")


def judge_mx(mx: MxFacts, check: str) -> Finding:
    domain = mx.domain
    if not mx.answer.is_known:
        return not_asked(check, f"The mail servers of {domain}", mx.answer.failed)
    example = record(domain, "MX", f"10 mail.{domain}.")
    if mx.is_null:
        return bad(
            check,
            f"{domain} declares that it takes no mail",
            "Receivers refuse mail from a domain that cannot be answered. Remove the MX record “0 .” and"
            f" publish one that names your mail server, for example:{example}",
            f"{domain} MX 0 .",
        )
    if not mx.hosts:
        if mx.fallback.values:
            return note(
                check,
                f"{domain} has no MX record; mail goes to its web address",
                f"Publish an MX record that names your mail server, for example:{example}",
                f"{domain} A {', '.join(mx.fallback.values)}",
            )
        return bad(
            check,
            f"{domain} can receive no mail",
            "It has neither an MX record nor an address. Replies and bounces go nowhere, and many receivers"
            f" refuse mail from such a domain. Publish for example:{example}",
        )
    seen = "\n".join(f"{host.name}: {', '.join(host.addresses.values) or 'no address'}" for host in mx.hosts)
    lost = [host.name for host in mx.hosts if host.addresses.is_known and not host.addresses.values]
    if len(lost) == len(mx.hosts):
        return bad(
            check,
            f"The mail servers of {domain} do not exist",
            f"Its MX records name {', '.join(lost)}, which has no address. Correct the MX record or publish"
            " the address.",
            seen,
        )
    if lost:
        return note(check, f"One mail server of {domain} does not exist", f"Remove {', '.join(lost)}.", seen)
    return good(check, f"{domain} takes mail", seen)


def spf_is_sound(facts: Facts) -> Finding:
    """One record, at most ten lookups, and an end that means something."""
    spf = facts.counted_spf
    if spf.failed and not spf.records:
        return not_asked("spf", f"The SPF record of {spf.domain}", spf.failed)
    seen = "\n".join(spf.records)
    if not spf.records:
        wanted = _wanted_spf(facts)
        return bad(
            "spf",
            f"{spf.domain} has no SPF record",
            f"{_which_domain(facts)} Publish this record, so that receivers know who may send:"
            f"{record(spf.domain, 'TXT', wanted)}",
        )
    if len(spf.records) > 1:
        return bad(
            "spf",
            f"{spf.domain} has {len(spf.records)} SPF records, which counts as none",
            "Merge them into one and delete the others: one “v=spf1” at the front, one “all” at the end.",
            seen,
        )
    return _spf_content(spf, seen)


def _spf_content(spf: SpfFacts, seen: str) -> Finding:
    counted = f"{seen}\n{spf.lookups} lookups, {spf.voids} of names that do not exist"
    if spf.broken:
        return bad("spf", f"The SPF record of {spf.domain} is broken", f"{'; '.join(spf.broken)}.", counted)
    if spf.lookups > MOST_LOOKUPS:
        return bad(
            "spf",
            f"The SPF record of {spf.domain} needs {spf.lookups} lookups; {MOST_LOOKUPS} are allowed",
            "Receivers stop counting at ten and treat the record as broken. Remove includes that you no"
            " longer"
            " need, or write addresses (ip4:, ip6:) instead of names.",
            counted,
        )
    if spf.last_word == "+":
        return bad(
            "spf",
            f"The SPF record of {spf.domain} lets everybody send",
            "“+all” invites forgers, and receivers trust such a domain less. End the record with “~all” or"
            " “-all”.",
            counted,
        )
    if spf.voids > MOST_VOIDS:
        return bad(
            "spf",
            f"The SPF record of {spf.domain} names {spf.voids} hosts that do not exist",
            "More than two count as broken. Remove the names that are gone.",
            counted,
        )
    if spf.last_word in ("?", ""):
        return note(
            "spf",
            f"The SPF record of {spf.domain} says nothing about everybody else",
            "End it with “~all” (suspicious) or “-all” (refuse); “?all” protects nobody.",
            counted,
        )
    return good("spf", f"{spf.domain} has a sound SPF record", counted)


def spf_allows_us(facts: Facts) -> Finding | None:
    """The record lets the servers send that our mail really leaves from."""
    spf = facts.counted_spf
    if spf.root is None or not facts.relays:
        return None
    providers = [provider for relay in facts.relays if (provider := provider_of(relay.relay.host))]
    if providers and not facts.setup.source_ips:
        return _by_provider(spf, providers)
    said = facts.setup.source_ips
    outside = [ip for ip in facts.sending_ips if said or not ip_address(ip).is_loopback]
    results = {ip: spf.allows(ip) for ip in outside}
    seen = "\n".join([spf.root.text, *(f"{ip}: {result}" for ip, result in results.items())])
    return _by_address(spf, results, seen)


def _by_provider(spf: SpfFacts, providers: list[Provider]) -> Finding:
    text = spf.root.text if spf.root else ""
    missing = [provider for provider in providers if provider.spf_include not in spf.includes]
    if not missing:
        return good("spf_allows_us", f"The SPF record lets {providers[0].name} send", text)
    added = f"include:{missing[0].spf_include}"
    return bad(
        "spf_allows_us",
        f"The SPF record of {spf.domain} does not let {missing[0].name} send",
        f"The relay belongs to them. Add “{added}” before the end:"
        f"{record(spf.domain, 'TXT', _with(text, added))}",
        text,
    )


def _by_address(spf: SpfFacts, results: dict[str, str], seen: str) -> Finding:
    check = "spf_allows_us"
    text = spf.root.text if spf.root else ""
    if not results:
        return unknown(
            check,
            "It is not known from which address mail leaves",
            "The relay is on this machine. Name the address the world sees:"
            " sentinel doctor mail --ip 203.0.113.5",
            seen,
        )
    refused = [ip for ip, result in results.items() if result in ("fail", "softfail", "neutral", "none")]
    if not refused:
        if "unknown" in results.values():
            return unknown(
                check,
                "Whether SPF lets the relay send cannot be told from here",
                "The record depends on the single mail (exists:, ptr: or a macro), or a part of it could"
                " not be"
                " asked. Send a test mail and look at “spf=pass” in its Authentication-Results.",
                seen,
            )
        return good(check, "SPF lets the relay send", seen)
    added = " ".join(f"ip{ip_address(ip).version}:{ip}" for ip in refused)
    return bad(
        check,
        f"SPF does not let {', '.join(refused)} send for {spf.domain}",
        "If mail leaves from there, add the address; if the relay passes it on from other addresses, ask its"
        " operator for the right “include:” and check again with --ip. The record would be:"
        f"{record(spf.domain, 'TXT', _with(text, added))}",
        seen,
    )


def dkim_is_published(facts: Facts) -> Finding:
    """A key that receivers can use: there, long enough, not revoked, and ours when we sign ourselves."""
    keys = [(selector, texts) for selector, texts in facts.dkim.items() if texts.values or texts.failed]
    found = [(s, text) for s, texts in keys for text in texts.values if is_dkim(text)]
    own = facts.setup.own_key
    if own:
        selector = facts.setup.selectors[-1]
        return _own_key(facts, selector, [text for s, text in found if s == selector])
    if found:
        return _judge_key(facts, *found[0], read_dkim(found[0][1]))
    failed = next((texts.failed for _, texts in keys if texts.failed), "")
    if failed:
        return not_asked("dkim", "The DKIM key", failed)
    return unknown(
        "dkim",
        "No DKIM key was found, and Sentinel does not sign",
        "Google, Yahoo and Microsoft ask for a DKIM signature. If the relay signs, find the name of its key"
        " (s= in the DKIM-Signature of a received mail) and check again with --selector NAME. If it does not,"
        " let Sentinel sign: set SENTINEL_DKIM_KEY to a private RSA key of 2048 bits.",
        "asked: " + ", ".join(f"{s}._domainkey.{facts.setup.domain}" for s in facts.dkim),
    )


def _own_key(facts: Facts, selector: str, texts: list[str]) -> Finding:
    name = f"{selector}._domainkey.{facts.setup.domain}"
    publish = record(name, "TXT", f"v=DKIM1; k=rsa; p={facts.setup.own_key}")
    answer = facts.dkim[selector]
    if answer.failed:
        return not_asked("dkim", "Our DKIM key", answer.failed)
    if not texts:
        return bad(
            "dkim",
            "Sentinel signs, but its DKIM key is not published",
            f"Every signature counts as broken until this record is there:{publish}",
        )
    if len(texts) > 1:
        return bad("dkim", f"{name} has several keys", f"Keep only this one:{publish}", "\n".join(texts))
    key = read_dkim(texts[0])
    if not key.is_revoked and not key.broken and key.value != facts.setup.own_key:
        return bad(
            "dkim",
            "The published DKIM key is not the one that Sentinel signs with",
            f"Replace the record by this one, or set SENTINEL_DKIM_SELECTOR to the right name:{publish}",
            texts[0],
        )
    return _judge_key(facts, selector, texts[0], key)


def _judge_key(facts: Facts, selector: str, text: str, key: DkimKey) -> Finding:
    name = f"{selector}._domainkey.{facts.setup.domain}"
    if key.is_revoked:
        return bad(
            "dkim",
            f"The DKIM key {name} is revoked",
            "Its p= is empty, so every signature with it counts as forged. Publish a key, or sign with"
            " another.",
            text,
        )
    if key.broken:
        return bad("dkim", f"The DKIM key {name} cannot be used", f"Publish it anew: {key.broken}.", text)
    if key.kind == "rsa" and key.bits < SHORT_KEY:
        return bad(
            "dkim",
            f"The DKIM key has only {key.bits} bits",
            f"Receivers ignore keys below {SHORT_KEY} bits. Make one of {GOOD_KEY} bits.",
            text,
        )
    if key.is_testing:
        return note(
            "dkim",
            "The DKIM key says that it is only a test",
            "Remove “t=y” from the record; some receivers ignore signatures that are tests.",
            text,
        )
    if key.kind != "rsa" or key.bits < GOOD_KEY:
        what = f"{key.bits} bits" if key.kind == "rsa" else f"kind {key.kind}, which not everybody checks"
        return note("dkim", f"The DKIM key works; it is of {what}", f"Use RSA with {GOOD_KEY} bits.", text)
    return good("dkim", f"The DKIM key is published ({key.bits} bits)", text)


def dmarc_says_what_to_do(facts: Facts) -> Finding:
    """There is one policy; it can be read; and somebody gets its reports."""
    domain, dmarc = facts.setup.domain, facts.dmarc
    if not dmarc.answer.is_known:
        return not_asked("dmarc", f"The DMARC record of {domain}", dmarc.answer.failed)
    wanted = record(f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}")
    if not dmarc.answer.values:
        return bad(
            "dmarc",
            f"{domain} has no DMARC record",
            "Google, Yahoo and Microsoft refuse mail in numbers without one. Begin by watching (p=none): the"
            " reports show who sends in your name. Raise it to p=quarantine when they show only yourselves."
            f" Publish:{wanted}",
        )
    seen = "\n".join((f"at _dmarc.{dmarc.found_at}", *dmarc.answer.values))
    if len(dmarc.answer.values) > 1:
        return bad("dmarc", f"{dmarc.found_at} has several DMARC records", "Keep one of them.", seen)
    policy = policy_of(facts)
    if policy is None or not policy.policy:
        return bad("dmarc", "The DMARC record has no usable policy", f"Write p=none at least:{wanted}", seen)
    refused = [other for other, agrees in dmarc.agreed.items() if not agrees]
    if refused:
        place = f"{dmarc.found_at}._report._dmarc.{refused[0]}"
        return note(
            "dmarc",
            f"{refused[0]} has not agreed to receive the DMARC reports",
            f"Its administrator must publish:{record(place, 'TXT', 'v=DMARC1')}",
            seen,
        )
    return _dmarc_strength(policy, wanted, seen)


def _dmarc_strength(policy: Dmarc, wanted: str, seen: str) -> Finding:
    if not policy.reports_to:
        return note(
            "dmarc",
            "Nobody gets the DMARC reports",
            "Add “rua=mailto:…”, so that you learn who sends in your name and what fails.",
            seen,
        )
    if policy.policy == "none":
        return note(
            "dmarc",
            "DMARC only watches (p=none)",
            "That is enough for Google, Yahoo and Microsoft. When the reports show only your own"
            " servers, raise"
            " it to p=quarantine: it keeps forgers from using your name on your customers' workers.",
            seen,
        )
    if policy.percent < 100:
        return note(
            "dmarc", f"DMARC covers {policy.percent} % of mail", "Remove pct= when all is well.", seen
        )
    return good("dmarc", f"DMARC is in force (p={policy.policy})", seen)


def something_is_aligned(facts: Facts) -> Finding | None:
    """DMARC passes when SPF or DKIM passes *for the domain in From*; DKIM also survives forwarding."""
    policy = policy_of(facts)
    if policy is None:
        return None
    setup, organisation = facts.setup, facts.dmarc.found_at
    spf = is_aligned(setup.domain, setup.envelope_domain, strict=policy.strict_spf, organisation=organisation)
    signs = dkim_is_published(facts)
    dkim = bool(facts.dkim) and signs.grade in ("good", "note")
    seen = (
        f"From: {setup.domain}\nbounces go to: {setup.envelope_domain} ({'' if spf else 'not '}aligned)\n"
        f"DKIM key of {setup.domain}: {'found' if dkim else 'not found'}"
    )
    if dkim:
        return good("alignment", "DKIM vouches for the domain that readers see", seen)
    if spf and facts.counted_spf.root is not None:
        return note(
            "alignment",
            "Only SPF vouches for the domain that readers see",
            "Forwarding breaks SPF: mail that a worker's company passes on then counts as forged. Sign"
            " with DKIM"
            " as well (SENTINEL_DKIM_KEY, or in the relay).",
            seen,
        )
    return bad(
        "alignment",
        "Nothing vouches for the domain that readers see",
        f"DMARC needs SPF or DKIM for {setup.domain} itself. Sign with DKIM for it, or take an inbound domain"
        f" below it, such as in.{setup.domain}.",
        seen,
    )


def policy_of(facts: Facts) -> Dmarc | None:
    """The DMARC policy that counts for the examined domain."""
    values = facts.dmarc.answer.values
    if len(values) != 1:
        return None
    return read_dmarc(values[0], is_subdomain=facts.dmarc.found_at != facts.setup.domain)


def _which_domain(facts: Facts) -> str:
    if facts.envelope_spf is None:
        return ""
    return f"Bounces go to {facts.setup.inbound_domain}, so this is the domain whose SPF record counts."


def _wanted_spf(facts: Facts) -> str:
    provider = next((p for r in facts.relays if (p := provider_of(r.relay.host))), None)
    ips = [ip for ip in facts.sending_ips if not ip_address(ip).is_loopback]
    named = (
        [f"include:{provider.spf_include}"] if provider else [f"ip{ip_address(i).version}:{i}" for i in ips]
    )
    return " ".join(("v=spf1", *(named or ["ip4:THE.ADDRESS.OF.YOUR.RELAY"]), "-all"))


def _with(text: str, added: str) -> str:
    """The record with something added before its end."""
    words = text.split()
    cut = next(
        (n for n, word in enumerate(words) if word.lstrip("+-~?") == "all" or word.startswith("redirect=")),
        len(words),
    )
    return " ".join((*words[:cut], added, *words[cut:]))
