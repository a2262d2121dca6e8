"""What users are told about mail that came in and could not simply be set to work."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.translation import gettext as _
from django.utils.translation import override

from sentinel.escalation.messages import ConsoleNotice, Notice
from sentinel.ui.links import console_url
from sentinel.ui.mail import Letter, Sender, automatic_headers, compose, headline, link, plain, quote


@dataclass(frozen=True, kw_only=True)
class MailNewsFacts:
    """A mail of a worker that its owner should look at. ``what`` finishes the sentence "<worker> …"."""

    recipient_language: str
    sender: Sender
    incoming_id: int
    what: str
    worker_name: str
    account_name: str
    site_name: str
    words: str
    words_language: str
    note: str = ""


def mail_news(facts: MailNewsFacts) -> Notice:
    """Tell the owner what a worker wrote, word for word, and where the whole mail is."""
    with override(facts.recipient_language):
        title = f"{facts.worker_name} {facts.what}"
        url = console_url(f"/mail/incoming/{facts.incoming_id}/")
        words = (quote(facts.words, facts.words_language),) if facts.words else ()
        letter = Letter(
            subject=title,
            preheader=facts.words,
            language=facts.recipient_language,
            sender=facts.sender,
            before=(
                headline(title),
                *words,
                plain(f"{facts.worker_name}, {facts.site_name}, {facts.account_name}"),
                *((plain(facts.note),) if facts.note else ()),
                link(_("Open the mail"), url),
            ),
        )
        headers = automatic_headers(stream="mail", subject_id=facts.incoming_id)
        return Notice(
            mail=replace(compose(letter, headers=headers), from_name="Sentinel"),
            console=ConsoleNotice(
                title=title, text=f"“{facts.words}”" if facts.words else facts.note, url=url
            ),
        )
