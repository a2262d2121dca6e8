"""What a request that goes wrong means for a telephone: it rings, it does not, or nobody knows."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from sentinel.channels.voice.base import (
    Accepted,
    CallState,
    EndReason,
    FindingPort,
    Rejected,
    Unavailable,
    Unclear,
    WebhookPort,
)
from sentinel.channels.voice.http.calls import HttpVoice
from tests.channels.voice.http.desk import intent
from tests.channels.voice.http.ledger import Ledger, Office, Story, office
from tests.fakes.http_service import HttpService
from tests.fakes.twilio import Person

SLOW = 0.3


def wanted(at: Office, key: str = "key") -> None:
    """A call that the books know of."""
    at.ledger.stories[key] = Story()


def port_of(voice: HttpVoice) -> WebhookPort:
    """The adapter is a port with webhooks: checked by the type checker, too."""
    return voice


def elsewhere(at: Office, url: str) -> HttpVoice:
    """The same adapter, at another address."""
    return HttpVoice(replace(at.settings, api_url=url, answer_seconds=SLOW), books=at.ledger)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_the_owner_s_telephone_is_rung_with_everything_the_service_must_know() -> None:
    with office() as at:
        placed = port_of(at.voice).place(intent("key", ring_owner_seconds=20), at.clock.now())
        assert isinstance(placed, Accepted)
        assert isinstance(at.voice, FindingPort)
        ((_, path, fields),) = at.twilio.requests
    assert path.endswith(f"/Accounts/{at.settings.account}/Calls.json")
    assert (fields["To"], fields["From"], fields["Timeout"]) == (["+4930555010"], ["+4930999"], ["20"])
    assert fields["StatusCallbackEvent"] == ["initiated", "ringing", "answered", "completed"]
    assert "Record" not in fields
    # What is said to the owner stands in no address that a proxy would write into its log.
    assert "Olena" not in fields["Url"][0]
    assert at.settings.token not in repr(at.settings)


@pytest.mark.parametrize("number", ["", "0301234", "+0301234", "sip:a@b.example", "+4930\n1"])
def test_what_is_no_number_is_refused_before_anybody_is_asked(number: str) -> None:
    with office() as at:
        placed = at.voice.place(intent("key", owner_number=number), at.clock.now())
        assert isinstance(placed, Rejected)
        assert placed.permanent
        assert at.twilio.requests == []


@pytest.mark.parametrize(
    ("status", "code", "is_permanent", "words"),
    [
        (400, 21211, True, "not a telephone number"),
        (400, 21215, True, "may not call this country"),
        (400, 21210, True, "not verified"),
        (400, 99999, True, "Some words of theirs"),
        (403, 10004, False, "too many calls at once"),
    ],
)
def test_a_refusal_is_told_in_plain_words_with_the_service_s_number(
    status: int, code: int, is_permanent: bool, words: str
) -> None:
    with office() as at:
        at.twilio.refused["+4930555010"] = (status, code, "Some words of theirs")
        placed = at.voice.place(intent("key"), at.clock.now())
    assert isinstance(placed, Rejected)
    assert placed.permanent is is_permanent
    assert words in placed.reason
    assert str(code) in placed.reason


@pytest.mark.parametrize("fault", [429, 500, 503])
def test_a_service_that_has_no_time_may_be_asked_again(fault: int) -> None:
    with office() as at:
        at.twilio.faults.append(fault)
        placed = at.voice.place(intent("key"), at.clock.now())
        assert isinstance(placed, Rejected)
        assert not placed.permanent
        # Nothing was tried again by itself.
        assert len(at.twilio.requests) == 1


def test_a_wrong_token_is_no_passing_matter() -> None:
    with office(token="old") as at:
        placed = at.voice.place(intent("key"), at.clock.now())
    assert isinstance(placed, Rejected)
    assert placed.permanent
    assert "account and token" in placed.reason


def test_a_service_that_is_not_there_has_rung_nobody() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, never listening
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with office() as at:
            for url in (closed, "http://nobody.invalid"):
                placed = elsewhere(at, url).place(intent("key"), at.clock.now())
                assert isinstance(placed, Rejected), url
                assert not placed.permanent
                assert "cannot be reached" in placed.reason


@pytest.mark.parametrize("fault", ["lose the answer", "garbage", 504])
def test_an_answer_that_was_lost_is_unclear_and_found_again(fault: int) -> None:
    with office() as at:
        wanted(at)
        since = at.clock.now()
        at.twilio.faults.append(fault)
        placed = at.voice.place(intent("key"), since)
        assert isinstance(placed, Unclear)
        found = at.voice.find("key", since)
        # A gateway that gave up had not passed it on, this time.
        assert found == (None if fault == 504 else next(iter(at.twilio.calls)))


def test_a_request_that_was_lost_on_its_way_is_unclear_and_not_found() -> None:
    with office() as at:
        wanted(at)
        at.twilio.faults.append("accept nothing")
        assert isinstance(at.voice.place(intent("key"), at.clock.now()), Unclear)
        assert at.voice.find("key", at.clock.now()) is None
        assert at.voice.find("a key nobody knows", at.clock.now()) is None


def test_a_service_that_does_not_answer_in_time_is_unclear_and_cannot_be_asked() -> None:
    with office() as at, HttpService().will("hang", "hang", "hang", "hang") as silent:
        wanted(at)
        voice = elsewhere(at, silent.url)
        assert isinstance(voice.place(intent("key"), at.clock.now()), Unclear)
        with pytest.raises(Unavailable):
            voice.find("key", at.clock.now())
        with pytest.raises(Unavailable):
            voice.status("CA1")
        with pytest.raises(Unavailable):
            voice.hang_up("CA1")


def test_only_a_call_that_can_be_meant_is_found() -> None:
    with office() as at:
        for key in ("earlier", "other", "key"):
            wanted(at, key)
        at.voice.place(intent("earlier"), at.clock.now())
        at.clock.advance(minutes=5)
        since = at.clock.now()
        at.voice.place(intent("other"), since)
        at.voice.place(intent("elsewhere", owner_number="+4930777"), since)
        (_, other, _) = at.twilio.calls
        at.ledger.stories["other"].ref = other
        assert at.voice.find("key", since) is None
        # The earlier call is still there for whoever looks for it.
        assert at.voice.find("key", since - timedelta(minutes=6)) == next(iter(at.twilio.calls))


def test_what_the_service_said_about_a_key_is_certain() -> None:
    with office() as at:
        wanted(at)
        at.twilio.faults.append("lose the answer")
        at.voice.place(intent("key"), at.clock.now())
        ref = next(iter(at.twilio.calls))
        at.twilio.play(ref, until="the owner's telephone rings")
        asked = len(at.twilio.requests)
        assert at.voice.find("key", at.clock.now()) == ref
        assert len(at.twilio.requests) == asked


def test_a_call_that_waits_in_the_queue_is_taken_back() -> None:
    with office(queue_seconds=0.02) as at:
        wanted(at)
        placed = at.voice.place(intent("key"), at.clock.now())
        assert isinstance(placed, Accepted)
        until(lambda: bool(at.ledger.heard))
        assert at.twilio.calls[placed.ref].status == "canceled"
        # What the service says about it afterwards is old news.
        at.twilio.play(placed.ref)
    (first, *_) = at.ledger.heard
    assert (first.state, first.reason, first.leg) == (CallState.ENDED, EndReason.FAILED, None)
    assert at.ledger.stories["key"].end == ("failed", "", 0)


def test_a_call_that_rings_is_left_alone() -> None:
    with office(queue_seconds=0.05) as at:
        wanted(at)
        placed = at.voice.place(intent("key"), at.clock.now())
        assert isinstance(placed, Accepted)
        at.twilio.play(placed.ref, until="the owner's telephone rings")
        until(lambda: threading.active_count() < 50 and not any(t.is_alive() for t in at.voice._timers))
        assert at.twilio.calls[placed.ref].status == "ringing"


def test_a_test_rings_one_telephone_and_ends_by_itself() -> None:
    with office() as at:
        wanted(at, "test")
        at.twilio.people["+4930555010"] = Person(presses=())
        test = intent("test", worker_number="", whisper="This is a test.", language="xx")
        placed = at.voice.place(test, at.clock.now())
        assert isinstance(placed, Accepted)
        at.ledger.stories["test"] = Story(ref=placed.ref, is_test=True)
        at.twilio.web.is_holding = True  # and nothing else is heard of it
        at.twilio.play(placed.ref)
        status = at.voice.status(placed.ref)
        assert at.twilio.web.said == [("This is a test.", "en-GB")]
        assert len(at.twilio.calls) == 1
    assert status is not None
    assert (status.state, status.reason) == (CallState.ENDED, EndReason.COMPLETED)


def test_the_number_of_whoever_waits_stands_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with office() as at:
        wanted(at)
        at.voice.place(intent("key"), at.clock.now())
        with pytest.raises(Unavailable):
            elsewhere(at, "http://nobody.invalid").find("key", at.clock.now())
    assert "4930555010" not in caplog.text


def test_a_second_process_answers_what_the_first_has_asked_for() -> None:
    with office() as at:
        wanted(at)
        wanted_intent = intent("key")
        at.twilio.people = {wanted_intent.owner_number: Person(), wanted_intent.worker_number: Person()}
        placed = at.voice.place(wanted_intent, at.clock.now())
        assert isinstance(placed, Accepted)
        other = HttpVoice(at.settings, at.ledger.hear, books=at.ledger, now=at.clock.now)
        at.twilio.web.voice = other  # type: ignore[attr-defined]
        at.twilio.play(placed.ref)
    assert at.ledger.stories["key"].end == ("completed", "", 60)
    assert isinstance(at.ledger, Ledger)


def test_the_service_can_be_asked_whether_it_would_let_us_call() -> None:
    with office() as at:
        assert at.voice.check().answers
        at.twilio.account_type = "Trial"
        assert "verified numbers only" in at.voice.check().detail
        at.twilio.account_status = "suspended"
        assert not at.voice.check().answers
        lost = elsewhere(at, "http://nobody.invalid").check()
        assert (lost.answers, lost.milliseconds < 10_000) == (False, True)
        assert at.twilio.calls == {}
    with office(token="old") as at:
        assert "account and token" in at.voice.check().detail
