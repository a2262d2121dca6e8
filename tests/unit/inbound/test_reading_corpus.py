"""Every mail of the corpus is read as a sensible person would read it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from sentinel.inbound.meaning import answer_to_question, comes_back, verdict_of
from sentinel.inbound.reading import Ours, Reading, read_mail
from tests.corpus import (
    BASE_URL,
    INBOUND_DOMAIN,
    NOW,
    SENDER,
    WORKER,
    CorpusMail,
    default_places,
    load,
    settled,
)

OURS = Ours(base_url=BASE_URL, inbound_domain=INBOUND_DOMAIN, senders=frozenset({SENDER}))
MAILS = {mail.name: mail for mail in load()}
DESCRIPTION = ("about", "answers", "envelope_from", "envelope_to")
PLACES = default_places()


@cache
def reading(name: str) -> Reading:
    mail = MAILS[name]
    ours = replace(OURS, sent_text=mail.sent_text)
    return read_mail(
        mail.raw, envelope_from=mail.envelope_from, envelope_to=mail.envelope_to, ours=ours, now=NOW
    )


def strongest_key(found: Reading) -> str:
    """By what the mail can be told to belong to; tokens that nobody signed are no key."""
    originals = {report.original_message_id for report in found.reports}
    if found.complaint:
        originals.add(found.complaint.original_message_id)
    keys = {
        "token": {PLACES["reply"], PLACES["reply_message"], PLACES["unsubscribe"]} & set(found.recipients),
        "verp": {PLACES["bounce"], PLACES["bounce_message"]} & set(found.recipients),
        "references": PLACES["message_id"] in originals | set(found.references),
        "link": found.link_tokens,
        "sender": found.from_address == WORKER,
    }
    return next((name for name, value in keys.items() if value), "none")


def seen(found: Reading) -> dict[str, Any]:
    """What was read, under the keys of ``expected.toml``."""
    report = found.reports[0] if found.reports else None
    return {
        "kind": found.kind.value,
        "words": settled(found.words),
        "answer": answer_to_question(found.words, found.language).value,
        "verdict": verdict_of(found.words, found.language).value,
        "comes_back": comes_back(found.words, found.language),
        "grade": report and report.grade.value,
        "status": report and report.status,
        "back_on": found.back_on,
        "attachments": len(found.attachments),
        "refused": sum(bool(part.refused) for part in found.attachments),
        "truncated": found.truncated,
        "language": found.language,
        "thread": strongest_key(found),
    }


def wanted(mail: CorpusMail) -> dict[str, Any]:
    told = {key: value for key, value in mail.expected.items() if key not in DESCRIPTION}
    if "words" in told:
        told["words"] = settled(told["words"])
    return told


@pytest.mark.parametrize("name", MAILS)
def test_it_is_read_as_a_sensible_person_would(name: str) -> None:
    want, got = wanted(MAILS[name]), seen(reading(name))
    assert set(want) <= set(got), "a key nobody checks"
    assert {key: got[key] for key in want} == want, MAILS[name].expected["about"]


@pytest.mark.parametrize("name", [name for name, mail in MAILS.items() if mail.expected["kind"] == "human"])
def test_a_person_is_never_left_without_words_while_there_is_text(name: str) -> None:
    found = reading(name)
    if not found.words:
        # Nothing was written: what there is to read is the mail being answered, or a device's own line.
        assert found.link_tokens or len(found.full_text) < 100


@pytest.mark.parametrize(
    "name", [name for name, mail in MAILS.items() if mail.expected["kind"] != "out_of_office"]
)
def test_only_absence_notes_say_when_somebody_is_back(name: str) -> None:
    assert reading(name).back_on is None
