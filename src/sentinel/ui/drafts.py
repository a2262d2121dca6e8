"""Letters on their way: what a mail says is decided and kept; the layout is put on when it is handed over.

Nine tenths of an HTML mail are layout, the same for everybody. An outbox that keeps them for every notice
spends most of its time on writing, compressing and reading them again. A draft is a mail's payload with the
letter in the place of the HTML; :func:`finished` sets it. The same letter gives the same bytes, so a repeated
mail is the same mail.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sentinel.ui.mail import Block, Choice, Letter, Mail, Option, Sender, Voice, set_as_html


def draft_of(mail: Mail) -> dict[str, Any]:
    """The outbox payload of the channel ``email``, with the letter in the place of the HTML."""
    return {**mail.payload_without_html(), "letter": _kept(mail.letter)}


def finished(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The payload with HTML. What has some already, and what is plain text, stays as it is."""
    kept = payload.get("letter")
    if not kept or payload.get("html"):
        return payload
    return {**payload, "html": set_as_html(_letter(kept))}


def _kept(letter: Letter) -> dict[str, Any]:
    sender = letter.sender
    kept = {
        "subject": letter.subject,
        "preheader": letter.preheader,
        "language": letter.language,
        "sender": [sender.person, sender.address, sender.provider, sender.reply_to, sender.telephone],
        "before": [_kept_block(block) for block in letter.before],
        "after": [_kept_block(block) for block in letter.after],
        "greeting": letter.greeting,
        "closing": letter.closing,
        "choice": asdict(letter.choice) if letter.choice else None,
        "notes": list(letter.notes),
        "links": [asdict(link) for link in letter.links],
    }
    return {name: value for name, value in kept.items() if value}


def _kept_block(block: Block) -> list[str]:
    return [block.text, block.voice.value, block.url, block.language]


def _letter(kept: Mapping[str, Any]) -> Letter:
    person, address, provider, reply_to, telephone = kept["sender"]
    choice = kept.get("choice")
    return Letter(
        subject=kept.get("subject", ""),
        preheader=kept.get("preheader", ""),
        language=kept["language"],
        sender=Sender(
            person=person, address=address, provider=provider, reply_to=reply_to, telephone=telephone
        ),
        before=tuple(_block(block) for block in kept.get("before", ())),
        after=tuple(_block(block) for block in kept.get("after", ())),
        greeting=kept.get("greeting", ""),
        closing=kept.get("closing", ""),
        choice=Choice(good=Option(**choice["good"]), bad=Option(**choice["bad"]), trap=choice["trap"])
        if choice
        else None,
        notes=tuple(kept.get("notes", ())),
        links=tuple(Option(**link) for link in kept.get("links", ())),
    )


def _block(kept: list[str]) -> Block:
    text, voice, url, language = kept
    return Block(text=text, voice=Voice(voice), url=url, language=language)
