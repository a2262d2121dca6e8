"""Answering a caught mail as its recipient would: a real mail, handed to the ear by SMTP."""

from __future__ import annotations

import mimetypes
import smtplib
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP, default
from email.utils import format_datetime, make_msgid, parseaddr

from django.conf import settings

from sentinel.demonstration.models import CaughtMail
from sentinel.demonstration.services import refuse_outside_demonstration
from sentinel.kernel.errors import NotFound, Refused

_SECONDS = 10.0
_LARGEST_FILE = 5 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class File:
    """Something to attach."""

    name: str
    content: bytes


def reply_to_caught_mail(*, mail_id: int, words: str, now: datetime, file: File | None = None) -> str:
    """Send a reply to a caught mail, quoted below as mail programs do; returns the address it went to.

    Refuses outside demonstration mode, when the mail takes no replies here, and when the ear does not
    listen or refuses it; the ear's own words are passed on.
    """
    refuse_outside_demonstration()
    row = CaughtMail.objects.filter(pk=mail_id).first()
    if row is None:
        raise NotFound("mail_unknown", "There is no such mail.")
    if not words.strip() and file is None:
        raise Refused("reply_empty", "Write something first.")
    if file is not None and len(file.content) > _LARGEST_FILE:
        raise Refused("file_too_large", "The file is larger than 5 MB.")
    to, reply = compose_reply(row, words=words, file=file, now=now)
    _hand_over(reply, sender=row.recipient, to=to)
    return to


def compose_reply(
    row: CaughtMail, *, words: str, now: datetime, file: File | None = None
) -> tuple[str, EmailMessage]:
    """The address a reply to this mail goes to, and the reply. Refuses mail that takes none here."""
    answered = message_from_bytes(bytes(row.raw), _class=EmailMessage, policy=default)
    to = parseaddr(str(answered["Reply-To"] or ""))[1]
    if not settings.INBOUND_DOMAIN or not to.endswith(f"@{settings.INBOUND_DOMAIN}"):
        raise Refused("no_reply_address", "Replies to this mail go to a person's own mailbox.")
    return to, _reply(answered, row, to=to, words=words, file=file, now=now)


def _reply(
    answered: EmailMessage, row: CaughtMail, *, to: str, words: str, file: File | None, now: datetime
) -> EmailMessage:
    reply = EmailMessage(policy=SMTP)
    reply["From"] = row.recipient
    reply["To"] = to
    subject = " ".join(str(answered["Subject"] or "").split())
    reply["Subject"] = subject if subject.lower().startswith("re:") else f"Re: {subject}"
    reply["Date"] = format_datetime(now)
    reply["Message-ID"] = make_msgid(domain=row.recipient.rpartition("@")[2] or "worker.invalid")
    original = str(answered["Message-ID"] or "")
    if original:
        reply["In-Reply-To"] = original
        reply["References"] = original
    part = answered.get_body(preferencelist=("plain",))
    quoted = part.get_content() if part else ""
    sender = parseaddr(str(answered["From"] or ""))[0] or row.sender
    lines = "\n".join(f"> {line}".rstrip() for line in str(quoted).splitlines())
    reply.set_content(f"{words.strip()}\n\nOn {now:%d %b %Y at %H:%M}, {sender} wrote:\n{lines}\n")
    if file is not None:
        kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
        main, _, sub = kind.partition("/")
        reply.add_attachment(file.content, maintype=main, subtype=sub, filename=file.name)
    return reply


def _hand_over(reply: EmailMessage, *, sender: str, to: str) -> None:
    ear = settings.EAR
    if ear is None:
        raise Refused("no_ear", "Nothing listens for incoming mail here.")
    client = smtplib.LMTP if ear.protocol == "lmtp" else smtplib.SMTP
    try:
        with client(ear.host, ear.port, timeout=_SECONDS) as smtp:
            smtp.send_message(reply, from_addr=sender, to_addrs=[to])
    except smtplib.SMTPException as error:
        raise Refused("reply_refused", f"The ear refused it: {error}") from error
    except OSError as error:
        raise Refused("ear_away", f"The ear does not listen on {ear.host}:{ear.port}: {error}") from error
