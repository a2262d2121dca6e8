"""The webhook sender against a real HTTP server that checks the signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from sentinel.channels import calling
from sentinel.channels.base import Sender, Sent
from sentinel.channels.webhook.sender import WebhookSender, signed
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed
from sentinel.people.errors import ContactRefused
from sentinel.people.sealing import open_target, seal_target
from sentinel.people.targets import Webhook, check_webhook_url, read_webhook, written_webhook
from tests.channels.contract import NOW, SenderContract, claimed
from tests.fakes.http_service import HttpService, Request
from tests.fakes.sender import FakeSender

KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()


def opener(sealed: str) -> str:
    return open_target(sealed, channel="webhook")


def a_sender(*, allow_private: bool = True) -> WebhookSender:
    return WebhookSender(opener=opener, allow_private=allow_private)


def to(url: str, message: Claimed | None = None) -> Claimed:
    message = message or claimed("webhook")
    target = seal_target(written_webhook(Webhook(url=url, secret=SECRET)), channel="webhook")
    return replace(message, payload={**message.payload, "target": target})


def is_genuine(request: Request) -> bool:
    """What a receiver checks."""
    head = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
    wanted = base64.b64encode(hmac.digest(KEY, head + request.body, hashlib.sha256)).decode()
    return hmac.compare_digest(request.headers["webhook-signature"], f"v1,{wanted}")


class ToOneHook:
    """A webhook sender to which the contract's messages bring no target of their own."""

    channel = "webhook"
    capabilities = WebhookSender.capabilities

    def __init__(self, service: HttpService) -> None:
        self.inner, self.service = a_sender(), service

    def send(self, message: Claimed, now: datetime) -> Sent:
        return self.inner.send(to(f"{self.service.url}/hook", message), now)

    def close(self) -> None:
        self.inner.close()


class TestWebhook(SenderContract):
    """The contract, over the wire."""

    @contextmanager
    def working(self) -> Iterator[Sender]:
        with HttpService() as service:
            yield ToOneHook(service)

    @contextmanager
    def failing(self, how: Result) -> Iterator[Sender | None]:
        with HttpService() as service:
            service.will(503 if how is Result.TRANSIENT else 403)
            yield ToOneHook(service)


class TestFakeWebhook(SenderContract):
    """What stories send with."""

    @contextmanager
    def working(self) -> Iterator[Sender]:
        yield FakeSender(channel="webhook")

    @contextmanager
    def failing(self, how: Result) -> Iterator[Sender | None]:
        yield None


def test_the_signature_is_that_of_the_standards_own_example() -> None:
    key, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", datetime.fromtimestamp(1614265330, tz=NOW.tzinfo)
    headers = signed(b'{"test": 2432232314}', key=key, message_id="msg_p5jXN8AQM9LWM0D4loKWxJek", now=at)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_receiver_can_check_who_sent_it_and_when() -> None:
    with HttpService() as service:
        sent = a_sender().send(to(f"{service.url}/hook?for=us"), NOW)
        (request,) = service.kept
    assert sent.result is Result.ACCEPTED
    assert is_genuine(request)
    assert request.path == "/hook?for=us"
    assert int(request.headers["webhook-timestamp"]) == int(NOW.timestamp())
    data = json.loads(request.body)["data"]
    assert (data["title"], data["problem_id"]) == ("Wir haben es", 5)
    assert not is_genuine(replace(request, body=request.body + b" "))


def test_a_repeat_has_the_same_id_and_body_and_its_own_time() -> None:
    with HttpService() as service:
        message = to(f"{service.url}/hook")
        for later in (0, 45):
            a_sender().send(message, NOW + timedelta(seconds=later))
        first, second = service.kept
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert is_genuine(second)


@pytest.mark.parametrize(
    ("status", "result", "gone"),
    [
        (204, Result.ACCEPTED, False),
        (400, Result.PERMANENT, False),
        (404, Result.PERMANENT, False),
        (410, Result.PERMANENT, True),
        (429, Result.TRANSIENT, False),
        (502, Result.TRANSIENT, False),
    ],
)
def test_each_answer_is_judged(status: int, result: Result, gone: bool) -> None:
    with HttpService(answer=b"" if status == 204 else b"{}") as service:
        service.will(status)
        sent = a_sender().send(to(f"{service.url}/hush-hush"), NOW)
    assert (sent.result, sent.address_refused) == (result, gone)
    assert "hush" not in repr(sent)


def test_nothing_inside_is_called_and_no_redirection_followed() -> None:
    with HttpService() as service, HttpService() as elsewhere:
        inside = a_sender(allow_private=False)
        for url in (service.url, f"https://localhost:{service.port}/", f"https://127.0.0.1:{service.port}/"):
            assert inside.send(to(url), NOW).result is Result.PERMANENT
        assert service.kept == []
        service.will(f"{elsewhere.url}/x")
        assert a_sender().send(to(service.url), NOW).result is Result.PERMANENT
        assert elsewhere.kept == []


def test_a_certificate_that_nobody_vouches_for_or_silence_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(calling, "STEP_SECONDS", 0.3)
    with HttpService() as service:
        assert a_sender().send(to(f"https://{service.host}/"), NOW).result is Result.TRANSIENT
        service.will("hang")
        assert a_sender().send(to(service.url), NOW).result is Result.TRANSIENT


def test_only_addresses_of_the_web_are_taken() -> None:
    check_webhook_url("https://hooks.example.com/a?b=c")
    for url in ("http://x.example/", "ftp://x.example/", "https://", "https://u:p@x.example/", "nonsense"):
        with pytest.raises(ContactRefused):
            check_webhook_url(url)
    with pytest.raises(ContactRefused):
        read_webhook("nonsense")
