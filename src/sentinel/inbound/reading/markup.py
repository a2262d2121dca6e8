"""HTML to lines of text, remembering what the mail program marked as quoted or as a signature.

A small reader of its own: it never fails, never recurses, skips what the reader cannot see, and its
cost is linear in the length of the text, whatever is left unclosed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html import unescape

from sentinel.inbound.reading.shapes import Line, Notes

_MOST_TAGS = 150_000
_DEEPEST = 400
_LOOK_BACK = 40
_LONGEST_TAG = 8_000
#: How far in all we look for the end of longer tags: a picture inside the HTML is one long tag.
_LONG_TAGS = 8_000_000

_TAG_NAME = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:-]{0,40})")
_ATTRIBUTE = re.compile(
    r"""([a-zA-Z_:][\w:.-]{0,60})\s{0,20}=\s{0,20}("[^"]{0,4000}"|'[^']{0,4000}'|[^\s"'>]{1,4000})"""
)
_SKIPPED = frozenset({"script", "style", "head", "title", "template", "noscript", "object", "svg", "math"})
_VOID = frozenset(
    {"br", "hr", "img", "meta", "link", "input", "wbr", "col", "area", "base", "embed", "source"}
)
_BLOCKS = frozenset(
    {
        "p",
        "div",
        "table",
        "tr",
        "ul",
        "ol",
        "li",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "pre",
        "blockquote",
        "center",
    }
    | {"section", "article", "header", "footer", "form", "fieldset", "dl", "dt", "dd", "tbody", "address"}
)
_SPACED = frozenset({"p", "h1", "h2", "h3", "h4", "ul", "ol", "table", "pre"})
_HIDDEN = re.compile(
    r"display\s{0,5}:\s{0,5}none|visibility\s{0,5}:\s{0,5}hidden|mso-hide\s{0,5}:\s{0,5}all"
    r"|(?:max-height|font-size)\s{0,5}:\s{0,5}0(?:px|pt)?\s{0,5}(?:;|$)"
)

#: Classes, ids and names with which mail programs mark the mail being answered.
_QUOTE_MARKS = (
    "yahoo_quoted", "protonmail_quote", "zmail_extra", "sh-quoted-content", "messagereplysection",
    "ms-outlook-mobile-reference-message", "mail-editor-reference-message-container", "front-blockquote",
    "moz-forward-container", "tutanota_quote", "isreplycontent", "gmail_attr", "moz-cite-prefix",
    "quoted_body", "moz-email-headers-table", "reply-intro",
)  # fmt: skip
_CUT_MARKS = ("divrplyfwdmsg", "olk_src_body_section", "zwchr", "stopspelling")
_SIGNATURE_MARKS = (
    "gmail_signature", "moz-signature", "applemailsignature", "ms-outlook-mobile-signature",
    "protonmail_signature_block", "composer_signature", "mail-signature", "lafsignature", "mobile_signature",
)  # fmt: skip
_OUTLOOK_LINE = re.compile(r"border-top\s{0,3}:\s{0,3}solid\s{1,3}#(?:e1e1e1|b5c4df)")


@dataclass(slots=True)
class _Open:
    """An element that is open: what it adds until it closes."""

    name: str
    quoted: bool = False
    signature: bool = False
    skipped: bool = False


@dataclass(slots=True)
class _Page:
    """The lines written so far and the state of the line being written."""

    lines: list[Line] = field(default_factory=list)
    run: list[str] = field(default_factory=list)
    stack: list[_Open] = field(default_factory=list)
    quoted: int = 0
    signature: int = 0
    skipped: int = 0
    pre: int = 0
    cut: bool = False
    lowered: str = ""
    long_tags: int = _LONG_TAGS

    def write(self, text: str) -> None:
        if self.skipped or not text:
            return
        text = unescape(text) if "&" in text else text
        if not self.pre:
            self.run.append(text)
            return
        first, *rest = text.split("\n")
        self.run.append(first)
        for line in rest:
            self.end_line()
            self.run.append(line)

    def find(self, source: str, mark: str, start: int) -> int:
        """Like ``find``, but all of them together look no further than a budget allows."""
        stop = start + self.long_tags
        found = source.find(mark, start, stop)
        self.long_tags -= (found if found >= 0 else min(stop, len(source))) - start
        return found

    def end_line(self, blank: bool = False) -> None:
        """Finish the current line; ``blank``: leave an empty one after it."""
        # A no-break space alone is how mail programs write an empty line.
        text = " ".join("".join(self.run).split())
        self.run.clear()
        if text:
            self.lines.append(Line(text, self.quoted, self.cut, self.signature > 0))
            self.cut = False
        if blank and self.lines and self.lines[-1].text:
            self.lines.append(Line("", self.quoted))

    def break_line(self) -> None:
        """``<br>``: an empty line stays one."""
        if "".join(self.run).strip():
            self.end_line()
        else:
            self.end_line(blank=True)

    def open(self, element: _Open) -> None:
        if len(self.stack) >= _DEEPEST:
            return
        self.stack.append(element)
        self.quoted += element.quoted
        self.signature += element.signature
        self.skipped += element.skipped
        self.pre += element.name == "pre"

    def close(self, name: str) -> None:
        """Close the nearest open element of that name, and what was left open inside it."""
        for back in range(1, min(len(self.stack), _LOOK_BACK) + 1):
            if self.stack[-back].name == name:
                for _ in range(back):
                    element = self.stack.pop()
                    self.quoted -= element.quoted
                    self.signature -= element.signature
                    self.skipped -= element.skipped
                    self.pre -= element.name == "pre"
                return


