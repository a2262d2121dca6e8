"""Whom the adapter believes, and what it says to the owner."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings as django_settings

from sentinel.channels.voice.base import CallState, EndReason
from sentinel.channels.voice.http import addresses, twiml
from sentinel.channels.voice.http.addresses import Address, Step
from tests.channels.voice.http.desk import intent
from tests.channels.voice.http.ledger import BASE_URL, SECRETS, Story, office, signed
from tests.fakes.twilio import ACCOUNT
from tests.fakes.twilio_calls import Callback
from tests.world import START


def url_of(step: Step, **more: Any) -> str:
    return addresses.write(Address(key="key", step=step, **more), base_url=BASE_URL, secrets=SECRETS)


def a_report(step: Step = Step.OWNER, **fields: str) -> Callback:
    of = "CA1" if step is Step.WORKER else ""
    said = {"CallSid": "CA1", "CallStatus": "busy", "AccountSid": ACCOUNT, "SequenceNumber": "3", **fields}
    return Callback(url_of(step, of=of), said)


def test_a_signed_report_becomes_one_event_with_one_name() -> None:
    with office() as at:
        at.ledger.stories["key"] = Story()
        first, second = (at.voice.read_webhook(**signed(a_report()), now=START) for _ in range(2))
    (event,) = first
    assert [event] == list(second)
    assert (event.key, event.ref, event.state, event.reason) == (
        "key",
        "CA1",
        CallState.ENDED,
        EndReason.BUSY,
    )
    assert event.at == START


@pytest.mark.parametrize(
    "change",
    [
        {"headers": {}},
        {"headers": {"X-Twilio-Signature": ""}},
        {"headers": {"X-Twilio-Signature": "AAAAAAAAAAAAAAAAAAAAAAAAAAA="}},
        {"body": b""},
        {"body": b"CallSid=CA1&CallStatus=completed"},
        {"body": b"\xff\xfe"},
        {"body": urlencode([(f"field{number}", "x") for number in range(200)]).encode()},
        {"url": url_of(Step.WORKER, of="CA1")},
        {"url": url_of(Step.OWNER).replace("/key/", "/other/")},
    ],
)
def test_whatever_is_not_exactly_what_was_signed_is_refused(change: dict[str, Any]) -> None:
    with office() as at, pytest.raises(ValueError, match=r".+"):
        at.voice.read_webhook(**{**signed(a_report()), **change}, now=START)


@pytest.mark.parametrize(
    "report",
    [
        a_report(AccountSid="AC-of-somebody-else"),
        a_report(CallSid=""),
        a_report(Step.WORKER, CallSid="CA2", ParentCallSid="CA-another"),
        Callback(url_of(Step.OWNER).replace("/key/", "/other/"), {"CallSid": "CA1"}),
        Callback("https://elsewhere.example/voice/key/x/owner", {"CallSid": "CA1"}),
    ],
)
def test_a_signature_alone_makes_no_report_about_a_call_of_ours(report: Callback) -> None:
    with office() as at, pytest.raises(ValueError, match=r"ours"):
        at.voice.read_webhook(**signed(report), now=START)


def test_a_report_of_something_new_is_no_event() -> None:
    with office() as at:
        at.ledger.stories["key"] = Story()
        for step in (Step.OWNER, Step.WORKER):
            assert at.voice.read_webhook(**signed(a_report(step, CallStatus="teleported")), now=START) == []
        strange = a_report(Step.AFTER, CallStatus="in-progress", DialCallStatus="teleported")
        turn = at.voice.turn(at.voice.verified(**signed(strange), now=START))
    assert turn.events == []
    assert "<Hangup" in str(turn.twiml)


def test_the_time_of_a_report_counts_as_long_as_it_can_be_true() -> None:
    said = {"Fri, 06 Mar 2026 08:59:58 +0000": -2, "Fri, 06 Mar 2020 09:00:00 +0000": 0, "soon": 0}
    with office() as at:
        at.ledger.stories["key"] = Story()
        for text, seconds in said.items():
            (event,) = at.voice.read_webhook(**signed(a_report(Timestamp=text)), now=START)
            assert (event.at - START).total_seconds() == seconds


@pytest.mark.parametrize("language", [code for code, _ in django_settings.LANGUAGES])
def test_every_language_of_the_house_is_spoken(language: str) -> None:
    spoken = twiml.words(language)
    assert spoken.tag.startswith(language)
    assert "1" in spoken.press
    assert len({spoken.busy, spoken.no_answer, spoken.unreachable}) == 3


@pytest.mark.parametrize("language", ["uk", "", "xx-YY"])
def test_in_other_languages_what_we_say_ourselves_is_english(language: str) -> None:
    assert twiml.words(language) is twiml.words("en-US")


def test_a_voice_that_was_chosen_says_everything() -> None:
    plan = addresses.plan_of(intent("key"), caller="+4930999")
    said = twiml.whisper(plan, press_url="https://s.example/x?a=1&b=2", voice="Polly.Vicki")
    assert said.count('voice="Polly.Vicki"') == 2
    assert "&lt;Nerven&gt;" in said
    assert 'action="https://s.example/x?a=1&amp;b=2"' in said


def test_addresses_stay_short_whatever_is_said() -> None:
    plan = addresses.plan_of(intent("key", whisper="漏" * 5000, language="ja"), caller="+4930999")
    assert len(url_of(Step.PRESS, plan=plan, turn=2)) < 2_000
