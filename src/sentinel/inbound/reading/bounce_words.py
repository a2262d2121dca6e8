"""What a failure means for the address: the codes of RFC 3463, and words where codes mislead."""

from __future__ import annotations

import re

from sentinel.inbound.reading.shapes import Grade

_UNKNOWN = re.compile(
    r"user unknown|unknown (?:user|recipient|local|mailbox|address)|no such (?:user|mailbox|recipient"
    r"|address|person|domain|host|local)|(?:user|mailbox|recipient|account|address"
    r"|person) (?:does ?n.t exist|does not exist|is unknown|not found|unknown|invalid)"
    r"|does ?n.t have (?:an? )?[\w.-]{0,60} ?account|no mailbox (?:here )?by that name"
    r"|invalid (?:recipient|mailbox|user|address)|not (?:a )?(?:known|valid) (?:user|recipient|mailbox)"
    r"|address (?:couldn.t|could not) be found|recipientnotfound|resolver\.adr"
    r"|unrouteable address|host (?:or domain )?(?:name )?not found|domain (?:does not exist|not found)"
    r"|nxdomain|name service error|account (?:has been )?(?:closed|deleted|terminated)"
    r"|no longer (?:exists?|valid|employed)|not listed in (?:domino|public)"
    r"|existiert nicht|unbekannt|nicht gefunden|introuvable|n.existe pas|inconnue?\b|no existe|desconocid"
    r"|no se encontró|não existe|inesistente|bestaat niet|onbekend|nie istnieje|nieznan|存在しません"
    r"|見つかりません|宛先不明",
    re.IGNORECASE,
)
_FULL = re.compile(
    r"mailbox (?:is )?full|over ?quota|quota (?:exceeded|is full)|exceed\w* .{0,20}(?:quota|storage)"
    r"|out of (?:storage|space)|insufficient (?:system )?storage|not enough (?:storage )?space"
    r"|inbox is full|voll\b|kontingent|speicherplatz"
    r"|boîte .{0,20}pleine|saturée|buzón .{0,20}lleno|caixa .{0,20}cheia|casella .{0,20}piena"
    r"|postvak .{0,12}vol|skrzynka .{0,20}pełna|容量|いっぱい",
    re.IGNORECASE,
)
_BLOCKED = re.compile(
    r"spam|blocked|black ?list|block ?list|blocklisted|spamhaus|barracuda|reputation|policy|polic(?:y"
    r"|ies) (?:violation|reasons)|dmarc|\bspf\b|\bdkim\b|unauthenticated|not (?:authorized|allowed"
    r"|permitted)|access denied|relay(?:ing)? (?:access )?denied|denied|rejected (?:due|because|for)"
    r"|banned|(?<!not )listed (?:at|by|in|on)|content (?:rejected|filter)|restricted|suspicious|virus"
    r"|malware|gesperrt|abgelehnt|refusé|rechazado|rifiutato|geweigerd",
    re.IGNORECASE,
)
_STRONG_BLOCK = re.compile(
    r"spamhaus|blocked using|black ?list|block ?list|reputation|dmarc|banned (?:sending )?ip"
    r"|(?<!not )listed (?:at|by|in|on) |rejected (?:as|for|due to) spam|detected as spam|unauthenticated"
    r"|\bspf\b|sender (?:address )?(?:rejected|blocked|denied)",
    re.IGNORECASE,
)
_LATER = re.compile(
    r"try again|temporar|greylist|graylist|grey ?listed|timed? ?out|connection (?:refused|reset|lost)"
    r"|too many|rate limit|throttl|deferred|will (?:keep|be retried|retry|continue)|still (?:trying|being)"
    r"|delayed|warning|verzögert|différé|retrasad|not yet been delivered|has not been delivered yet|queued"
    r"|expired|unavailable",
    re.IGNORECASE,
)
_STILL_TRYING = re.compile(
    r"will (?:keep|be retried|retry|continue|be re-?tried)|still (?:trying|being retried)|delayed"
    r"|this is a warning|warning message only|do not need to resend|no action is required on your part"
    r"|not (?:yet )?been delivered yet|wird weiter|noch nicht zugestellt|verzögert",
    re.IGNORECASE,
)
_TOO_LARGE = re.compile(
    r"too (?:large|big)|size (?:exceeds|limit)|exceeds .{0,30}(?:size|maximum)|message size|zu groß"
    r"|trop volumineux|demasiado grande",
    re.IGNORECASE,
)
#: Codes that say more than their class.
_EXACT = {
    "5.1.7": Grade.BLOCK, "5.1.8": Grade.BLOCK, "5.1.9": Grade.BLOCK, "5.1.5": Grade.SOFT,
    "5.2.1": Grade.SOFT, "5.2.2": Grade.SOFT, "5.2.3": Grade.SOFT, "5.2.0": Grade.SOFT, "5.3.4": Grade.SOFT,
    "5.4.1": Grade.HARD, "5.4.4": Grade.HARD, "5.4.310": Grade.HARD, "5.5.0": Grade.SOFT,
}  # fmt: skip


def grade_of(action: str, status: str, diagnostic: str) -> Grade:
    """The grade of one recipient in a standard report."""
    if action in ("delivered", "relayed", "expanded") or status.startswith("2"):
        return Grade.IGNORE
    if action == "delayed":
        return Grade.DELAY
    if status.startswith("4"):
        return Grade.SOFT
    code = re.search(r"(?<![\d.])([45]\d\d)(?![\d.])", diagnostic)
    return _permanent(status, diagnostic, code[1] if code else "")


def grade_of_text(text: str, status: str, code: str) -> Grade:
    """The grade of a report in words. Where it says nothing, SOFT: the next one will tell."""
    head = text[:6_000]
    if _STILL_TRYING.search(head) and not status.startswith("5"):
        return Grade.DELAY
    if status.startswith("4") or (not status and code.startswith("4")):
        return Grade.SOFT
    return _permanent(status, head, code)


def _permanent(status: str, text: str, code: str) -> Grade:
    unknown = _UNKNOWN.search(text) is not None
    if status.startswith("5.7."):
        # Some servers say 5.7.1 for everything; "user unknown" is the truth then.
        return Grade.HARD if unknown and not _STRONG_BLOCK.search(text) else Grade.BLOCK
    if status.startswith("5.1."):
        if _STRONG_BLOCK.search(text) and not unknown:
            return Grade.BLOCK
        return _EXACT.get(status, Grade.HARD if status != "5.1.0" or unknown else _by_words(text, code))
    if status in _EXACT and status != "5.5.0":
        return _EXACT[status]
    if status.startswith("5.6."):
        return Grade.BLOCK
    return _by_words(text, code)


def _by_words(text: str, code: str) -> Grade:
    for pattern, grade in (
        (_STRONG_BLOCK, Grade.BLOCK),
        (_FULL, Grade.SOFT),
        (_UNKNOWN, Grade.HARD),
        (_TOO_LARGE, Grade.SOFT),
        (_BLOCKED, Grade.BLOCK),
        (_LATER, Grade.SOFT),
    ):
        if pattern.search(text):
            return grade
    return Grade.HARD if code in ("550", "551", "553", "556", "521") else Grade.SOFT