def lines_of_markup(source: str, notes: Notes) -> list[Line]:
    """The text people see, line by line."""
    page = _Page()
    position, tags, size = 0, 0, len(source)
    while position < size:
        start = source.find("<", position)
        if start < 0:
            page.write(source[position:])
            break
        page.write(source[position:start])
        tags += 1
        if tags > _MOST_TAGS:
            notes.cut_short("more HTML than is read of a mail")
            break
        position = _take(source, start, page)
    page.end_line()
    return page.lines


def _take(source: str, start: int, page: _Page) -> int:
    """Read what begins with ``<``; where to go on."""
    if source.startswith("<!--", start):
        end = page.find(source, "-->", start + 4)
        # Without an end, browsers hide the rest; so that nothing is lost the rest is read instead.
        return end + 3 if end >= 0 else start + 4
    match = _TAG_NAME.match(source, start)
    if match is None:
        end = source.find(">", start, start + 500) if source[start + 1 : start + 2] in ("!", "?") else -1
        if end < 0:
            page.write("<")
            return start + 1
        return end + 1
    end = _tag_end(source, match.end(), page)
    if end < 0:
        page.write("<")
        return start + 1
    name = match[2].lower()
    if match[1]:
        _close_tag(page, name)
    else:
        _open_tag(page, name, source[match.end() : end])
        if name in ("script", "style") and not source.startswith("/", end - 1):
            page.lowered = page.lowered or source.lower()
            closing = page.find(page.lowered, f"</{name}", end)
            return closing if closing >= 0 else end + 1
    return end + 1


def _tag_end(source: str, start: int, page: _Page) -> int:
    """Where the tag ends, -1 for nowhere near; a ``>`` inside quotes does not end it."""
    first = end = source.find(">", start, start + _LONGEST_TAG)
    for _ in range(4):
        if end < 0:
            break
        if source.count('"', start, end) % 2 == 0:
            return end
        end = source.find(">", end + 1, start + _LONGEST_TAG)
    return first if first >= 0 else page.find(source, ">", start)


def _close_tag(page: _Page, name: str) -> None:
    if name in _BLOCKS:
        page.end_line(blank=name in _SPACED)
    page.close(name)


def _open_tag(page: _Page, name: str, inside: str) -> None:
    if name == "br":
        page.break_line()
        return
    if name == "img":
        page.write(_picture(inside))
        return
    if name in ("td", "th"):
        page.run.append(" ")
    elif name == "hr" or name in _BLOCKS:
        page.end_line(blank=name in _SPACED and "mso" not in inside.lower())
    if name == "li":
        page.run.append("- ")
    marks = _attributes(inside)
    if name in _VOID:
        page.cut = page.cut or (not page.quoted and _has(marks, _CUT_MARKS))
        return
    if name in ("p", "li", "td", "tr") and page.stack and page.stack[-1].name == name:
        page.close(name)
    page.cut = page.cut or (not page.quoted and _begins_original(marks))
    page.open(
        _Open(
            name,
            quoted=_is_quote(name, marks),
            signature=_has(marks, _SIGNATURE_MARKS) or marks["id"] == "signature",
            skipped=name in _SKIPPED or (_HIDDEN.search(marks["style"]) is not None),
        )
    )


def _attributes(inside: str) -> dict[str, str]:
    found = {"id": "", "class": "", "name": "", "style": "", "type": "", "data-marker": ""}
    if "=" not in inside:
        return found
    for match in _ATTRIBUTE.finditer(inside[:_LONGEST_TAG]):
        key = match[1].lower()
        if key in found:
            found[key] = unescape(match[2].strip("\"'")).lower()
    return found


def _has(marks: dict[str, str], known: tuple[str, ...]) -> bool:
    named = f"{marks['id']} {marks['class']} {marks['name']}"
    return any(mark in named for mark in known) if len(named) > 2 else False


def _begins_original(marks: dict[str, str]) -> bool:
    return (
        _has(marks, _CUT_MARKS)
        or marks["data-marker"] == "__divider__"
        or _OUTLOOK_LINE.search(marks["style"]) is not None
    )


def _is_quote(name: str, marks: dict[str, str]) -> bool:
    if name == "blockquote":
        # Gmail indents the writer's own text with a bare blockquote that has neither border nor name.
        is_indent = "border:none" in marks["style"].replace(" ", "")
        return not is_indent or marks["type"] == "cite" or "quote" in marks["class"]
    return _has(marks, _QUOTE_MARKS) or (name == "div" and marks["name"] == "quote")


def _picture(inside: str) -> str:
    """The sign an emoji picture stands for; other pictures have no words."""
    match = re.search(r"""\balt\s{0,5}=\s{0,5}["']?([^"'>\s]{1,8})["'>\s]""", inside[:4000] + " ")
    text = unescape(match[1]) if match else ""
    return text if text and not any(letter.isalnum() for letter in text) else ""


def flat_text(lines: list[Line]) -> str:
    """The lines as plain text, quoted ones marked as in plain mail."""
    out = [f"{'>' * min(line.depth, 5)} {line.text}".strip() if line.depth else line.text for line in lines]
    return "\n".join(out).strip("\n")
