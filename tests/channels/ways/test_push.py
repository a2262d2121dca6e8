"""The push sender against a real push service on loopback that reads what the browser would read."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sentinel.channels import calling
from sentinel.channels.base import Sender, Sent
from sentinel.channels.calling import NotPermitted, post
from sentinel.channels.push.encryption import decrypt
from sentinel.channels.push.sender import PushSender
from sentinel.kernel.addresses import is_public
from sentinel.kernel.push_keys import application_key, encode, raw_public
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed
from sentinel.people.sealing import open_target, seal_target
from tests.channels.contract import NOW, SenderContract, claimed
from tests.fakes.http_service import HttpService
from tests.fakes.sender import FakeSender

OWN = application_key("a secret of ours")
BROWSER = ec.generate_private_key(ec.SECP256R1())
SECRET = os.urandom(16)


def opener(sealed: str) -> str:
    return open_target(sealed, channel="push")


def a_sender(**changed: Any) -> PushSender:
    settings: dict[str, Any] = {
        "opener": opener,
        "keys": [OWN],
        "services": ["127.0.0.1"],
        "contact": "https://s.example",
        "allow_private": True,
    }
    return PushSender(**{**settings, **changed})


def subscription(host: str, own: ec.EllipticCurvePrivateKey = OWN) -> str:
    return json.dumps(
        {
            "endpoint": f"http://{host}/push/hush-hush",
            "keys": {"p256dh": encode(raw_public(BROWSER.public_key())), "auth": encode(SECRET)},
            "applicationKey": encode(raw_public(own.public_key())),
        }
    )


def to(host: str, message: Claimed | None = None, **payload: Any) -> Claimed:
    message = message or claimed("push", problem_id=5, **payload)
    target = seal_target(payload.get("subscription") or subscription(host), channel="push")
    return replace(message, payload={**message.payload, "target": target})


class ToOneBrowser:
    """A push sender to which the contract's messages bring no target of their own."""

    channel = "push"
    capabilities = PushSender.capabilities

    def __init__(self, service: HttpService) -> None:
        self.inner, self.service = a_sender(), service

    def send(self, message: Claimed, now: datetime) -> Sent:
        return self.inner.send(to(self.service.host, message), now)

    def close(self) -> None:
        self.inner.close()


class TestPush(SenderContract):
    """The contract, over the wire."""

    @contextmanager
    def working(self) -> Iterator[Sender]:
        with HttpService() as service:
            yield ToOneBrowser(service)

    @contextmanager
    def failing(self, how: Result) -> Iterator[Sender | None]:
        with HttpService() as service:
            service.will(503 if how is Result.TRANSIENT else 403)
            yield ToOneBrowser(service)


class TestFakePush(SenderContract):
    """What stories send with."""

    @contextmanager
    def working(self) -> Iterator[Sender]:
        yield FakeSender(channel="push")

    @contextmanager
    def failing(self, how: Result) -> Iterator[Sender | None]:
        yield None


def test_the_browser_reads_what_was_meant_and_the_service_nothing() -> None:
    with HttpService() as service:
        service.will(201)
        sent = a_sender().send(to(service.host), NOW)
        (request,) = service.kept
    assert sent.result is Result.ACCEPTED
    assert b"Wir haben es" not in request.body
    notice = json.loads(decrypt(request.body, key=BROWSER, secret=SECRET))
    assert (notice["title"], notice["path"], notice["problem"]) == ("Wir haben es", "/problems/1/", 5)
    assert notice["labels"] == {
        "acknowledge": "Ich übernehme",
        "call": "Anrufen",
        "hand_over": "Übergeben",
    }
    assert request.headers["Content-Encoding"] == "aes128gcm"
    assert request.headers["Authorization"].startswith("vapid t=")
    assert int(request.headers["TTL"]) > 0


def test_a_repeat_has_the_same_topic_and_tag() -> None:
    with HttpService() as service:
        message = to(service.host)
        a_sender().send(message, NOW)
        a_sender().send(message, NOW)
        first, second = service.kept
    assert first.headers["Topic"] == second.headers["Topic"]
    assert len(first.headers["Topic"]) <= 32


@pytest.mark.parametrize("text", ["x" * 5_000, "日本語" * 2_000, "\U0001f600" * 2_000])
def test_whatever_a_worker_wrote_fits(text: str) -> None:
    with HttpService() as service:
        assert a_sender().send(to(service.host, text=text), NOW).result is Result.ACCEPTED
        assert len(service.kept[0].body) <= 4_096


@pytest.mark.parametrize(
    ("status", "result", "gone"),
    [
        (404, Result.PERMANENT, True),
        (410, Result.PERMANENT, True),
        (413, Result.PERMANENT, False),
        (429, Result.TRANSIENT, False),
        (500, Result.TRANSIENT, False),
    ],
)
def test_each_answer_is_judged(status: int, result: Result, gone: bool) -> None:
    with HttpService() as service:
        service.will(status)
        sent = a_sender().send(to(service.host), NOW)
    assert (sent.result, sent.address_refused) == (result, gone)
    assert "hush" not in repr(sent)


def test_a_changed_secret_ends_the_subscription() -> None:
    with HttpService() as service:
        sent = a_sender(keys=[application_key("another")]).send(to(service.host), NOW)
        assert (sent.result, sent.address_refused, service.kept) == (Result.PERMANENT, True, [])
        kept = a_sender(keys=[application_key("another"), OWN]).send(to(service.host), NOW)
        assert kept.result is Result.ACCEPTED


def test_silence_is_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calling, "STEP_SECONDS", 0.3)
    with HttpService() as service:
        service.will("hang")
        assert a_sender().send(to(service.host), NOW).result is Result.TRANSIENT


@pytest.mark.parametrize("changed", [{"services": ["fcm.googleapis.com"]}, {"allow_private": False}])
def test_only_known_push_services_are_called(changed: dict[str, Any]) -> None:
    with HttpService() as service:
        assert a_sender(**changed).send(to(service.host), NOW).result is Result.PERMANENT
        assert service.kept == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "192.168.1.1",
        "169.254.169.254",
        "::1",
        "fe80::1",
        "::ffff:10.0.0.1",
        "0.0.0.0",
    ],
)
def test_private_addresses_are_recognised(address: str) -> None:
    assert not is_public(address)
    assert is_public("1.1.1.1")


def test_a_name_that_leads_inside_is_not_called() -> None:
    with pytest.raises(NotPermitted, match="private"):
        post("https://localhost/x", body=b"", headers={}, allow_private=False)


def test_a_redirection_is_not_followed() -> None:
    with HttpService() as service, HttpService() as elsewhere:
        service.will(f"{elsewhere.url}/x")
        assert a_sender().send(to(service.host), NOW).result is Result.PERMANENT
        assert elsewhere.kept == []
