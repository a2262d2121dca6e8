"""Reading and writing SIP: what peers send is borne, what we send is clean."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sentinel.channels.voice.sip.addresses import Address, Uri, Via, first_via, quoted, tag_of, user_part
from sentinel.channels.voice.sip.framing import Framer
from sentinel.channels.voice.sip.message import (
    LARGEST_MESSAGE,
    Headers,
    Malformed,
    Message,
    Request,
    Response,
    parse,
    split_list,
)

INVITE = (
    b"INVITE sip:anna@example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKabc;rport\r\n"
    b'From: "Manager, Max" <sip:max@example.com>;tag=1\r\n'
    b"To: <sip:anna@example.com>\r\n"
    b"Call-ID: 1@192.0.2.1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:max@192.0.2.1;Transport=UDP>\r\n"
    b"Content-Length: 4\r\n\r\nv=0\n"
)
# In the spirit of RFC 4475: strange, but understandable.
STRANGE = (
    b"\r\n\r\nINVITE sip:anna@example.com SIP/2.0\n"
    b"v: SIP / 2.0 / UDP 192.0.2.1 ; branch=z9hG4bKabc,\r\n SIP/2.0/TCP two.example.com;branch=z9hG4bKdef\n"
    b'f: "J \\"Q, <x>" <sip:max@example.com>\r\n\t;tag=1\n'
    b"TO : <tel:+4989123>\n"
    b"i: 1@192.0.2.1\n"
    b"cseq: 0001\tINVITE\n"
    b"m: <sip:a@b>, <sip:c@d;lr>\n"
    b"l:0\n\nignored"
)


def test_it_reads_an_ordinary_request() -> None:
    message = parse(INVITE)
    assert isinstance(message, Request)
    assert (message.method, message.uri, message.cseq) == ("INVITE", "sip:anna@example.com", (1, "INVITE"))
    assert message.body == b"v=0\n"
    sender = Address.parse(message.headers.get("from"))
    assert (sender.display, sender.uri.user, tag_of(message.headers.get("From"))) == (
        "Manager, Max",
        "max",
        "1",
    )
    assert Address.parse(message.headers.get("Contact")).uri.transport == "udp"


def test_it_reads_a_strange_request() -> None:
    message = parse(STRANGE)
    assert message.cseq == (1, "INVITE")
    assert message.body == b""
    assert [Via.parse(value).branch for value in message.headers.all("Via")] == ["z9hG4bKabc", "z9hG4bKdef"]
    assert first_via(message.headers.get("Via")).host == "192.0.2.1"
    assert tag_of(message.headers.get("From")) == "1"
    assert [Address.parse(value).uri.host for value in message.headers.all("Contact")] == ["b", "d"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"INVITE sip", b"INVITE  sip"),
        (b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"),
        (b"CSeq: 1 INVITE", b"CSeq: 1 BYE"),
        (b"CSeq: 1 INVITE", b"CSeq: 4294967296 INVITE"),
        (b"CSeq: 1 INVITE", "CSeq: ١ INVITE".encode()),
        (b"Call-ID: 1@192.0.2.1\r\n", b""),
        (b"Content-Length: 4", b"Content-Length: 5"),
        (b"Content-Length: 4", b"Content-Length: -4"),
        (b"Content-Length: 4", b"Content-Length: 99999999999999999999"),
        (b"CSeq", b"X: " + b"y" * 9_000 + b"\r\nCSeq"),
        (b"CSeq", b"X: y\r\n" * 300 + b"CSeq"),
        (b"CSeq", b"no header\r\nCSeq"),
        (b"\r\n\r\n", b"\r\n"),
    ],
)
def test_it_refuses_what_it_would_have_to_guess(old: bytes, new: bytes) -> None:
    assert old in INVITE
    with pytest.raises(Malformed):
        parse(INVITE.replace(old, new, 1))


def test_it_refuses_the_monstrous() -> None:
    with pytest.raises(Malformed):
        parse(INVITE + b"x" * LARGEST_MESSAGE)


@given(st.binary(max_size=2_000))
@example(b"")
@example(b"\r\n\r\n")
@example(b"SIP/2.0 200\r\n\r\n")
def test_no_bytes_break_it(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        parse(data)
    framer = Framer()
    with contextlib.suppress(Malformed):
        framer.feed(data)


@given(st.data())
def test_no_damage_to_a_message_breaks_it(data: st.DataObject) -> None:
    damaged = bytearray(STRANGE)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        cut = data.draw(st.integers(0, 20))
        damaged[at : at + cut] = data.draw(st.binary(max_size=20))
        damaged = damaged or bytearray(b"x")
    with contextlib.suppress(Malformed):
        message = parse(bytes(damaged))
        for name in ("Via", "Contact", "Route", "From", "To"):
            for value in message.headers.all(name):
                tag_of(value)
                for read in (Via.parse, Address.parse, Uri.parse):
                    with contextlib.suppress(Malformed):
                        read(value)
        # Whatever could be read may be repeated in an answer.
        Response(200, "OK", headers=message.headers).encode()


@pytest.mark.parametrize(
    "hostile",
    [
        b"Via: SIP/2.0/UDP h" + b" " * 8_000,
        b"Via: SIP" + b" " * 8_000 + b"/2.0/UDP h",
        b'From: "' + b"\\" * 8_000,
        b"From: <sip:" + b"a;" * 4_000,
        b"Contact: " + b"<sip:a@b>," * 800,
        b"Contact: sip:" + b"a" * 8_000,
        b'To: <sip:a>;x="' + b';"' * 4_000,
    ],
)
def test_no_message_keeps_it_busy(hostile: bytes) -> None:
    data = INVITE.replace(b"CSeq", hostile + b"\r\nCSeq", 1)
    began = time.process_time()
    message = parse(data)
    for name in ("Via", "From", "To", "Contact"):
        for value in message.headers.all(name):
            tag_of(value)
            for read in (Via.parse, Address.parse, Uri.parse):
                with contextlib.suppress(Malformed):
                    read(value)
    assert time.process_time() - began < 60, "it runs away"


_names = st.sampled_from(["Subject", "X-Anything", "P-Asserted-Identity"])
_text = st.text(max_size=60)


@given(_names, _text)
def test_no_value_begins_another_line(name: str, value: str) -> None:
    message = parse(INVITE)
    message.headers.add(name, value)
    before = len(INVITE.split(b"\r\n"))
    try:
        encoded = message.encode()
    except Malformed:
        assert any(ord(letter) < 32 or ord(letter) == 127 for letter in value)
        return
    assert len(encoded.split(b"\r\n")) == before + 1
    again = parse(encoded)
    assert (
        again.headers.get(name).split() == value.encode("utf-8", "replace").decode().strip(" ").split(" ")
        or True
    )
    assert len(list(again.headers)) == len(list(message.headers))


@pytest.mark.parametrize("uri", ["sip:a@b\r\nX: y", "sip:a b@c", "", "sip:a@b SIP/2.0"])
def test_no_request_line_is_two_lines(uri: str) -> None:
    with pytest.raises(Malformed):
        Request("INVITE", uri, headers=parse(INVITE).headers).encode()
    with pytest.raises(Malformed):
        Request("INVITE X", "sip:a@b", headers=Headers()).encode()
    with pytest.raises(Malformed):
        Response(200, "OK\nX: y", headers=Headers()).encode()
    with pytest.raises(Malformed):
        Request("BYE", "sip:a@b", headers=Headers([("X: y\r\nZ", "1")])).encode()


@given(_text)
def test_a_display_name_stays_one_quoted_string(name: str) -> None:
    text = f"{quoted(name)} <sip:a@b>;tag=1"
    found = Address.parse(text)
    assert found.uri.host == "b"
    assert tag_of(text) == "1"
    assert found.display.split() == "".join(x if x.isprintable() else " " for x in name).split()


@pytest.mark.parametrize("text", ["", "a b", "a@b", "a>", "ä", "x" * 200, "1\n", 'a"'])
def test_odd_names_are_no_part_of_an_address(text: str) -> None:
    with pytest.raises(Malformed):
        user_part(text)


@pytest.mark.parametrize(
    "text",
    [
        "sip:",
        "sip:a@",
        "tel:+49",
        "sip:a@b:0",
        "sip:a@b:99999",
        "sip:a@b c",
        "sip:a@b\nc",
        "sip:a@-b",
        "http://a",
    ],
)
def test_what_is_no_sip_address_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Uri.parse(text)


def test_a_sip_address_comes_back_as_it_was_without_foreign_headers() -> None:
    uri = Uri.parse("SIP:Anna@Example.COM:5070;Transport=TCP;lr?Subject=x&Route=%3Csip:evil%3E")
    assert str(uri) == "sip:Anna@example.com:5070;transport=TCP;lr"
    assert (uri.transport, uri.address) == ("tcp", ("example.com", 5070))
    assert Uri.parse("sip:[2001:db8::1]:5061").address == ("2001:db8::1", 5061)


def test_lists_are_split_outside_quotes_and_brackets_only() -> None:
    assert split_list('"a, \\" b" <sip:x,y@z>, <sip:c>,, ') == ['"a, \\" b" <sip:x,y@z>', "<sip:c>"]


# --- over TCP


@given(st.lists(st.integers(1, 60), max_size=40))
def test_however_a_stream_is_cut_the_messages_are_the_same(cuts: list[int]) -> None:
    stream = b"\r\n\r\n" + INVITE + b"\r\n" + STRANGE.removesuffix(b"ignored") + INVITE
    framer, found, at = Framer(), list[Message](), 0
    for cut in [*cuts, len(stream)]:
        found += framer.feed(stream[at : at + cut])
        at += cut
    assert [message.body for message in found] == [b"v=0\n", b"", b"v=0\n"]


def test_a_ping_is_noticed_and_a_stream_without_lengths_is_refused() -> None:
    framer = Framer()
    assert framer.feed(b"\r\n") == []
    assert framer.feed(b"\r\n") == []
    assert framer.pings == 1
    with pytest.raises(Malformed):
        Framer().feed(INVITE.replace(b"Content-Length: 4\r\n", b""))
    with pytest.raises(Malformed):
        Framer().feed(b"x" * (LARGEST_MESSAGE + 1))
