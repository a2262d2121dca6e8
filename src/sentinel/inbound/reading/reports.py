"""Delivery reports and complaints: RFC 3464, RFC 5965, and what qmail, Exim, Domino and others send.

A report is told by its form and its sender, never by a number in its text: a person who writes about
error 5.1.1 stays a person.
"""

from __future__ import annotations

import re

from sentinel.inbound.reading.bounce_words import grade_of, grade_of_text
from sentinel.inbound.reading.headers import Headers, addresses, message_ids, parse_headers
from sentinel.inbound.reading.mime import Piece, leaves
from sentinel.inbound.reading.shapes import Complaint, Grade, Report

_FIELDS_READ = 200_000
_MOST_RECIPIENTS = 100
_ORIGINALS = (
    "message/rfc822",
    "text/rfc822-headers",
    "message/rfc822-headers",
    "message/global",
    "message/global-headers",
)
_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_REPLY_CODE = re.compile(r"(?<![\d.#-])([45]\d\d)(?![\d.])(?=[ -])")
_DAEMON = re.compile(
    r"^(?:mailer-daemon|postmaster|mail-?daemon|mail\.daemon|mdaemon|bounce[sd]?|noreply-bounce)\b",
    re.IGNORECASE,
)
_DAEMON_NAMES = re.compile(
    r"mail delivery (?:sub)?system|mail delivery service|mail system|mailer[- ]daemon|postmaster"
    r"|internet mail delivery",
    re.IGNORECASE,
)
_FAILED_SUBJECT = re.compile(
    r"undeliver(?:able|ed)|delivery (?:status notification|has failed|failure|failed|incomplete|report"
    r"|notification)|mail delivery (?:failed|failure)"
    r"|returned (?:mail|to sender|message)|failure notice|failed (?:delivery|mail)"
    r"|could not (?:be )?deliver|non[- ]?delivery|unzustellbar|nicht zugestellt|zustellung fehlgeschlagen"
    r"|fehler bei der zustellung|mail konnte nicht|delivery delay|warning: (?:message|could not send)"
    r"|delayed mail|message delayed|non remis|échec de (?:la )?remise|non distribu"
    r"|no se puede entregar|no se pudo entregar|mensaje no entregado|no entregado|entrega fallida"
    r"|não (?:foi )?entregue|falha na entrega|non recapitabile|mancato recapito|impossibile recapitare"
    r"|onbestelbaar|niet bezorgd|niedostarczalne|nie dostarczono|zwrot|配信不能|配信できません"
    r"|送信できません|未達"
    r"|non consegnat",
    re.IGNORECASE,
)
_FAILED_TEXT = re.compile(
    r"this is the qmail-send program|this message was created automatically by mail delivery software"
    r"|i(?:'m| am|’m) sorry to have to inform you|i'm afraid i wasn't able to deliver"
    r"|the following addresses had (?:permanent|transient|delivery)|could not be delivered"
    r"|couldn.t be delivered|wasn.t delivered|was not delivered|cannot be delivered"
    r"|delivery (?:has failed|to the following recipients? failed)|your message (?:did not reach|wasn)"
    r"|undeliverable|unzustellbar|konnte nicht zugestellt|nicht zugestellt werden|n.a pas pu être (?:remis"
    r"|distribué|livré)"
    r"|no se (?:pudo|ha podido) entregar|não pôde ser entregue|non (?:è stato possibile"
    r"|può essere) (?:recapit|consegn)|kon niet worden (?:bezorgd|afgeleverd)|nie (?:mogła|można"
    r"|udało się) .{0,20}dostarcz|配信できませんでした|配信不能"
    r"|not listed in (?:domino|public)|user unknown|no such user|mailbox unavailable|unknown user"
    r"|address rejected|delivery failed",
    re.IGNORECASE,
)
_RECIPIENT_LINE = re.compile(r"<([^\s<>@]{1,64}@[^\s<>@]{1,255})>")


def complaint_of(root: Piece) -> Complaint | None:
    """The complaint in a feedback report, if it is one."""
    for piece in _report_parts(root):
        if piece.content_type == "message/feedback-report":
            fields = _blocks(piece)[0]
            named = fields.all("original-rcpt-to") or fields.all("removal-recipient")
            original = _original(root)
            recipient = next(addresses(" ".join(named)), "") or (
                next(addresses(original.raw("to")), "") if original else ""
            )
            return Complaint(
                feedback_type=fields.raw("feedback-type").lower()[:40] or "abuse",
                recipient=recipient,
                original_message_id=_original_id(root),
            )
    return _unwrapped_complaint(root)


def _unwrapped_complaint(root: Piece) -> Complaint | None:
    """Microsoft's own form: a copy of the mail attached to one from its staff address."""
    sender = root.headers.raw("from").lower()
    original = _original(root)
    is_theirs = (
        "staff@hotmail.com" in sender
        or "x-jmrp" in root.headers
        or "complaint" in root.headers.raw("subject").lower()
    )
    if original is None or not is_theirs:
        return None
    recipient = next(addresses(original.raw("x-hmxmroriginalrecipient") or original.raw("to")), "")
    return Complaint(feedback_type="abuse", recipient=recipient, original_message_id=_original_id(root))


def structured_reports(root: Piece) -> tuple[Report, ...]:
    """The recipients of a report in the standard form; empty for anything else."""
    found: list[Report] = []
    for piece in _report_parts(root):
        if piece.content_type not in ("message/delivery-status", "message/global-delivery-status"):
            continue
        original = _original_id(root)
        found += [
            _report(fields, original)
            for fields in _blocks(piece)[:_MOST_RECIPIENTS]
            if "action" in fields or "status" in fields or "final-recipient" in fields
        ]
    return tuple(found)


