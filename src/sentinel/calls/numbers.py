"""Which numbers can be called."""

from __future__ import annotations

import re
from collections.abc import Set
from urllib.parse import urlsplit

from django.conf import settings

from sentinel.accounts.telephones import read_telephone
from sentinel.calls.rules import Provider

_SIP = re.compile(
    r"sip:[^\s@;?<>\"]{1,80}@(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,120})(:[0-9]{1,5})?(;.{0,80})?",
    re.IGNORECASE,
)


def callable_number(text: str, *, country: str = "", sip_hosts: Set[str] = frozenset()) -> str:
    """The number in E.164, or the SIP address when its host may be called; empty when neither.

    ``country`` (ISO 3166) is where numbers without a plus are dialled. Without ``sip_hosts`` no address is
    callable: an address in a customer's list must not make our exchange call just anywhere.
    """
    text = text.strip()
    if not text.lower().startswith("sip:"):
        return read_telephone(text, country).number
    found = _SIP.fullmatch(text)
    return text if found is not None and found[1].strip("[]").lower() in sip_hosts else ""


def sip_hosts() -> frozenset[str]:
    """The hosts that SIP addresses of people may name: the exchange's own and the trusted ones."""
    calls_by = settings.CALLS_BY
    if calls_by.provider != Provider.SIP.value:
        return frozenset()
    template = calls_by.options.get("number", "").rpartition("@")[2]
    own = urlsplit(f"//{template.partition(';')[0]}").hostname if template else calls_by.host
    named = (host.strip().lower() for host in calls_by.options.get("hosts", "").split(","))
    return frozenset({own or calls_by.host, calls_by.host, *named} - {""})
