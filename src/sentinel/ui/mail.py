"""The one layout of every mail Sentinel sends: plain values in, a :class:`Mail` for the outbox out.

The layout is MJML (``mail_templates/``), compiled once per text direction and kept; what varies is
filled in and escaped by :mod:`sentinel.ui.layouts`. There are no pictures: both choices are real text
links that work with images off, in dark mode, and read aloud. The text part carries the same words
and the same links.

Replies go to the owner's own mailbox (``Sender.reply_to``), unless a domain for incoming mail is set
(:func:`sentinel.ui.links.mailbox`); then they come back into Sentinel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import mjml
from django.utils.translation import get_language_info

from sentinel.ui.layouts import Layout

_FOLDER = Path(__file__).parent / "mail_templates"


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who writes: a person of the provider by name, from the programme's address.

    ``telephone`` is shown under the name; ``reply_to`` is the person's own mailbox.
    """

    person: str
    address: str
    provider: str
    reply_to: str
    telephone: str = ""

    @property
    def tel(self) -> str:
        """The number as a ``tel:`` link."""
        return tel_url(self.telephone)


class Voice(StrEnum):
    """How a block is set."""

    PLAIN = "plain"
    QUOTE = "quote"  # somebody's own words, and nothing else
    HEADLINE = "headline"
    QUIET = "quiet"


@dataclass(frozen=True, kw_only=True)
class Block:
    """A paragraph; with ``url`` it is a link on a line of its own. Quotes name their language."""

    text: str
    voice: Voice = Voice.PLAIN
    url: str = ""
    language: str = ""

    @property
    def is_quote(self) -> bool:
        return self.voice is Voice.QUOTE

    @property
    def is_headline(self) -> bool:
        return self.voice is Voice.HEADLINE

    @property
    def is_quiet(self) -> bool:
        return self.voice is Voice.QUIET

    @cached_property
    def plain(self) -> str:
        """The block in the text part."""
        if self.is_quote:
            return "\n".join(f"> {line}" for line in self.text.splitlines())
        return f"{self.text}:\n{self.url}" if self.url else self.text


def plain(text: str) -> Block:
    """A paragraph."""
    return Block(text=text)


def quiet(text: str) -> Block:
    """A small paragraph."""
    return Block(text=text, voice=Voice.QUIET)


def headline(text: str) -> Block:
    """The one sentence the mail is about."""
    return Block(text=text, voice=Voice.HEADLINE)


def quote(text: str, language: str) -> Block:
    """Somebody's own words, in the language they were written in."""
    return Block(text=text, voice=Voice.QUOTE, language=language)


def link(label: str, url: str) -> Block:
    """A link on a line of its own."""
    return Block(text=label, url=url)


@dataclass(frozen=True, kw_only=True)
class Option:
    """One of two equal buttons: a word, an address, and a glyph that repeats the meaning of the word."""

    label: str
    url: str
    glyph: str = ""

    @property
    def plain(self) -> str:
        """The option in the text part."""
        return f"{self.glyph} {self.label}:\n{self.url}".lstrip()


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Two buttons of the same size. ``trap``: a link between them that no human can see or reach."""

    good: Option
    bad: Option
    trap: str = ""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """Everything a mail says, in reading order. ``notes`` and ``links`` stand under the sheet.

    Without ``closing`` nobody signs: a notice to a user comes from Sentinel, not from a colleague.
    """

    subject: str
    preheader: str
    language: str
    sender: Sender
    before: tuple[Block, ...]
    greeting: str = ""
    closing: str = ""
    choice: Choice | None = None
    after: tuple[Block, ...] = ()
    notes: tuple[str, ...] = ()
    links: tuple[Option, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A finished mail. ``headers`` come on top of From, To, Subject, Date and Message-ID."""

    subject: str
    text: str
    letter: Letter
    language: str
    from_name: str
    from_address: str
    reply_to: str
    headers: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def html(self) -> str:
        """The letter set as HTML, when somebody wants it."""
        return set_as_html(self.letter)

    def payload(self) -> dict[str, Any]:
        """The outbox payload of the channel ``email``."""
        return {**self.payload_without_html(), "html": self.html}

    def payload_without_html(self) -> dict[str, Any]:
        """The payload of a mail of text alone; see :mod:`sentinel.ui.drafts` for mail that is set later."""
        return {
            "subject": self.subject,
            "text": self.text,
            "language": self.language,
            "from_name": self.from_name,
            "from_address": self.from_address,
            "reply_to": self.reply_to,
            "headers": dict(self.headers),
        }


