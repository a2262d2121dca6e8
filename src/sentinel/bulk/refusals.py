"""What a mail server's last words mean for the address they were about. Pure."""

from __future__ import annotations

import re

_ANSWER = re.compile(r"\b([245]\d\d)[ -](?:([245]\.\d{1,3}\.\d{1,3})\b)?\s*(.*)", re.S)
#: Without an enhanced code these may as well mean that the server does not like us, or the mail.
_REFUSED_CODES = frozenset({550, 551, 553})
_ABOUT_US = re.compile(
    r"spam|block|black ?list|block ?list|listed|polic|reputation|relay|denied|dmarc|spf|dkim|virus|content",
    re.I,
)


def refuses_address(*, code: int | None, enhanced: str, answer: str) -> bool:
    """Whether nobody lives there, in contrast to a server that refuses us, this mail, or everybody today.

    5.1.x: no such address. 5.2.1: the mailbox is closed; 5.2.2, a full one, may be emptied.
    """
    if enhanced:
        return enhanced.startswith("5.1.") or enhanced == "5.2.1"
    return code in _REFUSED_CODES and not _ABOUT_US.search(answer)


def codes_in(detail: str) -> tuple[int | None, str, str]:
    """Code, enhanced code and words of an answer as a sender reports it ("RCPT TO: 550 5.1.1 …")."""
    found = _ANSWER.search(detail)
    if found is None:
        return None, "", detail
    return int(found[1]), found[2] or "", found[3].strip()
