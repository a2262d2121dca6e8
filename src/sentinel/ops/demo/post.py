"""Mail that comes back in a demonstration: replies, an absence note, a full mailbox, a stray letter.

Every one is a real mail, kept and read by the same code as any other.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Collection
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime, make_msgid

from django.conf import settings

from sentinel.demonstration.models import CaughtMail
from sentinel.demonstration.replies import File, compose_reply
from sentinel.engine.passes import read_mail
from sentinel.inbound.keeping import keep_mail
from sentinel.inbound.models import IncomingMail

_QUESTION = "check_in.question"
_STRANGER = "frank.bauer@elsewhere.example"


def reply_as(address: str, words: str, *, now: datetime, file: File | None = None) -> IncomingMail | None:
    """Whoever lives at ``address`` replies to the last question they got; returns the mail as it was read.

    None when they got none.
    """
    row = _last_question(address)
    if row is None:
        return None
    to, reply = compose_reply(row, words=words, now=now, file=file)
    return _arrive(reply.as_bytes(policy=SMTP), sender=address, to=to, now=now)


def last_post(now: datetime, *, reserved: Collection[str]) -> None:
    """What the post of the last day but one brought, so that every kind of mail is there to be looked at."""
    if not settings.INBOUND_DOMAIN:
        return
    asked = CaughtMail.objects.filter(kind=_QUESTION).order_by("-pk")[:60]
    rows = {row.recipient: row for row in asked if row.recipient.split("@")[0] not in reserved}
    for row, write in zip(rows.values(), (_absence, _full_mailbox), strict=False):
        write(row, now)
    _stray_letter(now)


def picture() -> File:
    """A photograph, as far as a demonstration needs one: grey paper with a dark jam across it."""
    width, height = 240, 160
    lines = []
    for y in range(height):
        shades = (
            60 if abs(y - 80 - (x - 120) // 6) < 9 else 205 + (x * 7 + y * 5) % 24 for x in range(width)
        )
        lines.append(b"\0" + bytes(shades))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(lines), 9)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return File(name="paper-jam.png", content=b"\x89PNG\r\n\x1a\n" + body)


def _absence(row: CaughtMail, now: datetime) -> None:
    to, note = compose_reply(row, words="x", now=now)
    back = (now + timedelta(days=6)).date()
    for name, value in (("Auto-Submitted", "auto-replied"), ("X-Autoreply", "yes")):
        note[name] = value
    note.replace_header("Subject", "Out of office")
    note.set_content(
        f"I am out of the office and will be back on {back:%d %B %Y}. Mails are not forwarded.\n"
    )
    _arrive(note.as_bytes(policy=SMTP), sender=row.recipient, to=to, now=now)


def _full_mailbox(row: CaughtMail, now: datetime) -> None:
    """The recipient's mail server reports that the mailbox is full (RFC 3464)."""
    sent = message_from_bytes(bytes(row.raw), _class=EmailMessage, policy=default)
    host = row.recipient.rpartition("@")[2]
    lines = [
        f"From: MAILER-DAEMON@mail.{host}",
        f"To: {row.sender}",
        "Subject: Undelivered Mail Returned to Sender",
        f"Date: {format_datetime(now)}",
        f"Message-ID: {make_msgid(domain=f'mail.{host}')}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        'Content-Type: multipart/report; report-type=delivery-status; boundary="part"',
        "",
        "--part",
        "Content-Type: text/plain",
        "",
        "The mailbox of the recipient is full.",
        "--part",
        "Content-Type: message/delivery-status",
        "",
        f"Reporting-MTA: dns; mail.{host}",
        "",
        f"Final-Recipient: rfc822; {row.recipient}",
        "Action: failed",
        "Status: 5.2.2",
        "Diagnostic-Code: smtp; 552 5.2.2 mailbox full",
        "",
        "--part",
        "Content-Type: text/rfc822-headers",
        "",
        f"Message-ID: {sent['Message-ID']}",
        "--part--",
        "",
    ]
    _arrive("\r\n".join(lines).encode(), sender="", to=row.sender, now=now)


def _stray_letter(now: datetime) -> None:
    """Somebody who is no worker writes to the postmaster; only a person can place that."""
    letter = EmailMessage(policy=SMTP)
    to = f"postmaster@{settings.INBOUND_DOMAIN}"
    letter["From"], letter["To"], letter["Subject"] = f"Frank Bauer <{_STRANGER}>", to, "Your question mails"
    letter["Date"] = format_datetime(now)
    letter["Message-ID"] = make_msgid(domain="elsewhere.example")
    letter.set_content(
        "Hello,\n\nI took over the reception in our Lyon office from Ms Petit. She got a short question from"
        " you every month. Could you ask me instead? The badge printer at the door has been down since"
        " Tuesday.\n\nFrank Bauer\n"
    )
    _arrive(letter.as_bytes(policy=SMTP), sender=_STRANGER, to=to, now=now)


def _last_question(address: str) -> CaughtMail | None:
    return CaughtMail.objects.filter(recipient=address, kind=_QUESTION).order_by("-pk").first()


def _arrive(raw: bytes, *, sender: str, to: str, now: datetime) -> IncomingMail | None:
    kept = keep_mail(raw=raw, envelope_from=sender, envelope_to=to, source="smtp", now=now)
    read_mail.run(now)
    return IncomingMail.objects.filter(pk=kept.id).first()
