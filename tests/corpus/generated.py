"""Mails too large to be stored: made anew at every load, the same each time.

Each maker is a sentence about what an attacker or a broken program can do. Placeholders stand in the
headers only.
"""

from __future__ import annotations

from base64 import encodebytes
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

WORDS = "The printer is broken again. Please help."


@dataclass(frozen=True, kw_only=True)
class Made:
    """A generated mail; ``expected`` has the keys of ``expected.toml``."""

    name: str
    raw: bytes
    expected: Mapping[str, Any]


def mails() -> Iterator[Made]:
    """Every generated mail, one after the other: together they are more than 100 MB."""
    for name, (make, expected) in _MAKERS.items():
        yield Made(name=name, raw=make(), expected=expected)


def _head(*more: bytes) -> bytes:
    lines = (
        b"From: Olena Kovalenko <{{worker}}>",
        b"To: Maria Keller <{{reply}}>",
        b"Subject: Re: Do you have any problem, comment or suggestion for us?",
        b"Date: Fri, 6 Mar 2026 09:05:00 +0100",
        b"Message-ID: <generated-1@lindgren.example>",
        b"In-Reply-To: <{{message_id}}>",
        b"MIME-Version: 1.0",
    )
    return b"".join(line + b"\r\n" for line in (*lines, *more))


def _text(words: str = WORDS) -> bytes:
    return b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + words.encode() + b"\r\n"


def _mixed(parts: list[bytes]) -> bytes:
    body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"
    return _head(b'Content-Type: multipart/mixed; boundary="x"') + b"\r\n" + body


def _attachment(content: bytes, number: int) -> bytes:
    return (
        b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
        b'Content-Disposition: attachment; filename="part-%d.bin"\r\n\r\n' % number
    ) + encodebytes(content).replace(b"\n", b"\r\n")


def two_hundred_levels() -> bytes:
    """Multiparts within multiparts; the words stand on the first level, more stands on the last."""
    inside = _text("The innermost words.")
    for level in range(200):
        first = b"--b%d\r\n" % level + _text() if level == 199 else b""
        inside = (
            b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n' % level
            + first
            + b"--b%d\r\n" % level
            + inside
            + b"\r\n--b%d--\r\n" % level
        )
    return _head() + inside


def two_hundred_mails_within_mails() -> bytes:
    """message/rfc822 two hundred deep, attached to a short note."""
    inside = b"Subject: innermost\r\n\r\ninnermost words\r\n"
    for level in range(200):
        inside = b"Subject: level %d\r\nContent-Type: message/rfc822\r\n\r\n" % level + inside
    return _mixed([_text(), b"Content-Type: message/rfc822\r\n\r\n" + inside])


def five_thousand_parts() -> bytes:
    """Words first, then five thousand tiny text parts."""
    return _mixed([_text(), *(_text(f"part {number}") for number in range(5000))])


def thirty_megabytes() -> bytes:
    """A reply with one attachment; the whole is just above 30 MB."""
    return _mixed([_text(), _attachment(b"\0" * 23_500_000, 1)])


def ten_megabytes_of_text() -> bytes:
    """The words, then ten megabytes of quoted lines."""
    return _head() + _text(WORDS + "\r\n\r\n" + "> All work and no play makes a dull day.\r\n" * 240_000)


def base64_bomb() -> bytes:
    """An HTML part of a few megabytes of base64 that decodes to nothing but blanks."""
    bomb = encodebytes(b" " * 6_000_000).replace(b"\n", b"\r\n")
    head = b"Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return _mixed([_text(), head + bomb])


def a_header_line_of_one_megabyte() -> bytes:
    """One header line of a megabyte."""
    return _head(b"X-Junk: " + b"a" * 1_000_000) + _text()


def a_subject_of_one_megabyte() -> bytes:
    """Forty thousand encoded words, folded."""
    return _head().replace(b"Subject: ", b"Subject: " + b"=?utf-8?Q?=C3=A4?=\r\n " * 40_000) + _text()


def twenty_thousand_headers() -> bytes:
    """Twenty thousand short headers."""
    return _head(*(b"X-H%d: 1" % number for number in range(20_000))) + _text()


def fifty_thousand_recipients() -> bytes:
    """Everybody in Cc."""
    everybody = b",\r\n ".join(b"w%d@lindgren.example" % number for number in range(50_000))
    return _head(b"Cc: " + everybody) + _text()


