"""Building a mail: the same bytes every time, and nobody's words become a header."""

from __future__ import annotations

from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as default_policy
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from sentinel.channels.email.mime import CannotBeBuilt, build
from sentinel.kernel.links import Purpose
from sentinel.ui.links import read_mailbox
from sentinel.ui.mail import automatic_headers
from tests.channels.contract import NOW, claimed

LONG_LINK = "<https://sentinel.example.com/u/" + "abcdefghij" * 12 + "/one-click/>, <mailto:u@in.example.com>"


def headers_of(content: bytes) -> list[str]:
    return content.split(b"\r\n\r\n", 1)[0].decode().split("\r\n")


def parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, _class=EmailMessage, policy=default_policy)


def test_the_same_message_is_the_same_bytes() -> None:
    assert build(claimed("email")).content == build(claimed("email")).content


def test_it_says_that_nobody_typed_it_only_when_nobody_did() -> None:
    automatic = automatic_headers(stream="problem", subject_id=5)
    mail = parsed(build(claimed("email", headers=automatic)).content)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert "NDR" not in mail["X-Auto-Response-Suppress"]
    by_a_person = parsed(build(claimed("email")).content)
    assert "Auto-Submitted" not in by_a_person
    assert "X-Auto-Response-Suppress" not in by_a_person


def test_it_has_a_date_a_language_and_two_forms() -> None:
    mail = parsed(build(claimed("email")).content)
    assert mail["Date"] == "Fri, 06 Mar 2026 09:00:30 +0000"
    assert mail["Content-Language"] == "de"
    assert mail.get_content_type() == "multipart/alternative"


def test_it_is_seven_bit_with_short_lines_and_crlf() -> None:
    content = build(claimed("email", text="ü" * 5000 + "\nkurz\n")).content
    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert max(map(len, content.split(b"\r\n"))) <= 998


def test_a_long_unsubscribe_link_stays_on_one_line() -> None:
    headers = {"List-Unsubscribe": LONG_LINK, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    lines = headers_of(build(claimed("email", headers=headers)).content)
    assert f"List-Unsubscribe: {LONG_LINK}" in lines
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in lines


@given(
    words=st.text(alphabet=st.characters(codec="utf-8"), max_size=200),
    name=st.text(alphabet=st.characters(codec="utf-8"), max_size=80),
)
def test_nobody_s_words_add_a_header(words: str, name: str) -> None:
    plain = {
        line.split(":")[0] for line in headers_of(build(claimed("email")).content) if line[0] not in " \t"
    }
    content = build(claimed("email", subject=words + "\r\nBcc: x@y.example", from_name=name)).content
    names = {line.split(":")[0] for line in headers_of(content) if line[:1] not in (" ", "\t")}
    assert names == plain


@given(text=st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\r\x00"), max_size=400))
def test_every_text_survives(text: str) -> None:
    body = parsed(build(claimed("email", text=text)).content).get_body(("plain",))
    assert body is not None
    # A mail's text always ends with a line break.
    assert body.get_content().replace("\r\n", "\n").removesuffix("\n") == text.removesuffix("\n")


@pytest.mark.parametrize("name", ["Bcc", "from", "Message-ID", "X Y", "X:Y", "X\r\nY", "", "Content-Type"])
def test_the_payload_s_headers_may_add_but_not_replace(name: str) -> None:
    with pytest.raises(CannotBeBuilt):
        build(claimed("email", headers={name: "x@y.example"}))


def test_a_header_value_with_a_line_break_becomes_one_line() -> None:
    lines = headers_of(build(claimed("email", headers={"X-Note": "a\r\nBcc: x@y.example"})).content)
    assert "X-Note: a Bcc: x@y.example" in lines


def test_international_domains_are_written_in_ascii() -> None:
    assert build(claimed("email", address="olena@bücher.example")).recipient == "olena@xn--bcher-kva.example"


def test_a_name_with_commas_and_quotes_stays_one_address() -> None:
    mail = parsed(build(claimed("email", from_name='Schulz, "Maria" <m@x.example>')).content)
    (address,) = mail["From"].addresses
    assert address.addr_spec == "sentinel@provider.example"


def test_without_a_domain_for_incoming_mail_replies_and_bounces_go_to_people() -> None:
    envelope = build(claimed("email"))
    assert parsed(envelope.content)["Reply-To"] == "maria@provider.example"
    assert envelope.sender == "sentinel@provider.example"


@pytest.mark.parametrize(
    "domain", ["in.sentinel.example", "replies.customer-satisfaction-assurance.some-provider.example"]
)
def test_with_one_they_come_back_under_addresses_of_this_very_message(
    domain: str, settings: Settings
) -> None:
    settings.INBOUND_DOMAIN = domain
    envelope = build(claimed("email", number=4711))
    today = NOW.date()
    (line,) = [line for line in headers_of(envelope.content) if line.startswith("Reply-To: ")]
    assert read_mailbox(line.removeprefix("Reply-To: "), today=today) == (Purpose.REPLY_TO_MESSAGE, 4711)
    assert read_mailbox(envelope.sender, today=today) == (Purpose.BOUNCE_OF_MESSAGE, 4711)
    assert parsed(envelope.content)["From"] == "Maria Schulz <sentinel@provider.example>"
    # Whatever the day or the time zone of the repeat, it is the same mail from the same sender.
    elsewhere = replace(claimed("email", number=4711), created_at=NOW.astimezone(ZoneInfo("Asia/Tokyo")))
    repeated = build(elsewhere)
    assert (repeated.sender, line in headers_of(repeated.content)) == (envelope.sender, True)
    assert build(claimed("email", number=4711)) == envelope


def test_a_large_mail_is_noticed() -> None:
    assert build(claimed("email", html="<p>" + "x" * 21_000)).is_large
    assert not build(claimed("email")).is_large
