"""Rates of complaints, entries of the suppression list, and what scanners were seen doing."""

from datetime import UTC, datetime, timedelta

import pytest

from sentinel.standing.rules import (
    Complaints,
    Opening,
    Seen,
    completes_both_faces,
    domain_of,
    is_doubtful_here,
    judge_complaints,
    seen_in,
    suppressible,
    suppression_keys,
)

NOW = datetime(2026, 3, 10, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("complaints", "delivered", "verdict"),
    [
        (0, 1_000, Complaints.FEW),
        (1, 50, Complaints.FEW),  # two per cent, and one angry person
        (1, 0, Complaints.FEW),
        (2, 50, Complaints.ALARM),
        (2, 1_000, Complaints.ALARM),
        (2, 1_001, Complaints.FEW),
        (3, 1_000, Complaints.STOP),
        (3, 1_001, Complaints.ALARM),
        (3, 1_501, Complaints.FEW),
        (3, 0, Complaints.STOP),
        (30, 10_000, Complaints.STOP),
        (29, 10_000, Complaints.ALARM),
        (20, 10_000, Complaints.ALARM),
        (19, 10_000, Complaints.FEW),
    ],
)
def test_a_rate_counts_from_a_few_complaints_on(complaints: int, delivered: int, verdict: Complaints) -> None:
    assert judge_complaints(complaints=complaints, delivered=delivered) is verdict


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" Anna@Acme.Example ", "anna@acme.example"),
        ("<anna@acme.example>", "anna@acme.example"),
        ("@Acme.example", "@acme.example"),
        ("anna@büro.example", "anna@xn--bro-hoa.example"),
    ],
)
def test_an_entry_is_an_address_or_a_domain(text: str, kept: str) -> None:
    assert suppressible(text) == kept


@pytest.mark.parametrize("text", ["", "anna", "@", "anna@", "@acme", "a b@acme.example", "a@b..example"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither an address nor a domain"):
        suppressible(text)


def test_an_address_is_forbidden_by_itself_and_by_its_domain() -> None:
    assert suppression_keys("Anna@Acme.example") == ("anna@acme.example", "@acme.example")
    assert domain_of("anna@BÜRO.example.") == "xn--bro-hoa.example"
    assert domain_of("nobody") == ""


def opening(number: int, target: str, seconds: float, method: str = "GET") -> Opening:
    return Opening(
        id=number,
        check_in_id=1,
        domain="acme.example",
        at=NOW + timedelta(seconds=seconds),
        method=method,
        target=target,
        sent_at=NOW,
    )


def test_an_opening_is_counted_by_what_it_shows() -> None:
    assert seen_in(opening(1, "happy", 5)) == Seen(opened=1, opened_at_once=1)
    assert seen_in(opening(1, "frown", 61, "HEAD")) == Seen(opened=1, heads=1)
    assert seen_in(opening(1, "honeypot", -3)) == Seen(opened=1, opened_at_once=1, honeypots=1)
    assert seen_in(opening(1, "happy", 90)) + Seen(opened=2, human_answers=1) == Seen(
        opened=3, human_answers=1
    )


def test_both_faces_within_a_minute_count_once_for_a_check_in() -> None:
    assert completes_both_faces([opening(1, "happy", 0), opening(2, "happy", 9)]) is None
    assert completes_both_faces([opening(1, "happy", 0), opening(2, "frown", 61)]) is None
    assert completes_both_faces([opening(1, "happy", 0), opening(2, "honeypot", 5)]) is None
    visits = [
        opening(3, "happy", 70),
        opening(2, "frown", 60),
        opening(1, "happy", 0),
        opening(4, "frown", 80),
    ]
    assert completes_both_faces(visits) == 2


@pytest.mark.parametrize(
    ("presses", "seconds", "doubtful"),
    [(2, 60, True), (2, -5, True), (9, 1, True), (1, 1, False), (2, 61, False)],
)
def test_a_press_is_doubtful_at_once_where_buttons_are_pressed(
    presses: int, seconds: float, doubtful: bool
) -> None:
    now = NOW + timedelta(seconds=seconds)
    assert is_doubtful_here(presses_set_aside=presses, sent_at=NOW, now=now) is doubtful
    assert not is_doubtful_here(presses_set_aside=presses, sent_at=None, now=now)
