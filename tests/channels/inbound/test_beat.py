"""The ear finds out by itself whether it hears, over a real socket."""

from __future__ import annotations

import socket
import threading
from datetime import timedelta
from typing import Any

import pytest

from sentinel.assurance.ears import ears
from sentinel.channels.email.inbound.beat import EarBeats, greeted, looked_into, tries
from sentinel.channels.email.inbound.listener import listening
from sentinel.inbound.models import PolledMailbox
from sentinel.kernel import clock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _domain(settings: Any) -> None:
    settings.INBOUND_DOMAIN = "in.sentinel.example"


def test_a_listener_that_greets_works_and_one_that_is_gone_does_not() -> None:
    with listening(protocol="lmtp", host="127.0.0.1") as port:
        assert greeted("127.0.0.1", port) == greeted("0.0.0.0", port) == ""
        beats = EarBeats(tries(listener=("127.0.0.1", port), mailbox=""))
        beats.beat()
        (ear,) = ears()
        worked = ear.worked_at
        assert (worked is not None, ear.last_error) == (True, "")
    beats.beat()
    (ear,) = ears()
    assert (ear.worked_at, ear.last_error[:18]) == (worked, "it does not answer")


def test_a_port_that_accepts_and_says_nothing_is_no_ear(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentinel.channels.email.inbound.beat.SECONDS_TO_GREET", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        assert greeted("127.0.0.1", deaf.getsockname()[1]).startswith("it does not answer")


def test_a_mailbox_works_while_it_is_looked_into_without_an_error() -> None:
    assert looked_into("user@host/INBOX") == "it was not looked into yet"
    box = PolledMailbox.objects.create(name="user@host/INBOX", looked_at=clock.now())
    assert looked_into(box.name) == ""
    PolledMailbox.objects.update(last_error="OSError: refused")
    assert looked_into(box.name) == "OSError: refused"
    PolledMailbox.objects.update(last_error="", looked_at=clock.now() - timedelta(minutes=3))
    assert looked_into(box.name) == "nobody looks into it"


def test_an_ear_that_ends_on_purpose_leaves_nothing_to_miss() -> None:
    tried = threading.Event()

    def attempt() -> str:
        tried.set()
        return ""

    with EarBeats({"listener": attempt}):
        assert tried.wait(10)
    assert ears() == []
