"""The address of an exchange, and what it means for the user agent."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from sentinel.calls.numbers import sip_hosts
from sentinel.channels.voice.sip.settings import SipSettings
from sentinel.config.calls import sip_settings
from sentinel.config.telephone import CallsBy, calls_by


def read(url: str) -> SipSettings:
    return sip_settings(calls_by(url))


def test_the_shortest_address_is_enough() -> None:
    found = read("sip://pbx.example.com")
    assert str(found.target("+4989100")) == "sip:+4989100@pbx.example.com"
    assert found.outbound == "sip:pbx.example.com"
    assert found.credentials is None
    assert found.show_whisper
    assert not found.always_outbound


def test_every_option_arrives() -> None:
    found = read(
        "sip://user:p%40ss@10.0.0.5:5070?number=sip:0{digits}@voice.example&transport=tcp&from=sip:{caller}@me"
        "&realm=voice&route=yes&identity=on&listen=10.0.0.9&port=5099&advertised=192.0.2.1&calls=7&whisper=no"
        "&hosts=a.example,%20B.example"
    )
    expected: dict[str, Any] = {
        "number_template": "sip:0{digits}@voice.example;transport=tcp",
        "username": "user",
        "password": "p@ss",
        "realm": "voice",
        "outbound": "sip:10.0.0.5:5070;transport=tcp",
        "always_outbound": True,
        "caller_template": "sip:{caller}@me",
        "assert_identity": True,
        "show_whisper": False,
        "trusted_hosts": frozenset({"a.example", "b.example"}),
        "listen": "10.0.0.9",
        "port": 5099,
        "advertised": "192.0.2.1",
        "most_calls": 7,
    }
    assert {name: getattr(found, name) for name in expected} == expected


def test_it_can_call_each_address_where_it_is() -> None:
    assert read("sip://pbx.example.com?outbound=direct").way_out is None
    assert read("sip://pbx.example.com?outbound=sip:sbc.example").outbound == "sip:sbc.example"
    assert read("sip://[2001:db8::1]:5070").outbound == "sip:[2001:db8::1]:5070"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ("transport=tls", "udp and tcp"),
        ("route=perhaps", "yes or no for route"),
        ("calls=many", "a number up to"),
        ("port=70000", "65535"),
        ("number=sip:reception@pbx.example.com", "{number}"),
        ("number=sips:{number}@pbx.example.com", "only sip:"),
        ("colour=blue", "options nobody knows"),
    ],
)
def test_what_cannot_work_is_said_in_plain_words(options: str, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        read(f"sip://pbx.example.com?{options}")


def test_people_may_have_addresses_on_the_exchange_and_on_trusted_hosts_only() -> None:
    url = "sip://10.0.0.5?number=sip:{number}@voice.example:5070;transport=tcp&hosts=Branch.example"
    with override_settings(CALLS_BY=calls_by(url)):
        assert sip_hosts() == {"10.0.0.5", "voice.example", "branch.example"}
    with override_settings(CALLS_BY=CallsBy()):
        assert sip_hosts() == frozenset()
