"""The worker's new words: a reply without what is quoted, signed and added by machines.

First we subtract what we sent, because that we know. Then come the marks of mail programs, attributions and
header blocks; last a library for what is left. When in doubt a line stays: words too many cost a look,
words too few cost a customer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from mailparser_reply import EmailReplyParser  # type: ignore[import-untyped]

from sentinel.inbound.reading.closings import has_own_text, skip_banners, trim_end
from sentinel.inbound.reading.own_text import OwnText, own_text
from sentinel.inbound.reading.quotes import (
    attribution_at,
    has_label,
    header_block_at,
    is_rule,
    is_separator,
    is_titled_rule,
    may_attribute,
    words_before,
)
from sentinel.inbound.reading.shapes import Line, Ours

#: Longer mails and lines are read as they are: nobody quotes on line 20,000, no mark is 2,000 letters.
_MOST_LINES = 20_000
_LONGEST_MARK = 2_000
_PREFIX = re.compile(r"(?:[>＞][ \t]?(?!_<)){1,50}")
_INVISIBLE = re.compile("[\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f]+")
_PICTURE = re.compile(r"\[cid:[^\]\n]{1,200}\]|\[image: [^\]\n]{1,200}\]|<image\d{1,5}\.\w{3,4}>")
_INLINE_HINT = re.compile(
    r"\bbelow\b|\bbottom\b|\binline\b|\bin (?:red|blue|bold|rot|blau|fett)\b|\bunten\b|\bim text\b"
    r"|ci-dessous|plus bas|\babajo\b|en (?:rojo|rouge)"
    r"|下記|以下|\babaixo\b|\bsotto\b|\bhieronder\b|\bponiżej\b",
    re.IGNORECASE,
)
#: Above this our own copy of what we sent explains the quoted text so well that the rest is the worker's.
_EXPLAINED = 0.6


def lines_of_plain(text: str, *, flowed: bool = False, delete_space: bool = False) -> list[Line]:
    """Plain text as lines with their quote depth; ``format=flowed`` paragraphs are put together again."""
    lines: list[Line] = []
    soft = False
    for raw in text.split("\n"):
        match = _PREFIX.match(raw)
        depth = sum(mark in ">＞" for mark in match[0]) if match else 0
        body = raw[match.end() :] if match else raw
        if flowed:
            body = body.removeprefix(" ")
        if soft and lines and lines[-1].depth == depth:
            lines[-1].text += body
        else:
            lines.append(Line(body, depth))
        soft = flowed and body.endswith(" ") and body != "-- " and len(lines[-1].text) < _LONGEST_MARK
        if soft and delete_space:
            lines[-1].text = lines[-1].text[:-1]
    return lines


def find_words(text: str, *, ours: Ours, author: str = "") -> str:
    """The new words in a plain text, e.g. of ``full_text`` once ``ours.sent_text`` is known."""
    return words_of(lines_of_plain(text), ours=ours, author=author, full_text=text)


def words_of(lines: Sequence[Line], *, ours: Ours, author: str, full_text: str) -> str:
    """The new words in these lines; ``full_text`` when nothing is left of a text that is not ours."""
    for line in lines:
        line.text = _PICTURE.sub("", _INVISIBLE.sub("", line.text)).replace("\u00a0", " ").strip()
    body = lines[skip_banners(lines) :]
    sorter = _Sorter(body[:_MOST_LINES], own_text(ours), author)
    sorter.sort()
    kept = _trimmed(sorter.kept(), author)
    if (not kept or _INLINE_HINT.search(kept[:300])) or sorter.is_explained():
        kept = "\n\n".join(filter(None, (kept, _trimmed(sorter.leftover(), author))))
    if kept:
        if not sorter.found_quote and len(body) <= _MOST_LINES:
            kept = _by_library(kept)
        if len(body) > _MOST_LINES and not sorter.found_quote:
            kept = "\n".join([kept, *(line.text for line in body[_MOST_LINES:])])
        return kept.strip()
    return "" if sorter.saw_ours or not has_own_text(line.text for line in lines) else full_text.strip()


def _trimmed(segments: Sequence[list[str]], author: str) -> str:
    paragraphs = ("\n".join(trim_end(segment, author)).strip() for segment in segments)
    return re.sub(r"\n{3,}", "\n\n", "\n\n".join(filter(None, paragraphs)))


class _Sorter:
    """Tells the lines of one mail apart: the worker's, and what they answer."""

    def __init__(self, lines: Sequence[Line], own: OwnText, author: str) -> None:
        self.lines = lines
        self.own = own
        self.author = author
        self.dropped = [line.depth > 0 or line.signature for line in lines]
        self.cut = len(lines)
        self.found_quote = any(line.depth > 0 for line in lines)
        self.saw_ours = False

    def sort(self) -> None:
        """Find where the mail being answered begins, or which lines belong to it."""
        self._find_ours()
        self._keep_unquoted_marks()
        index = 0
        while index < len(self.lines):
            if (
                self.dropped[index]
                or len(self.lines[index].text) > _LONGEST_MARK
                or not self.lines[index].text
            ):
                index += 1
                continue
            count = self._mark_at(index)
            heading = " ".join(line.text for line in self.lines[index : index + count])
            if count and (before := words_before(heading)) and self.lines[index].text.startswith(before):
                self.lines[index].text = before
                index, count = index + 1, count - 1
                if not count and not self._is_quoted(index):
                    self.cut, self.found_quote = index, True
                    break
            if count and self._is_quoted(index + count) and not self._begins_ours(index):
                # The original is marked line by line: its heading goes, what stands between is the worker's.
                self.dropped[index : index + count] = [True] * count
                self.found_quote = True
                index += count
            elif count:
                self._cut_at(index)
                break
            else:
                index += 1
        self._drop_remainders()

    def _keep_unquoted_marks(self) -> None:
        """A line or two with ">" above any words, which nothing introduces and which are not ours, are no
        quote: somebody wrote "> 30 degrees in the hall"."""
        run = 0
        while run < len(self.lines) and self.lines[run].depth == 1 and self.lines[run].text:
            run += 1
        if 0 < run <= 2 and not any(self.own.owns(line.text) for line in self.lines[:run]):
            rest = self.lines[run : run + 1]
            if rest and rest[0].text and rest[0].depth == 0 and self._has_more_quotes(run):
                for index in range(run):
                    self.dropped[index] = False
                    self.lines[index].text = f"> {self.lines[index].text}"

    def _has_more_quotes(self, start: int) -> bool:
        return self.first_ours < len(self.lines) or any(line.depth for line in self.lines[start:])

    def _find_ours(self) -> None:
        self.first_ours = len(self.lines)
        for index, line in enumerate(self.lines):
            if line.text and len(line.text) <= _LONGEST_MARK and self.own.proves(line.text):
                self.saw_ours = True
                if line.depth == 0:
                    self.first_ours = index
                    return

    def _mark_at(self, index: int) -> int:
        """How many lines here introduce the mail being answered; 0 for none."""
        line = self.lines[index]
        if line.cut and any(has_label(near.text) for near in self.lines[index : index + 4]):
            return 1
        if is_separator(line.text) or is_titled_rule(self.lines, index):
            return 1
        if count := header_block_at(self.lines, index):
            return count
        if may_attribute(self.lines, index) and (
            count := attribution_at(self.lines, index, follows=self._follows(index))
        ):
            return count
        return 1 if index == self.first_ours else 0

    def _begins_ours(self, index: int) -> bool:
        """Whether our own text begins here without marks; it may quote the worker's earlier words itself."""
        return index == self.first_ours and not any(line.depth for line in self.lines[:index])

    def _follows(self, index: int) -> bool:
        """Whether quoted text or text of ours comes right after an attribution that begins here."""
        for offset in range(1, 5):
            after = index + offset
            if after >= len(self.lines):
                return False
            line = self.lines[after]
            if line.text and (
                line.depth > 0 or self.own.proves(line.text) or self.own.is_greeting(line.text)
            ):
                return True
            if self.lines[after - 1].text.endswith((":", "：")) and line.text:
                return False
        return False

    def _is_quoted(self, index: int) -> bool:
        while index < len(self.lines) and not self.lines[index].text and self.lines[index].depth == 0:
            index += 1
        return index < len(self.lines) and self.lines[index].depth > 0

    def _cut_at(self, index: int) -> None:
        """Everything from here on is the mail being answered; walk up over what belongs to its head."""
        by_text = index == self.first_ours
        if by_text and (greeting := self._our_greeting(index)) is not None:
            index, by_text = greeting, False
        while index:
            text = self.lines[index - 1].text
            is_head = not text or is_rule(text) or is_separator(text)
            if by_text and not is_head:
                is_greeting = self.own.is_greeting(text)
                is_head = is_greeting or self.own.owns(text)
                # Our mails begin with the greeting: what stands above it is the worker's again.
                by_text = not is_greeting
            if not is_head:
                break
            index -= 1
        self.cut = index
        self.found_quote = True

    def _our_greeting(self, below: int) -> int | None:
        """Where our own text begins above a sentence of ours: with the worker's name."""
        near = range(below, max(-1, below - 40), -1)
        return next((i for i in near if self.own.greets(self.lines[i].text, self.author)), None)

    def _drop_remainders(self) -> None:
        """Mail programs that wrap quoted lines leave their ends without a mark."""
        for index in range(1, min(self.cut, len(self.lines) - 1)):
            above, line = self.lines[index - 1], self.lines[index]
            if line.depth or not line.text or not above.depth:
                continue
            if not self._is_quoted(index + 1):
                continue
            is_link_end = " " not in line.text and len(line.text) > 12 and "://" in above.text[-90:]
            if is_link_end or self.own.continues(above.text, line.text):
                self.dropped[index] = True

    def kept(self) -> list[list[str]]:
        """The worker's lines above the cut, in stretches between quoted ones."""
        return self._stretches(0, self.cut, lambda index: not self.dropped[index])

    def leftover(self) -> list[list[str]]:
        """Lines below the cut that are neither ours nor heads: answers between or below our lines."""
        if not self.saw_ours:
            return []
        in_closing = False
        keep: set[int] = set()
        # What stands between the head and our first words is the name above our text.
        for index in range(max(self.cut, self._where_ours_begins()), len(self.lines)):
            line = self.lines[index]
            in_closing = (in_closing and bool(line.text)) or self.own.is_closing(line.text)
            keep.update([index] if not in_closing and not self._is_theirs(index) else [])
        return self._stretches(self.cut, len(self.lines), keep.__contains__)

    def _where_ours_begins(self) -> int:
        near = range(self.cut, min(len(self.lines), self.first_ours))
        return next(
            (index for index in near if self.own.is_greeting(self.lines[index].text)), self.first_ours
        )

    def _is_theirs(self, index: int) -> bool:
        line = self.lines[index]
        return (
            line.depth > 0
            or line.cut
            or not line.text
            or self.own.owns(line.text)
            or is_rule(line.text)
            or is_separator(line.text)
            or has_label(line.text)
            or attribution_at(self.lines, index, follows=True) > 0
            or skip_banners(self.lines[index : index + 8]) > 0
        )

    def is_explained(self) -> bool:
        """Whether our copy of what we sent explains nearly everything below the cut."""
        texts = [line.text for line in self.lines[self.cut :] if line.text]
        if not self.own.sent_lines or not texts or len(texts) > 500:
            return False
        return sum(self.own.owns(text) for text in texts) / len(texts) >= _EXPLAINED

    def _stretches(self, start: int, end: int, keep: object) -> list[list[str]]:
        found: list[list[str]] = [[]]
        for index in range(start, end):
            if keep(index):  # type: ignore[operator]
                found[-1].append(self.lines[index].text)
            elif found[-1] and self.lines[index].text:
                found.append([])
        return [stretch for stretch in found if any(stretch)]


_LIBRARY = EmailReplyParser(
    languages=["en", "de", "fr", "es", "it", "nl", "pl", "sv", "da", "cs", "ja", "ko", "zh"]
)
_TALLEST, _WIDEST = 200, 400
_PROOF = re.compile(r"\S{1,100}@\S{1,100}|\b(?:19|20)\d{2}\b|\b\d{1,2}:\d{2}\b|^>", re.MULTILINE)


def _by_library(text: str) -> str:
    """What a library takes for the newest reply; only when what it cuts off begins like a quoted mail.

    Its patterns are not linear, hence the limits; and it believes every line that ends with "wrote:".
    """
    lines = text.split("\n")
    if not 3 <= len(lines) <= _TALLEST or max(map(len, lines)) > _WIDEST:
        return text
    newest = (_LIBRARY.parse_reply(text) or "").strip()
    head = "\n".join("\n".join(lines)[len(newest) :].strip().split("\n")[:3])
    is_shorter = 0 < len(newest) < len(text.strip()) and text.strip().startswith(newest)
    return newest if is_shorter and _PROOF.search(head) and ":" in head else text
