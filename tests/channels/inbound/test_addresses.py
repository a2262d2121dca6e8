"""Which addresses mail is taken for, and for whom a mail came that has no envelope any more."""

from __future__ import annotations

from datetime import date

import pytest
from pytest_django.fixtures import Settings

from sentinel.channels.email.inbound.addresses import envelope_of, is_taken
from sentinel.kernel.links import Purpose
from sentinel.ui.links import mailbox

DOMAIN = "in.sentinel.example"
TODAY = date(2026, 3, 6)


@pytest.fixture(autouse=True)
def _domain(settings: Settings) -> None:
    settings.INBOUND_DOMAIN = DOMAIN


def reply_to(number: int = 1) -> str:
    return mailbox(Purpose.REPLY_TO_MESSAGE, number, today=TODAY)


def test_a_token_of_another_purpose_or_domain_is_forged() -> None:
    good = reply_to()
    assert is_taken(good.upper())
    assert not is_taken(good.replace("rm-", "bm-"))
    assert not is_taken(good.replace(DOMAIN, "in.elsewhere.example"))
    assert not is_taken(good[:5] + ("a" if good[5] != "a" else "b") + good[6:])


def test_an_expired_address_is_taken_all_the_same() -> None:
    assert is_taken(mailbox(Purpose.REPLY_TO_MESSAGE, 1, today=date(2020, 3, 6)))


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"To": "Care <{ours}>"}, ("", "{ours}")),
        ({"To": "x@y.example", "Cc": "{OURS}"}, ("", "{OURS}")),
        ({"Delivered-To": "box@mail.example", "X-Original-To": "{ours}"}, ("", "{ours}")),
        ({"X-Gm-Original-To": "{ours}", "Delivered-To": "{other}"}, ("", "{ours}")),
        ({"Delivered-To": "rm-" + "a" * 44 + "@in.sentinel.example", "To": "{ours}"}, ("", "{ours}")),
        ({"Delivered-To": "box@mail.example", "To": "a@b.example"}, ("", "box@mail.example")),
        ({"Return-Path": "<>", "From": "mailer-daemon@x.example", "To": "{ours}"}, ("", "{ours}")),
        ({"From": '"O, L" <olena@lindgren.example>', "To": "{ours}"}, ("olena@lindgren.example", "{ours}")),
        ({}, ("", "user@mail.example")),
    ],
)
def test_the_recipient_is_the_first_address_of_ours(
    headers: dict[str, str], expected: tuple[str, str]
) -> None:
    names = {"{ours}": reply_to(1), "{OURS}": reply_to(1).upper(), "{other}": reply_to(2)}

    def filled(text: str) -> str:
        for name, value in names.items():
            text = text.replace(name, value)
        return text

    raw = "".join(f"{name}: {filled(value)}\r\n" for name, value in headers.items()) + "\r\nhello\r\n"
    assert envelope_of(raw.encode(), otherwise="user@mail.example") == (expected[0], filled(expected[1]))


@pytest.mark.parametrize(
    "raw", [b"", b"\r\n", b"\xff\xfe\x00", b"To: =?utf-8?b?////?=\r\n", b"To:" + b"<" * 9999]
)
def test_nonsense_has_no_recipient_of_its_own(raw: bytes) -> None:
    assert envelope_of(raw, otherwise="user@mail.example") == ("", "user@mail.example")
