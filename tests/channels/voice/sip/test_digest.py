"""Digest authentication, held to the examples of its own standards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.channels.voice.sip.authentication import Authentication
from sentinel.channels.voice.sip.digest import Answerer, Challenge, Credentials, first_answerable
from sentinel.channels.voice.sip.message import Headers, Malformed, Request, Response

RFC_2617 = (
    'Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", '
    'opaque="5ccc069c403ebaf9f0171e9517f40e41"'
)
RFC_7616 = (
    'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
CNONCE_7616 = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"


@pytest.mark.parametrize(
    ("challenge", "who", "cnonce", "uri", "response"),
    [
        pytest.param(
            RFC_2617,
            Credentials("Mufasa", "Circle Of Life"),
            "0a4f113b",
            "/dir/index.html",
            "6629fae49393a05397450978507c4ef1",
            id="RFC 2617, MD5",
        ),
        pytest.param(
            RFC_7616.format("MD5"),
            Credentials("Mufasa", "Circle of Life"),
            CNONCE_7616,
            "/dir/index.html",
            "8ca523f5e9506fed4657c9700eebdbec",
            id="RFC 7616, MD5",
        ),
        pytest.param(
            RFC_7616.format("SHA-256"),
            Credentials("Mufasa", "Circle of Life"),
            CNONCE_7616,
            "/dir/index.html",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            id="RFC 7616, SHA-256",
        ),
    ],
)
def test_it_answers_as_the_standard_does(
    challenge: str, who: Credentials, cnonce: str, uri: str, response: str
) -> None:
    answerer = Answerer(Challenge.parse(challenge, proxy=False), who, new_cnonce=lambda: cnonce)
    answer = answerer.answer("GET", uri)
    assert f'response="{response}"' in answer
    assert "qop=auth, nc=00000001" in answer
    assert "nc=00000002" in answerer.answer("GET", uri)


def test_an_old_server_without_qop_gets_the_old_answer() -> None:
    # RFC 2069's scheme: no qop, no count, no cnonce.
    asked = Challenge.parse('Digest realm="r", nonce="n"', proxy=True)
    answerer = Answerer(asked, Credentials("u", "p"))
    answer = answerer.answer("INVITE", "sip:x@y")
    assert answerer.header == "Proxy-Authorization"
    assert "nc=" not in answer
    assert "cnonce=" not in answer
    assert answer == answerer.answer("INVITE", "sip:x@y")


def test_the_first_challenge_that_can_be_answered_counts() -> None:
    values = [
        "Basic realm=x",
        RFC_7616.format("SHA-1024"),
        RFC_7616.format("SHA-256"),
        RFC_7616.format("MD5"),
    ]
    found = first_answerable(values, proxy=False)
    assert found is not None
    assert found.algorithm == "SHA-256"
    assert first_answerable(values[:2], proxy=False) is None


def test_nobody_smuggles_a_parameter_in_through_a_name() -> None:
    asked = Challenge.parse('Digest realm="a\\"b", nonce="n", qop="auth"', proxy=False)
    answer = Answerer(asked, Credentials('u", response="x', "p\r\nX: 1")).answer("INVITE", "sip:x@y")
    assert 'username="u\\", response=\\"x"' in answer
    assert 'realm="a\\"b"' in answer
    assert "\r" not in answer


@given(st.text(max_size=300))
def test_no_challenge_breaks_it(text: str) -> None:
    for value in (text, "Digest " + text, f'Digest nonce="{text}", realm={text}'):
        try:
            asked = Challenge.parse(value, proxy=False)
        except Malformed:
            continue
        assert Answerer(asked, Credentials("u", "p")).answer("BYE", "sip:x@y")


def _request(method: str) -> Request:
    return Request(method, "sip:x@pbx.example.com", headers=Headers())


def _challenged(value: str, status: int = 401) -> Response:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    return Response(status, "", headers=Headers([(name, value)]))


def test_a_second_challenge_means_a_wrong_password_unless_the_nonce_was_stale() -> None:
    knows = Authentication(Credentials("u", "p"))
    answered = knows.begin()
    assert knows.accepts(_challenged(RFC_2617), answered)
    assert not knows.accepts(_challenged(RFC_2617), answered)
    assert knows.accepts(_challenged(RFC_2617 + ", stale=TRUE"), answered)
    # A later request may meet an expired nonce again.
    assert knows.accepts(_challenged(RFC_2617), knows.begin())


def test_even_stale_nonces_come_to_an_end() -> None:
    knows = Authentication(Credentials("u", "p"))
    answered = knows.begin()
    assert sum(knows.accepts(_challenged(RFC_2617 + ", stale=true"), answered) for _ in range(50)) == 4


def test_a_proxy_and_a_telephone_may_both_ask() -> None:
    knows = Authentication(Credentials("u", "p"))
    answered = knows.begin()
    assert knows.accepts(_challenged(RFC_2617, 407), answered)
    assert knows.accepts(_challenged(RFC_2617, 401), answered)
    invite = _request("INVITE")
    knows.sign(invite)
    ack = _request("ACK")
    knows.repeat(ack)
    for request in (invite, ack):
        assert request.headers.get("Authorization").startswith("Digest ")
        assert request.headers.get("Proxy-Authorization").startswith("Digest ")
    assert invite.headers.get("Authorization") == ack.headers.get("Authorization")


def test_strangers_get_no_answer() -> None:
    assert not Authentication(None).accepts(_challenged(RFC_2617), [])
    limited = Authentication(Credentials("u", "p", realm="pbx.example.com"))
    assert not limited.accepts(_challenged(RFC_2617), limited.begin())
    assert not limited.accepts(Response(403, ""), limited.begin())
