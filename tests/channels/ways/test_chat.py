"""The chat sender, with the real Apprise, against real HTTP servers on loopback."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest

from sentinel.channels.base import Sender
from sentinel.channels.chat import sender as module
from sentinel.channels.chat.sender import ChatSender
from sentinel.channels.opening import CANNOT_OPEN
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed
from sentinel.people.sealing import open_target, seal_target
from tests.channels.contract import NOW, SenderContract, claimed
from tests.fakes.http_service import HttpService
from tests.fakes.sender import FakeSender

ALLOWED = ("json://127.0.0.1", "ntfy://127.0.0.1", "twilio")
SECRET = "hush-hush-hush"
TWILIO = f"twilio://AC{'a' * 32}:{'b' * 32}@+15005550006/+15005550001"


def opener(sealed: str) -> str:
    return open_target(sealed, channel="chat")


def a_sender(*allowed: str) -> ChatSender:
    return ChatSender(opener=opener, allowed=allowed or ALLOWED)


def to(target: str, *, number: int = 1, **payload: Any) -> Claimed:
    message = claimed("chat", number=number, address="json://…", **payload)
    return replace(message, payload={**message.payload, "target": seal_target(target, channel="chat")})


class ToOneTarget:
    """A chat sender to which the contract's messages bring no target of their own."""

    channel = "chat"
    capabilities = ChatSender.capabilities

    def __init__(self, service: HttpService) -> None:
        self.inner = a_sender()
        self.target = f"json://user:{SECRET}@{service.host}/hook"

    def send(self, message: Claimed, now: Any) -> Any:
        sealed = seal_target(self.target, channel="chat")
        return self.inner.send(replace(message, payload={**message.payload, "target": sealed}), now)

    def close(self) -> None:
        self.inner.close()


class TestChat(SenderContract):
    """The contract, over the wire."""

    @contextmanager
    def working(self) -> Iterator[Sender]:
        with HttpService() as service:
            yield ToOneTarget(service)

    @contextmanager
    def failing(self, how: Result) -> Iterator[Sender | None]:
        with HttpService() as service:
            service.will(503 if how is Result.TRANSIENT else 403)
            yield ToOneTarget(service)


class TestFakeChat(SenderContract):
    """What stories send with."""

    @contextmanager
    def working(self) -> Iterator[Sender]:
        yield FakeSender(channel="chat")

    @contextmanager
    def failing(self, how: Result) -> Iterator[Sender | None]:
        yield None


def test_a_message_says_what_and_where_to_look() -> None:
    with HttpService() as service:
        sent = a_sender().send(to(f"json://{service.host}/hook"), NOW)
        (request,) = service.kept
    assert sent.result is Result.ACCEPTED
    body = json.loads(request.body)
    assert body["title"] == "Wir haben es"
    assert "日本語" in body["message"]
    assert "https://s.example/problems/1/" in body["message"]


def test_ntfy_gets_its_topic() -> None:
    with HttpService() as service:
        sent = a_sender().send(to(f"ntfy://{service.host}/alarms"), NOW)
        (request,) = service.kept
    assert sent.result is Result.ACCEPTED, sent.detail
    assert json.loads(request.body)["topic"] == "alarms"


def test_a_code_is_put_in_only_when_it_is_sent() -> None:
    with HttpService() as service:
        code = seal_target("402913", channel="chat")
        message = to(f"json://{service.host}/hook", text="{code} is your code", code=code)
        assert "402913" not in json.dumps(message.payload)
        a_sender().send(message, NOW)
        assert "402913 is your code" in json.loads(service.kept[0].body)["message"]


