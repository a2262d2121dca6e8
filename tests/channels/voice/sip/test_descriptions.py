"""Session descriptions: whatever two telephones say, each dialog keeps its own order and its own origin."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.channels.voice.sip.message import Malformed
from sentinel.channels.voice.sip.sdp import Description, Voice, body_of

AUDIO = (
    b"v=0\r\no=- 7 1 IN IP4 192.0.2.1\r\ns=phone\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\na=ice-lite\r\n"
    b"m=audio 4000 RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"
)
AUDIO_AND_VIDEO = AUDIO + b"m=video 4002 RTP/AVP 96\r\nc=IN IP4 192.0.2.77\r\na=rtpmap:96 H264/90000\r\n"
VIDEO_FIRST = (
    b"v=0\no=- 8 1 IN IP4 192.0.2.2\ns=-\nt=0 0\na=sendonly\nm=video 5002 RTP/AVP 96\nc=IN IP4 192.0.2.2\n"
    b"m=audio 5000 RTP/AVP 0\nc=IN IP4 192.0.2.2\na=recvonly\n"
)


def voice() -> Voice:
    return Voice(42, "192.0.2.9")


def kinds(body: bytes) -> list[tuple[str, int]]:
    return [(medium.kind, medium.port) for medium in Description.parse(body).media]


def test_an_offer_is_answered_with_silence_in_its_own_order() -> None:
    ours = voice()
    body = ours.hold_answer(Description.parse(AUDIO_AND_VIDEO))
    assert kinds(body) == [("audio", 9), ("video", 0)]
    assert b"c=IN IP4 0.0.0.0" in body
    assert b"a=inactive" in body
    assert b"a=rtpmap:8 PCMA/8000" in body
    assert b"a=ptime" not in body


def test_the_others_media_take_the_places_of_this_dialog() -> None:
    ours = voice()
    ours.hold_answer(Description.parse(AUDIO_AND_VIDEO))
    other = Description.parse(VIDEO_FIRST)
    body = ours.offer(other)
    assert kinds(body) == [("audio", 5000), ("video", 5002)]
    assert body.count(b"a=recvonly") == 1
    assert body.count(b"a=sendonly") == 1
    # An answer goes back in the order in which the other one had asked.
    assert kinds(voice().answer(Description.parse(AUDIO_AND_VIDEO), other)) == [
        ("video", 4002),
        ("audio", 4000),
    ]


def test_media_that_only_one_side_has_are_refused_and_never_forgotten() -> None:
    ours = voice()
    ours.hold_answer(Description.parse(AUDIO_AND_VIDEO))
    assert kinds(ours.offer(Description.parse(AUDIO))) == [("audio", 4000), ("video", 0)]
    assert kinds(ours.offer(Description.parse(VIDEO_FIRST))) == [("audio", 5000), ("video", 5002)]
    other = voice()
    other.hold_answer(Description.parse(AUDIO))
    assert kinds(other.offer(Description.parse(AUDIO_AND_VIDEO))) == [("audio", 4000), ("video", 4002)]
    assert kinds(other.answer(Description.parse(AUDIO_AND_VIDEO), Description.parse(AUDIO))) == [
        ("audio", 4000)
    ]


def test_the_origin_is_ours_and_its_version_grows() -> None:
    ours = voice()
    bodies = [
        ours.hold_answer(Description.parse(AUDIO)),
        ours.offer(Description.parse(AUDIO)),
        ours.hold_offer(),
    ]
    assert [Description.parse(body).origin for body in bodies] == [
        f"- 42 {version} IN IP4 192.0.2.9" for version in (1, 2, 3)
    ]
    assert b"192.0.2.1\r\n" in bodies[1]
    assert ours.last == bodies[2]


def test_an_answer_to_silence_is_woken_up() -> None:
    answered = Description.parse(AUDIO.replace(b"a=ptime:20", b"a=inactive"))
    assert b"inactive" not in voice().offer(answered.awake())
    assert answered.places() == answered.awake().places() == [(4000, "c=IN IP4 192.0.2.1")]


def test_ipv6_has_a_black_hole_too() -> None:
    body = Voice(1, "2001:db8::9").hold_offer()
    assert b"c=IN IP6 100::" in body
    assert b"IN IP6 2001:db8::9" in body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"v=1\r\n",
        b"v=0\r\ns=-\r\n",
        AUDIO.replace(b"4000", b"70000"),
        AUDIO.replace(b"m=audio 4000", b"m=audio"),
        AUDIO + b"m=audio 1 RTP/AVP 0\r\n" * 20,
        AUDIO + b"a=" + b"x" * 20_000,
        AUDIO + b"\r\nnonsense\r\n",
    ],
)
def test_broken_descriptions_are_refused(body: bytes) -> None:
    with pytest.raises(Malformed):
        Description.parse(body)


def test_only_descriptions_are_taken_for_descriptions() -> None:
    assert body_of("", b"") is None
    assert body_of("Application/SDP;charset=utf-8", AUDIO) is not None
    with pytest.raises(Malformed):
        body_of("multipart/mixed", AUDIO)


@given(st.binary(max_size=400), st.integers(0, len(AUDIO_AND_VIDEO)), st.integers(0, 40))
def test_no_damage_breaks_it_and_what_we_write_can_be_read(noise: bytes, at: int, cut: int) -> None:
    damaged = AUDIO_AND_VIDEO[:at] + noise + AUDIO_AND_VIDEO[at + cut :]
    with contextlib.suppress(Malformed):
        theirs = Description.parse(damaged)
        ours = voice()
        for body in (ours.hold_answer(theirs), ours.offer(theirs), voice().answer(theirs, theirs)):
            assert len(Description.parse(body).media) == len(theirs.media)
