import base64
import hmac
import string
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.kernel import links
from sentinel.kernel.errors import Refused
from sentinel.kernel.links import LinkError, LinkExpired, LinkForged, Purpose, read, sign

SECRET = b"a secret that is long enough"
OLDER = b"the secret of the year before"
DAY = date(2026, 3, 2)
ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
IDS = st.integers(0, 2**64 - 1)


def answer(subject_id: int = 4711) -> str:
    return sign(Purpose.ANSWER, subject_id, secret=SECRET, issued_on=DAY)


def test_a_token_never_changes_between_releases() -> None:
    """Mail that is already out there must keep working."""
    assert answer() == "aeemyaaaaaaaaaasm7e4ugwxpqk5gvblw3373w46yvia"


def test_the_purposes_keep_their_letters() -> None:
    assert {p.name: p.value for p in Purpose} == {
        "ANSWER": "a",
        "PROBLEM": "p",
        "CONFIRM": "c",
        "PREFERENCES": "s",
        "UNSUBSCRIBE": "u",
        "OBJECT": "o",
        "REPLY_TO_DELIVERY": "rd",
        "REPLY_TO_MESSAGE": "rm",
        "BOUNCE_OF_DELIVERY": "bd",
        "BOUNCE_OF_MESSAGE": "bm",
    }


@given(IDS, st.sampled_from(Purpose), st.dates(date(2020, 1, 1), date(2199, 1, 1)))
def test_what_was_signed_is_read_back(subject_id: int, purpose: Purpose, day: date) -> None:
    token = sign(purpose, subject_id, secret=SECRET, issued_on=day)
    assert len(token) == 44
    assert set(token) <= set(ALPHABET)
    assert read(token, purpose, secrets=[SECRET], today=day) == subject_id


def test_a_token_survives_being_put_in_upper_case() -> None:
    assert read(answer().upper(), Purpose.ANSWER, secrets=[SECRET], today=DAY) == 4711


@pytest.mark.parametrize("signed", Purpose)
@pytest.mark.parametrize("asked", Purpose)
def test_a_token_opens_only_its_own_purpose(signed: Purpose, asked: Purpose) -> None:
    token = sign(signed, 1, secret=SECRET, issued_on=DAY)
    if signed is asked:
        assert read(token, asked, secrets=[SECRET], today=DAY) == 1
    else:
        with pytest.raises(LinkForged):
            read(token, asked, secrets=[SECRET], today=DAY)


def test_every_changed_character_is_noticed() -> None:
    token = answer()
    for place in range(len(token)):
        for other in set(ALPHABET) - {token[place]}:
            with pytest.raises(LinkForged):
                read(token[:place] + other + token[place + 1 :], Purpose.ANSWER, secrets=[SECRET], today=DAY)


def test_nobody_can_move_a_signature_to_another_subject_or_day() -> None:
    raw = base64.b32decode(answer().upper() + "====")
    for place in range(11):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        token = base64.b32encode(changed).decode().rstrip("=").lower()
        with pytest.raises(LinkForged):
            read(token, Purpose.ANSWER, secrets=[SECRET], today=DAY)


@given(st.one_of(st.text(max_size=60), st.text(string.printable, min_size=44, max_size=44)))
def test_anything_else_is_forged_and_nothing_worse(token: str) -> None:
    with pytest.raises(LinkForged):
        read(token, Purpose.ANSWER, secrets=[SECRET], today=DAY)


@pytest.mark.parametrize("token", ["", "a" * 44, "A" * 44, "=" * 44, "é" * 44, "1" * 44, "a" * 40 + "===="])
def test_malformed_tokens_cost_the_same_comparisons(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[bytes] = []

    def counting(one: bytes, other: bytes) -> bool:
        compared.append(other)
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", counting)
    with pytest.raises(LinkForged):
        read(token, Purpose.ANSWER, secrets=[SECRET, OLDER], today=DAY)
    assert len(compared) == 2
    assert read(answer(), Purpose.ANSWER, secrets=[SECRET, OLDER], today=DAY) == 4711
    assert len(compared) == 4


def test_rotation_keeps_older_links_alive_until_the_secret_is_retired() -> None:
    token = sign(Purpose.ANSWER, 9, secret=OLDER, issued_on=DAY)
    assert read(token, Purpose.ANSWER, secrets=[SECRET, OLDER], today=DAY) == 9
    with pytest.raises(LinkForged):
        read(token, Purpose.ANSWER, secrets=[SECRET], today=DAY)


def test_it_is_valid_through_the_last_day_and_not_beyond() -> None:
    last = DAY + timedelta(days=45)
    assert read(answer(), Purpose.ANSWER, secrets=[SECRET], today=last) == 4711
    with pytest.raises(LinkExpired) as refusal:
        read(answer(), Purpose.ANSWER, secrets=[SECRET], today=last + timedelta(days=1))
    assert refusal.value.details == {"subject_id": 4711, "issued_on": "2026-03-02"}
    assert (
        read(answer(), Purpose.ANSWER, secrets=[SECRET], today=DAY + timedelta(400), valid_days=400) == 4711
    )
    with pytest.raises(LinkExpired):
        read(answer(), Purpose.ANSWER, secrets=[SECRET], today=DAY + timedelta(1), valid_days=0)


def test_a_clock_set_back_locks_nobody_out() -> None:
    assert read(answer(), Purpose.ANSWER, secrets=[SECRET], today=DAY - timedelta(days=30)) == 4711


def test_a_forged_link_is_never_called_expired() -> None:
    with pytest.raises(LinkForged):
        read("a" * 44, Purpose.ANSWER, secrets=[SECRET], today=date(2199, 1, 1))


def test_another_version_is_refused_even_with_a_good_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(links, "_VERSION", 2)
    token = answer()
    monkeypatch.undo()
    with pytest.raises(LinkForged):
        read(token, Purpose.ANSWER, secrets=[SECRET], today=DAY)


def test_weak_or_missing_secrets_are_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="at least 16 bytes"):
        sign(Purpose.ANSWER, 1, secret=b"short", issued_on=DAY)
    with pytest.raises(ValueError, match="at least one secret"):
        read(answer(), Purpose.ANSWER, secrets=[], today=DAY)


def test_link_errors_are_refusals_in_plain_words() -> None:
    assert issubclass(LinkForged, LinkError)
    assert issubclass(LinkExpired, LinkError)
    assert issubclass(LinkError, Refused)