def compose(letter: Letter, *, headers: Mapping[str, str]) -> Mail:
    """The mail of a letter."""
    return Mail(
        subject=" ".join(letter.subject.splitlines()),
        text=_text(letter),
        letter=letter,
        language=letter.language,
        from_name=letter.sender.person,
        from_address=letter.sender.address,
        reply_to=letter.sender.reply_to,
        headers=headers,
    )


def set_as_html(letter: Letter) -> str:
    """The HTML part; the same letter gives the same text."""
    return _layout(letter.language).fill({"letter": letter})


def automatic_headers(*, stream: str, subject_id: int) -> dict[str, str]:
    """Headers of mail that no hand wrote: no receipts, one name per stream for filters.

    Exchange reads ``X-Auto-Response-Suppress``. ``All`` would also hold back reports that a mail could not be
    delivered and absence notes, and both are wanted: one repairs an address, the other postpones a question.

    There is no ``Precedence``: it was never a standard, some servers hold ``bulk`` back, and
    ``Auto-Submitted`` says the same to everybody who asks (RFC 3834).
    """
    return {
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "DR, RN, NRN, AutoReply",
        "Feedback-ID": f"{subject_id}:{stream}:sentinel",
    }


def subscription_headers(
    *, one_click_url: str, list_name: str, list_id: str, mailbox: str = ""
) -> dict[str, str]:
    """RFC 8058 and RFC 2919: one HTTPS address that unsubscribes by a bare POST, and the list's name.

    ``mailbox``: an address that unsubscribes whoever writes to it; only where one is configured.
    """
    ways = [f"<{one_click_url}>"] + ([f"<mailto:{mailbox}>"] if mailbox else [])
    return {
        "List-Unsubscribe": ", ".join(ways),
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f'"{header_words(list_name)}" <{list_id}>',
    }


def public_number(number: str) -> str:
    """A number that the whole world can dial; empty for an address on one's own exchange (``sip:``)."""
    return "" if number.lower().startswith("sip:") else number


def tel_url(number: str) -> str:
    """A telephone number as a ``tel:`` address; empty for no number that the world can dial."""
    digits = re.sub(r"[^0-9+]", "", public_number(number))
    return f"tel:{digits}" if digits else ""


def header_words(text: str) -> str:
    """Words as they may stand in quotes in any header: plain ASCII.

    A list's name is for machines; anything else would need encoding inside the header.
    """
    return re.sub(r"[^\x20-\x7e]|[\"\\<>]", "", text).strip()


def _text(letter: Letter) -> str:
    parts = [letter.greeting, *(block.plain for block in letter.before)]
    if letter.choice:
        parts += [letter.choice.good.plain, letter.choice.bad.plain]
    parts += [block.plain for block in letter.after]
    if letter.closing:
        sender = letter.sender
        parts.append(
            "\n".join(filter(None, (letter.closing, sender.person, sender.provider, sender.telephone)))
        )
    foot = [*letter.notes, *(option.plain for option in letter.links)]
    text = "\n\n".join(part for part in parts if part)
    # Mail programs fold away what follows this line, and never quote it.
    return text + ("\n\n-- \n" + "\n\n".join(foot) if foot else "") + "\n"


@lru_cache(maxsize=16)
def _layout(language: str) -> Layout:
    """The compiled layout of a language; compiling takes milliseconds and happens once per process."""
    return Layout(layout_source(language))


def layout_source(language: str) -> str:
    """The layout of a language as HTML with template tags, see :mod:`sentinel.ui.layouts`."""
    right_to_left = bool(get_language_info(language)["bidi"])
    start, end = ("right", "left") if right_to_left else ("left", "right")
    block, option, source = (_read(name) for name in ("block.mjml", "option.html", "letter.mjml"))
    source = re.sub(r"BLOCKS\(([a-z.]+)\)", lambda found: block.replace("BLOCKS", found[1]), source)
    source = re.sub(
        r"OPTION\(([a-z]+),(#[0-9a-f]+)\)",
        lambda found: option.replace("SIDE", found[1]).replace("COLOUR", found[2]),
        source,
    )
    words = {"LANGUAGE": language, "DIRECTION": "rtl" if right_to_left else "ltr", "START": start, "END": end}
    for word, value in words.items():
        source = re.sub(rf"(?<![A-Z]){word}(?![A-Z])", value, source)
    return _squeeze(str(mjml.mjml2html(source)))


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8").strip()


def _squeeze(html: str) -> str:
    """Every kilobyte is paid once per worker: drop white space between tags and inside the style sheet."""
    html = re.sub(r">\s+<", "><", html)
    return re.sub(r"\n\s*", " ", html)
