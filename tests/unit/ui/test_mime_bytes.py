"""A mail's bytes are those of the standard library, which takes twenty times as long to write them."""

from __future__ import annotations

from datetime import UTC, datetime
from email import quoprimime
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sentinel.ui.mime import _POLICY, BadAddress, CannotBeBuilt, address_of, build, date_of, one_line
from sentinel.ui.quoted_printable import LONGEST_LINE, quoted

AT = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
IDENTITY = "0123abc.sentinel"
#: What breaks lines, headers and encodings, among ordinary words.
WORDS = st.lists(
    st.sampled_from(
        ["word", " ", "  ", ".", "\n", "\r\n", "\r", "\t", "=", "=?utf-8?q?a?=", '"', ",", "<a@b.c>", "\x0c",
         "\x01", "ü", "日本", "😀", "\u2028", "\x85", "\xa0", "From ", "x" * 74, "y" * 75, "ß" * 30]
    ),
    max_size=40,
).map("".join)  # fmt: skip


def by_the_standard_library(payload: dict[str, Any], to: str) -> bytes:
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender = address_of(one_line(payload["from_name"]), payload["from_address"])
    mail["To"] = address_of("", to)
    mail["Subject"] = one_line(payload["subject"])
    mail["Date"] = date_of(AT)
    mail["Message-ID"] = f"<{IDENTITY}@{sender.domain}>"
    if payload["reply_to"]:
        mail["Reply-To"] = address_of("", payload["reply_to"])
    mail["X-Sentinel-Kind"] = "problem.receipt"
    for name, value in payload["headers"].items():
        mail[name] = one_line(value)
    mail.policy = _POLICY.clone(max_line_length=LONGEST_LINE)
    mail.set_content(payload["text"], charset="utf-8", cte="quoted-printable")
    if payload["html"]:
        mail.add_alternative(payload["html"], subtype="html", charset="utf-8", cte="quoted-printable")
        mail.set_boundary(f"=_{IDENTITY}")
    mail.policy = _POLICY
    if payload["language"]:
        mail["Content-Language"] = payload["language"]
    return mail.as_bytes()


@given(
    payload=st.fixed_dictionaries(
        {
            "subject": WORDS,
            "text": WORDS,
            "html": st.sampled_from(["", "<p>x</p>"]) | WORDS,
            "language": st.sampled_from(["", "de", "pt-BR"]),
            "from_name": WORDS,
            "from_address": st.sampled_from(["a@b.example", "a+b@b-c.example", "x@bücher.example"]),
            "reply_to": st.sampled_from(["", "r-abc@in.example"]),
            "headers": st.dictionaries(st.sampled_from(["List-Id", "References", "X-A"]), WORDS),
        }
    ),
    to=st.sampled_from(["o@example.com", "o'b@x.example", '"a b"@x.example', "a@[1.2.3.4]"]),
)
def test_a_mail_is_what_the_standard_library_would_write(payload: dict[str, Any], to: str) -> None:
    built = build(payload, to=to, identity=IDENTITY, at=AT, kind="problem.receipt")
    assert built.content == by_the_standard_library(payload, to)


@given(WORDS)
@example("x" * 76 + " ")
@example("x" * 75 + "\t\n")
@example("x" * 150 + " ")
def test_a_text_is_quoted_as_the_standard_library_does(text: str) -> None:
    lines = text.encode().splitlines()
    expected = quoprimime.body_encode((b"\n".join(lines) + b"\n").decode("latin-1"), LONGEST_LINE, "\r\n")
    assert quoted(text) == expected.encode()


@pytest.mark.parametrize("address", ["a b@c.example", ".a@b.example", "a..b@b.example", "a@b.", "a@", "@b"])
def test_the_short_cut_for_plain_addresses_lets_no_other_one_through(address: str) -> None:
    with pytest.raises(CannotBeBuilt):
        address_of("", address)


@pytest.mark.parametrize("identity", ["", 'a"b', "a b", "a\r\nBcc: x", "a>b"])
def test_an_identity_cannot_break_out_of_its_header(identity: str) -> None:
    payload = {"subject": "s", "text": "t", "from_name": "", "from_address": "a@b.example"}
    with pytest.raises(CannotBeBuilt) as failure:
        build(payload, to="o@example.com", identity=identity, at=AT, kind="k")
    assert not isinstance(failure.value, BadAddress)
