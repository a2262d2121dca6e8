"""Which numbers can be called. Pure."""

from __future__ import annotations

import re
from collections.abc import Set

from sentinel.accounts.telephones import read_telephone

_SIP = re.compile(
    r"sip:[^\s@;?<>\"]{1,80}@(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9.-]{1,120})(:[0-9]{1,5})?(;.{0,80})?"
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
    return text if found is not None and found[1].lower() in sip_hosts else ""
