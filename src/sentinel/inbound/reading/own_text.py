"""What we sent, as far as it can be recognised in a reply: our links, our addresses, our sentences."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from urllib.parse import urlsplit

from sentinel.inbound.reading.own_sentences import LABELS, SENTENCES
from sentinel.inbound.reading.shapes import Ours

_GREETING = re.compile(
    r"(?:hello|hi|dear|guten tag|hallo|bonjour|hola|buenos días|olá|ciao|dzień dobry)[, ][^\n]{1,60}[,:!]"
    r"|.{1,30} ?様"
)
_LINK = re.compile(r"<?\(?\[?(?:https?://|mailto:)[^\s<>\])]{1,4000}[>)\]]{0,3}", re.IGNORECASE)
_GLYPHS = re.compile("[☺☹✓✗\ufe0e\ufe0f*_|>\u200b\u200c\u00ad]+")
_NAME_WORD = re.compile(r"[^\W\d_]+")
_ENOUGH = 24
_CLOSINGS = frozenset(
    (
        "kind regards",
        "freundliche grüße",
        "bien cordialement",
        "un cordial saludo",
        "どうぞよろしくお願いいたします",
    )
)
#: Sentences of ours with names and numbers in them.
_FILLED = re.compile(
    r".{1,80} asks everybody at .{1,80}, with your employer's permission\.?"
    r"|.{1,80} stellt diese frage allen am standort .{1,120}"
    r"|.{1,80} pose cette question à tout le monde sur le site .{1,120}"
    r"|.{1,80} hace esta pregunta a todas las personas de .{1,120}"
    r"|.{1,80}は、お勤め先の許可を得て、.{1,80}|last month at your site: .{1,200}"
    r"|im letzten monat an ihrem standort: .{1,200}"
    r"|le mois dernier sur votre site, .{1,200}|el mes pasado en su centro, .{1,200}"
    r"|先月の貴事業所の状況[:：].{1,200}"
    r"|on .{3,30} (?:you told us|you wrote to us)\b.{0,40}|what we did: .{1,400}"
)


def settled(text: str) -> str:
    """Text for comparing: one form of every letter, single spaces, no emphasis marks, lower case."""
    text = unicodedata.normalize("NFKC", text) if not text.isascii() else text
    return " ".join(_GLYPHS.sub(" ", text).replace("’", "'").lower().split())


class OwnText:
    """Tells whether a line of a reply is ours."""

    def __init__(self, ours: Ours) -> None:
        self.host = urlsplit(ours.base_url.lower()).netloc
        self.addresses = tuple(ours.senders) + (
            (f"@{ours.inbound_domain.lower()}",) if ours.inbound_domain else ()
        )
        self.sentences = frozenset(filter(None, map(settled, SENTENCES.splitlines())))
        self.all_sentences = " \n ".join(sorted(self.sentences))
        self.labels = frozenset(filter(None, map(settled, LABELS.splitlines())))
        self.sent_lines = frozenset(filter(None, map(settled, ours.sent_text.splitlines())))
        self.sent_flow = " ".join(settled(ours.sent_text).split()) if ours.sent_text else ""

    def proves(self, line: str) -> bool:
        """Whether nobody but us can have written this line: it is a link of ours, or a sentence of ours."""
        words = settled(line).rstrip(":：")
        if not words:
            return False
        if self.host and self.host in words:
            # The worker may write about our link; a line that holds little else is ours.
            rest = settled(_LINK.sub(" ", line)).rstrip(":")
            return len(rest) < 3 or self._is_known(rest) or self.is_address_line(rest)
        return words in self.sentences or (len(words) >= _ENOUGH and self._is_known(words))

    def _is_known(self, words: str) -> bool:
        return (
            words in self.labels
            or (len(words) < 600 and _FILLED.fullmatch(words) is not None)
            or words in self.sent_lines
            or (len(words) >= _ENOUGH and (words in self.all_sentences or words in self.sent_flow))
        )

    def owns(self, line: str) -> bool:
        """Whether a line next to something of ours is ours too."""
        words = settled(_LINK.sub(" ", line) if "://" in line else line).rstrip(":")
        if not words or self.proves(line) or self._is_known(words):
            return True
        if len(words) >= 8 and (words in self.sent_flow or words in self.all_sentences):
            return True
        return _GREETING.fullmatch(words) is not None or self.is_address_line(words)

    def is_greeting(self, line: str) -> bool:
        """Whether the line is how our mails begin."""
        return _GREETING.fullmatch(settled(line)) is not None

    def greets(self, line: str, author: str) -> bool:
        """Whether the line greets the very person who wrote the mail: nobody greets themselves, we do."""
        if len(line) > 100 or not author or not self.is_greeting(line):
            return False
        names = {word for word in _NAME_WORD.findall(settled(author)) if len(word) > 1}
        return bool(names) and names <= set(_NAME_WORD.findall(settled(line)))

    def is_closing(self, line: str) -> bool:
        """Whether the line is how our mails end; name, company and telephone follow it."""
        return settled(line).rstrip(",.。") in _CLOSINGS

    def continues(self, above: str, line: str) -> bool:
        """Whether a line is the end of a sentence of ours that was broken after ``above``."""
        end, start = settled(line), settled(above)[-20:]
        if not end or not start:
            return False
        joined = f"{start} {end}"
        return joined in self.all_sentences or joined in self.sent_flow

    def is_address_line(self, line: str) -> bool:
        """A line that is one of our addresses and nothing else."""
        bare = line.strip("<>[]() ").lower().removeprefix("mailto:")
        return " " not in bare and any(bare.endswith(address) for address in self.addresses)

    def names_us(self, text: str) -> bool:
        """Whether one of our addresses stands in the text."""
        lowered = text.lower()
        return any(address in lowered for address in self.addresses)


@lru_cache(maxsize=16)
def own_text(ours: Ours) -> OwnText:
    """The recogniser for what is ours; made once per mail that is answered."""
    return OwnText(ours)