def _report_parts(root: Piece) -> list[Piece]:
    """The parts of the mail itself: a report inside a forwarded mail is only what somebody forwards."""
    if root.main_type != "multipart":
        return [root]
    inner = [part for child in root.children if child.main_type == "multipart" for part in child.children]
    return [*root.children, *inner]


def _blocks(piece: Piece) -> list[Headers]:
    """The groups of fields, separated by empty lines."""
    text = piece.body(_FIELDS_READ).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    blocks = [parse_headers(block.strip(b"\n") + b"\n")[0] for block in re.split(rb"\n[ \t]*\n", text)[:200]]
    return [block for block in blocks if block.pairs] or [Headers([])]


def _report(fields: Headers, original: str) -> Report:
    action = fields.raw("action").lower().split(" ")[0].split(";")[0][:20]
    diagnostic = fields.text("diagnostic-code").partition(";")[2].strip() or fields.text("diagnostic-code")
    named = fields.raw("original-recipient") or fields.raw("final-recipient")
    status = _status(fields.raw("status"), diagnostic)
    return Report(
        grade=grade_of(action, status, diagnostic),
        action=action or "failed",
        status=status,
        diagnostic=diagnostic[:500],
        recipient=next(addresses(named.partition(";")[2] or named), ""),
        original_message_id=original,
    )


def _status(declared: str, diagnostic: str) -> str:
    """The code inside the diagnostic when the declared one says nothing."""
    outer = _STATUS.search(declared)
    status = outer[0] if outer else ""
    if not status or re.fullmatch(r"[245]\.[05]\.0", status):
        inner = _STATUS.search(diagnostic)
        if inner and (not outer or inner[1] == outer[1]):
            return inner[0]
    return status


def _original(root: Piece) -> Headers | None:
    """The headers of the mail that the report is about."""
    for piece in leaves(root):
        if piece is not root and piece.content_type in _ORIGINALS:
            return parse_headers(piece.body(_FIELDS_READ).lstrip(b"\r\n"))[0]
    return None


def _original_id(root: Piece) -> str:
    original = _original(root)
    found = message_ids(original.raw("message-id")) if original else []
    return found[0] if found else ""


def is_from_machine(envelope_from: str, headers: Headers, address: str, name: str) -> bool:
    """Whether a mail system, not a person, is the sender."""
    return (
        not envelope_from.strip("<> ")
        or headers.raw("return-path").strip() == "<>"
        or _DAEMON.match(address) is not None
        or _DAEMON.match(envelope_from) is not None
        or (_DAEMON_NAMES.search(name) is not None and "in-reply-to" not in headers)
    )


def text_report(headers: Headers, subject: str, text: str, *, from_machine: bool) -> Report | None:
    """A report in words only. Only mail systems write those; a person who quotes one is a person."""
    if not from_machine:
        return None
    head, returned = _parted(text[:40_000])
    named = headers.raw("x-failed-recipients")
    if not (named or _FAILED_TEXT.search(head) or _FAILED_SUBJECT.search(subject)):
        return None
    status = _STATUS.search(head)
    recipient = next(addresses(named), "") or _recipient_in(head)
    diagnostic = _diagnostic(head)
    code = _REPLY_CODE.search(head)
    return Report(
        grade=grade_of_text(f"{subject} {head}", status[0] if status else "", code[1] if code else ""),
        action="failed",
        status=status[0] if status else "",
        diagnostic=diagnostic,
        recipient=recipient,
        original_message_id=_id_in(returned or head),
    )


_COPY_BELOW = re.compile(
    r"^[-=_ ]{0,12}(?:below this line is a copy|this is a copy of (?:the|your) message|original message"
    r"|returned message|message (?:body|headers) follow"
    r"|unsent message below|the header of the original|included is a copy"
    r"|transcript of session follows.{0,0}$|return-path:|received: )",
    re.IGNORECASE | re.MULTILINE,
)


def _parted(text: str) -> tuple[str, str]:
    """What the mail system says, and the returned mail below it."""
    match = _COPY_BELOW.search(text)
    return (text[: match.start()], text[match.start() :]) if match and match.start() > 40 else (text, "")


def _recipient_in(text: str) -> str:
    match = _RECIPIENT_LINE.search(text)
    return match[1].lower() if match else next(addresses(text), "")


def _diagnostic(text: str) -> str:
    """The line that gives the reason: one with a code, else the first that says what failed."""
    lines = [line.strip() for line in text.split("\n")[:200] if line.strip()]
    for pattern in (_STATUS, _REPLY_CODE, _FAILED_TEXT):
        for line in lines:
            if pattern.search(line[:1000]):
                return line[:500]
    return lines[0][:500] if lines else ""


def _id_in(text: str) -> str:
    match = re.search(r"^[>\s]{0,8}Message-ID:\s{0,5}<([^<>\s]{1,400})>", text, re.IGNORECASE | re.MULTILINE)
    return match[1] if match else ""


def looks_failed(subject: str) -> bool:
    """Whether a subject is one that mail systems use for failures."""
    return _FAILED_SUBJECT.search(subject) is not None


def worst_first(reports: tuple[Report, ...]) -> tuple[Report, ...]:
    """The reports with the gravest first; equal ones stay in order."""
    order = (Grade.HARD, Grade.BLOCK, Grade.SOFT, Grade.DELAY, Grade.IGNORE)
    return tuple(sorted(reports, key=lambda report: order.index(report.grade)))
