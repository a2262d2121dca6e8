from __future__ import annotations

import pytest

from sentinel.accounts.telephones import read_telephone


@pytest.mark.parametrize(
    ("text", "country", "number"),
    [
        ("+49 (0)30 123456", "", "+4930123456"),
        ("030/123456", "DE", "+4930123456"),
        ("0049 30 123456", "DE", "+4930123456"),
        ("0049 30 123456", "US", "+4930123456"),
        ("00380441234567", "", "+380441234567"),
        ("03-1234-5678", "JP", "+81312345678"),
        ("０３−１２３４−５６７８", "JP", "+81312345678"),
        ("", "DE", ""),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, country: str, number: str) -> None:
    assert read_telephone(text, country).number == number
    assert not read_telephone(text, country).trouble


@pytest.mark.parametrize(
    ("text", "country"), [("12", "DE"), ("call me", "DE"), ("030 123456", ""), ("1" * 90, "DE")]
)
def test_what_cannot_be_dialled_is_said_so(text: str, country: str) -> None:
    read = read_telephone(text, country)
    assert read.number == ""
    assert read.trouble


def test_an_extension_is_not_lost_silently() -> None:
    read = read_telephone("+49 30 123456 ext. 12", "")
    assert read.number == "+4930123456"
    assert "extension 12" in read.trouble
