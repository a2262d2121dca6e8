"""The corpus itself: complete, well-formed, and about nobody real."""

import re
from base64 import b64decode
from collections.abc import Mapping
from datetime import date
from quopri import decodestring
from typing import Any

import pytest

from tests.corpus import MAILS, CorpusMail, default_places, expectations, filled, large, load, settled

STORED = load(with_generated=False)
KINDS = {"human", "auto_reply", "out_of_office", "delivery_report", "complaint", "loop", "unreadable"}
ANSWERS = {"happy", "frown", "praise", "problem", "words", "thanks", "yes", "no", "unsubscribe", "nothing"}
ALLOWED: dict[str, type | set[str]] = {
    "about": str,
    "kind": KINDS,
    "words": str,
    "answer": ANSWERS,
    "verdict": ANSWERS,
    "comes_back": bool,
    "grade": {"hard", "soft", "block", "delay", "ignore"},
    "status": str,
    "back_on": date,
    "attachments": int,
    "refused": int,
    "truncated": bool,
    "thread": {"token", "verp", "references", "link", "sender", "none"},
    "envelope_from": str,
    "envelope_to": str,
    "language": {"en", "de", "fr", "es", "ja"},
    "answers": str,
}
ADDRESS = re.compile(rb"[\w.+=-]+@(?:[\w-]+\.)+[a-z]{2,}\b", re.IGNORECASE)
OURS_TO_INVENT = re.compile(r"\.(example|invalid|test)$|@example\.(com|net|org)$")
#: Machines of real providers, not people: senders of reports, and hosts that make identifiers.
MACHINES = re.compile(
    r"^(mailer-daemon@(googlemail|yahoo)\.com|mailer-daemon@eu-west-1\.amazonses\.com"
    r"|staff@hotmail\.com|bay004[\w-]+@hotmail\.com|(feedback|\d+\.yarf)@arf\.mail\.yahoo\.com"
    r"|[\w.+=-]+@(mail\.gmail\.com|mx\.google\.com|eu-west-1\.amazonses\.com|\w+\.eurprd05\.prod\.outlook\.com))$",
    re.IGNORECASE,
)
_BASE64_LINES = re.compile(rb"(?:^[A-Za-z0-9+/]{8,}={0,2}\r?\n?)+", re.MULTILINE)


def _readable(raw: bytes) -> bytes:
    """The bytes without quoted-printable, and what base64 hides."""
    blocks = (found[0].replace(b"\r", b"").replace(b"\n", b"") for found in _BASE64_LINES.finditer(raw))
    return b"\n".join([decodestring(raw), *(b64decode(block[: len(block) // 4 * 4]) for block in blocks)])


def _flaws(expected: Mapping[str, Any]) -> list[str]:
    flaws = [f"unknown key {key}" for key in expected.keys() - ALLOWED.keys()]
    flaws += [f"no {key}" for key in ("about", "kind", "thread") if not expected.get(key)]
    for key, value in expected.items():
        allowed = ALLOWED.get(key, str)
        fits = value in allowed if isinstance(allowed, set) else type(value) is allowed
        flaws += [] if fits else [f"{key} = {value!r}"]
    return flaws


def test_there_are_at_least_150_mails() -> None:
    assert len(STORED) >= 150


def test_every_file_has_an_entry_and_every_entry_a_file() -> None:
    assert {path.name for path in MAILS.iterdir()} == set(expectations())


@pytest.mark.parametrize("mail", STORED, ids=lambda mail: mail.name)
def test_an_entry_has_known_keys_and_values_only(mail: CorpusMail) -> None:
    assert _flaws(mail.expected) == []


@pytest.mark.parametrize("mail", STORED, ids=lambda mail: mail.name)
def test_a_mail_names_nobody_real(mail: CorpusMail) -> None:
    found = {address.decode("ascii", "replace") for address in ADDRESS.findall(_readable(mail.raw))}
    assert {a for a in found if not OURS_TO_INVENT.search(a.lower()) and not MACHINES.match(a)} == set()


@pytest.mark.parametrize("mail", STORED, ids=lambda mail: mail.name)
def test_lines_end_as_on_the_wire_unless_that_is_the_point(mail: CorpusMail) -> None:
    if "CRLF" not in mail.expected["about"]:
        assert not re.search(rb"(?<!\r)\n|\r(?!\n)", mail.raw)


def test_no_placeholder_is_left() -> None:
    assert [mail.name for mail in STORED if b"{{" in _readable(mail.raw)] == []
    assert [mail.name for mail in STORED if "{{" in mail.envelope_from + mail.envelope_to] == []


def test_placeholders_are_filled_inside_base64_too() -> None:
    raw = b"Content-Transfer-Encoding: base64\r\n\r\nPHt7d29ya2VyfX0+\r\n"
    assert b64decode(filled(raw, default_places()).split(b"\r\n")[2]) == b"<olena@lindgren.example>"


def test_a_test_can_put_real_tokens_into_the_mails() -> None:
    mails = load({"reply": "rd-real@in.sentinel.example"}, with_generated=False)
    assert mails[0].envelope_to == "rd-real@in.sentinel.example"
    assert b"<rd-real@in.sentinel.example>" in mails[0].raw


def test_the_folder_stays_small() -> None:
    assert sum(path.stat().st_size for path in MAILS.iterdir()) < 2_000_000


def test_generated_mails_are_as_well_described_as_stored_ones() -> None:
    names = []
    for mail in large():
        names.append(mail.name)
        assert _flaws(mail.expected) == [], mail.name
        assert b"{{" not in mail.raw, mail.name
    assert len(names) == len(set(names)) >= 15


def test_blank_lines_and_outer_blanks_carry_no_meaning() -> None:
    assert settled("\r\n  one \n\n\n two\u200b\n") == "one\ntwo"