def fifty_thousand_references() -> bytes:
    """References that have grown for ever; ours is the first."""
    chain = b"\r\n ".join(b"<r%d@lindgren.example>" % number for number in range(50_000))
    return _head(b"References: <{{message_id}}>\r\n " + chain) + _text()


def thirty_attachments() -> bytes:
    """Thirty small attachments: five more than are kept."""
    return _mixed([_text(), *(_attachment(b"content %d" % number, number) for number in range(30))])


def large_attachments() -> bytes:
    """Four attachments of 5.4 MB each: together more than is kept, the whole mail just under the limit."""
    return _mixed([_text(), *(_attachment(bytes([number]) * 5_400_000, number) for number in range(4))])


def twenty_thousand_nested_tags() -> bytes:
    """HTML that nests a hundred times deeper than a person could."""
    html = b"<div>" * 20_000 + WORDS.encode() + b"</div>" * 20_000
    return _head() + b"Content-Type: text/html; charset=utf-8\r\n\r\n" + html + b"\r\n"


def a_hundred_thousand_quote_marks() -> bytes:
    """A quote of a quote of a quote, on one line, many times."""
    return _head() + _text(WORDS + "\r\n\r\n" + (">" * 1000 + " old\r\n") * 300)


def attributions_that_never_end() -> bytes:
    """Lines that begin like an attribution and go on: slow for careless patterns."""
    return _head() + _text(WORDS + "\r\n\r\n" + ("On " * 20_000 + "\r\n") * 5 + "<" * 50_000)


def a_line_of_blanks() -> bytes:
    """Half a megabyte of blanks on one line, and a dot."""
    return _head() + _text(WORDS + "\r\n" + " " * 500_000 + ".\r\n")


def deep_comment_in_the_address() -> bytes:
    """Sixty thousand opening brackets in From."""
    return _head().replace(b"Olena Kovalenko", b"(" * 60_000) + _text()


def _human(about: str, **more: Any) -> dict[str, Any]:
    return {"about": about, "kind": "human", "thread": "token"} | more


_KEPT = {"words": WORDS, "answer": "problem"}
_CUT = _KEPT | {"truncated": True}
_MAKERS: dict[str, tuple[Callable[[], bytes], dict[str, Any]]] = {
    "g01-two-hundred-levels": (two_hundred_levels, _human("200 multiparts in each other", **_CUT)),
    "g02-five-thousand-parts": (five_thousand_parts, _human("5,000 parts", truncated=True)),
    "g03-thirty-megabytes": (thirty_megabytes, _human("just above 30 MB", **_CUT)),
    "g04-ten-megabytes-of-text": (ten_megabytes_of_text, _human("10 MB of text", **_CUT)),
    "g05-base64-bomb": (base64_bomb, _human("6 MB of blanks in base64", **_CUT)),
    "g06-header-line-of-one-megabyte": (a_header_line_of_one_megabyte, _human("1 MB header line", **_KEPT)),
    "g07-subject-of-one-megabyte": (a_subject_of_one_megabyte, _human("40,000 encoded words", **_KEPT)),
    "g08-twenty-thousand-headers": (twenty_thousand_headers, _human("20,000 headers", **_KEPT)),
    "g09-fifty-thousand-recipients": (fifty_thousand_recipients, _human("50,000 in Cc", **_KEPT)),
    "g10-fifty-thousand-references": (fifty_thousand_references, _human("50,000 references", **_KEPT)),
    "g11-thirty-attachments": (thirty_attachments, _human("30 attachments", **_CUT)),
    "g12-large-attachments": (large_attachments, _human("21.6 MB attached", **_CUT)),
    "g13-nested-tags": (twenty_thousand_nested_tags, _human("20,000 nested tags", **_KEPT)),
    "g14-quote-marks": (a_hundred_thousand_quote_marks, _human("300,000 quote marks", **_KEPT)),
    "g15-endless-attributions": (attributions_that_never_end, _human("endless attributions")),
    "g16-line-of-blanks": (a_line_of_blanks, _human("half a megabyte of blanks")),
    "g17-deep-comment": (deep_comment_in_the_address, _human("60,000 opening brackets", **_KEPT)),
    "g18-mails-within-mails": (two_hundred_mails_within_mails, _human("200 mails in each other", **_KEPT)),
}
