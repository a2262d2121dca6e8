"""What is kept of a mail for others to read holds none of the worker's links."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import date
from urllib.parse import quote

import pytest

from sentinel.inbound.veiling import VEIL, without_tokens
from sentinel.kernel.links import Purpose, sign

TOKEN = sign(Purpose.CONFIRM, 42, secret=b"a secret of the tests", issued_on=date(2026, 3, 6))
LINK = f"https://sentinel.example.com/c/{TOKEN}/yes/"


@pytest.mark.parametrize(
    "text",
    [
        f"> Yes, it is solved: {LINK}",
        LINK.upper(),
        f"https://eur01.safelinks.protection.outlook.com/?url={quote(LINK, safe='')}&data=05",
        f"https://eur01.safelinks.protection.outlook.com/?url={quote(quote(LINK, safe=''), safe='')}",
        "https://urldefense.proofpoint.com/v2/url?u="
        + LINK.replace(":", "-3A").replace("/", "_").replace("%", "-"),
        f"mailto:rm-{TOKEN}@in.sentinel.example",
        f"<rd-{TOKEN}@in.sentinel.example>",
    ],
)
def test_a_token_is_taken_out_wherever_it_stands(text: str) -> None:
    kept = without_tokens(text)
    assert VEIL in kept
    assert TOKEN not in kept.lower()


def test_a_link_that_a_mail_program_broke_cannot_be_put_together_again() -> None:
    broken = f"> https://sentinel.example.com/c/{TOKEN[:20]}=\n> {TOKEN[20:]}/yes/"
    kept = without_tokens(broken)
    assert TOKEN[:20] not in kept
    assert TOKEN[20:] not in kept


def test_a_link_that_a_filter_packed_is_taken_out_whole() -> None:
    packed = urlsafe_b64encode(LINK.encode()).decode().rstrip("=")
    address = f"https://filter.example/click?id=7&u={packed}"
    assert without_tokens(f"see {address} please") == f"see {VEIL} please"


@pytest.mark.parametrize(
    "text",
    [
        "The printer on floor 2 eats every page",
        "https://shop.lindgren.example/orders/20260306?item=7",
        "a" * 43,
        "a" * 60,
        "",
    ],
)
def test_other_words_stay_as_they_are(text: str) -> None:
    assert without_tokens(text) == text


def test_a_hostile_text_costs_no_more_than_its_length() -> None:
    for text in ("a" * 500_000, "/" * 500_000, "/a\n" * 160_000, "https://" * 60_000):
        assert len(without_tokens(text)) <= len(text)
