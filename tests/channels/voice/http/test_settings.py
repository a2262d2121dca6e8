"""The setting that names a voice service: what it says, what it refuses, and what comes with it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from django.test import Client
from pydantic_core import PydanticCustomError
from pytest_django.fixtures import Settings

from sentinel.channels.voice.http.calls import HttpVoice
from sentinel.config.calls import check_calls, http_settings
from sentinel.config.telephone import calls_by
from sentinel.config.urls import voice_webhooks
from sentinel.config.voice_service import reading_voice
from sentinel.config.wiring import call_port

URL = "twilio://AC1:the%2Ftoken@api.twilio.com?caller=%2B49301234567"


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    reading_voice.cache_clear()
    yield
    reading_voice.cache_clear()


def test_everything_in_the_address_arrives() -> None:
    found = http_settings(calls_by(URL), base_url="https://s.example", secrets=["x"])
    assert (found.account, found.token, found.caller) == ("AC1", "the/token", "+49301234567")
    assert (found.api_url, found.voice, found.finds_machines) == ("https://api.twilio.com", "", False)

    compatible = "twilio://id:token@space.example/api/laml/?caller=%2B1555&machines=1&voice=Polly.Vicki"
    found = http_settings(calls_by(compatible), base_url="https://s.example", secrets=["x"])
    assert (found.api_url, found.voice) == ("https://space.example/api/laml", "Polly.Vicki")
    assert found.finds_machines

    local = http_settings(calls_by("twilio+http://a:b@127.0.0.1:81?caller=%2B1555"), base_url="", secrets=())
    assert local.api_url == "http://127.0.0.1:81"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("%2B", "+"), "%2B"),
        (("caller=%2B49301234567", "machines=1"), "caller number"),
        (("caller=", "machines=perhaps&caller="), "yes or no for machines"),
        (("caller=", "record=1&caller="), "nobody knows: record"),
        (("AC1:the%2Ftoken@", ""), "account, token"),
    ],
)
def test_what_cannot_work_is_said_at_the_start(change: tuple[str, str], words: str) -> None:
    with pytest.raises(PydanticCustomError, match=words):
        check_calls(calls_by(URL.replace(*change)))


def test_without_the_extra_the_setting_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "twilio", None)
    with pytest.raises(PydanticCustomError, match=r"sentinel-assurance\[telephone\]"):
        calls_by(URL)
    assert calls_by("sip://user:password@pbx.example").provider == "sip"


def test_the_addresses_are_there_only_where_a_service_places_calls(
    settings: Settings, client: Client
) -> None:
    assert voice_webhooks() == []
    settings.CALLS_BY = calls_by(URL)
    assert len(voice_webhooks()) == 1
    assert reading_voice().capabilities.callbacks
    port = call_port()
    assert isinstance(port, HttpVoice)
    assert not port.capabilities.detects_machines
    # This process was started without.
    assert client.post("/voice/key/mac/owner").status_code == 404