def test_an_sms_goes_to_a_gateway_like_twilio(monkeypatch: pytest.MonkeyPatch) -> None:
    from apprise.plugins.twilio import NotifyTwilio  # why: Apprise is loaded where it is needed

    with HttpService() as service:
        address = service.url + "/2010-04-01/Accounts/{sid}/Messages.json"
        monkeypatch.setattr(NotifyTwilio, "notify_sms_url", address)
        monkeypatch.setattr(NotifyTwilio, "request_rate_per_sec", 0)
        service.will(201, 429, 401)
        results = [a_sender().send(to(TWILIO, number=n), NOW) for n in (1, 2, 3)]
        form = parse_qs(service.kept[0].body.decode())
    assert [sent.result for sent in results] == [Result.ACCEPTED, Result.TRANSIENT, Result.PERMANENT]
    assert (form["To"], form["From"]) == (["+15005550001"], ["+15005550006"])


@pytest.mark.parametrize(
    ("status", "result", "refused"),
    [
        (500, Result.TRANSIENT, False),
        (429, Result.TRANSIENT, False),
        (408, Result.TRANSIENT, False),
        (401, Result.PERMANENT, False),
        (404, Result.PERMANENT, True),
        (410, Result.PERMANENT, True),
    ],
)
def test_each_status_is_judged(status: int, result: Result, refused: bool) -> None:
    with HttpService() as service:
        service.will(status)
        sent = a_sender().send(to(f"json://{service.host}/{SECRET}"), NOW)
    assert (sent.result, sent.address_refused) == (result, refused)
    assert str(status) in sent.detail
    assert SECRET not in repr(sent)


def test_a_redirection_is_not_followed() -> None:
    with HttpService() as service, HttpService() as elsewhere:
        service.will(f"{elsewhere.url}/stolen")
        assert a_sender().send(to(f"json://{service.host}/x"), NOW).result is Result.PERMANENT
        assert elsewhere.kept == []


def test_nobody_listening_and_silence_are_transient(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = module.STEP_SECONDS
    monkeypatch.setattr(module, "STEP_SECONDS", 0.3)
    with HttpService() as service:
        service.will("hang")
        started = time.monotonic()
        assert a_sender().send(to(f"json://{service.host}/x"), NOW).result is Result.TRANSIENT
        assert time.monotonic() - started < usual
        gone = service.host
    assert a_sender().send(to(f"json://{gone}/x"), NOW).result is Result.TRANSIENT


@pytest.mark.parametrize(
    "target",
    [
        "json://10.0.0.1/x",
        "xml://127.0.0.1/x",
        "json://127.0.0.1/x?verify=no",
        "json://127.0.0.1\\@10.0.0.1/x",
        "json://a@127.0.0.1@10.0.0.1/x",
        "ntfy://10.0.0.1/topic",
        "nonsense",
        "file:///etc/passwd",
    ],
)
def test_what_is_not_allowed_is_not_sent(target: str) -> None:
    sent = a_sender().send(to(target), NOW)
    assert sent.result is Result.PERMANENT
    assert sent.detail


def test_several_recipients_in_one_address_are_refused() -> None:
    sent = a_sender().send(to(TWILIO + "/+15005550002"), NOW)
    assert (sent.result, "several" in sent.detail) == (Result.PERMANENT, True)


def test_a_lost_secret_is_said_in_plain_words() -> None:
    message = claimed("chat", target="bm90IHNlYWxlZA==")
    assert a_sender().send(message, NOW).detail == CANNOT_OPEN


def test_no_log_learns_the_target(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with HttpService() as service:
        service.will(500)
        a_sender().send(to(f"json://user:{SECRET}@{service.host}/{SECRET}"), NOW)
    a_sender().send(to(f"json://user:{SECRET}@127.0.0.1:1/{SECRET}"), NOW)
    told = [record.getMessage() for record in caplog.records if record.name.split(".")[0] != "urllib3"]
    assert SECRET not in "\n".join(told)


def test_apprise_is_loaded_by_the_first_message_only() -> None:
    program = (
        "import sys; from sentinel.channels.chat.sender import ChatSender; "
        "ChatSender(opener=str, allowed=()); print('apprise' in sys.modules)"
    )
    environment = {"DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"], "PATH": ""}
    setup = "import django; django.setup(); "
    done = subprocess.run(
        [sys.executable, "-c", setup + program], capture_output=True, text=True, env=environment
    )
    assert done.stdout.strip() == "False", done.stderr
