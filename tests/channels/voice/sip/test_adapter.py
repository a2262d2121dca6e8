"""The adapter as the rest of Sentinel sees it: numbers, keys, limits, and an end that is an end."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from sentinel.channels.voice.base import Accepted, CallEvent, CallPort, CallState, EndReason, Rejected, rank
from sentinel.channels.voice.sip.calls import SipCalls
from sentinel.channels.voice.sip.message import Malformed
from sentinel.channels.voice.sip.network import own_address
from sentinel.channels.voice.sip.settings import SipSettings
from sentinel.channels.voice.sip.wire import Timing
from tests.channels.voice.sip.exchange import SETTINGS, intent, office
from tests.fakes.ports import free_port

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
# Nobody is there: every INVITE goes into the void, quickly given up.
VOID = replace(SETTINGS, outbound="sip:127.0.0.1:9", timing=Timing(t1=0.005))


def port_of(calls: SipCalls) -> CallPort:
    """The adapter is a call port: checked by the type checker, too."""
    return calls


def test_states_are_ranked_in_the_order_of_a_call() -> None:
    assert [rank(state) for state in CallState] == sorted(rank(state) for state in CallState)


@pytest.mark.parametrize(
    "number",
    ["", "089 123", "+0891234", "+49\r\n1", "sip:x@elsewhere.example", "sip:a@127.0.0.1;transport=tls"],
)
def test_numbers_that_cannot_be_called_are_refused_for_good(number: str) -> None:
    with office(VOID) as desk:
        # Without a worker's number it is a test; without the owner's it is nothing.
        for owner, worker in ((number, "+4989100"), ("+4989100", number or "+")):
            placed = desk.calls.place(intent(owner, worker), NOW)
            assert isinstance(placed, Rejected)
            assert placed.permanent


def test_the_same_key_is_the_same_call() -> None:
    with office(VOID) as desk:
        wanted = intent("+4989100", "+4989200")
        first, again = desk.calls.place(wanted, NOW), desk.calls.place(wanted, NOW)
        assert isinstance(first, Accepted)
        assert again == first
        ended = desk.ended(first.ref)
        # It stays the same call when it is over.
        assert desk.calls.place(wanted, NOW) == first
        status = desk.calls.status(first.ref)
    assert ended.reason is EndReason.FAILED
    assert status is not None
    assert (status.state, status.reason, status.talk_seconds) == (CallState.ENDED, EndReason.FAILED, 0)
    assert len({event.event_id for event in desk.events}) == len(desk.events)
    assert {event.key for event in desk.events} == {wanted.key}


def test_more_calls_than_allowed_may_be_tried_later() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        with office(replace(SETTINGS, outbound=f"sip:127.0.0.1:{port}", most_calls=1)) as desk:
            desk.call("+4989100", "+4989200")
            placed = desk.calls.place(intent("+4989100", "+4989200"), NOW)
            assert isinstance(placed, Rejected)
            assert not placed.permanent


@pytest.mark.parametrize("host", ["x" * 70 + ".example", "nobody.invalid"])
@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_an_exchange_whose_name_leads_nowhere_fails_the_call(host: str, transport: str) -> None:
    with office(replace(SETTINGS, outbound=f"sip:{host};transport={transport}")) as desk:
        ended = desk.ended(desk.call("+4989100", "+4989200"))
    assert ended.reason is EndReason.FAILED
    assert "no way to the exchange" in ended.detail


def test_an_exchange_that_says_nothing_ends_the_call_in_time() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        settings = replace(SETTINGS, outbound=f"sip:127.0.0.1:{silent.getsockname()[1]}")
        with office(settings) as desk:
            ended = desk.ended(desk.call("+4989100", "+4989200", ring_owner_seconds=1))
    assert (ended.reason, ended.detail) == (EndReason.FAILED, "the exchange said nothing for 1 s")


def test_nothing_is_placed_before_the_start_or_after_the_end() -> None:
    calls = SipCalls(VOID, lambda event: None)
    for _ in range(2):
        placed = calls.place(intent("+4989100", "+4989200"), NOW)
        assert isinstance(placed, Rejected)
        assert not placed.permanent
        assert not calls.check().answers
        assert calls.status("sip-unknown") is None
        calls.hang_up("sip-unknown")
        calls.close()


def test_a_listener_that_fails_misses_one_event_only() -> None:
    told: list[CallEvent] = []

    def fails(event: CallEvent) -> None:
        told.append(event)
        raise RuntimeError("the listener's own trouble")

    calls = SipCalls(VOID, fails)
    calls.start()
    placed = calls.place(intent("+4989100", "+4989200"), NOW)
    assert isinstance(placed, Accepted)
    until = time.monotonic() + 30
    while len(told) < 2 and time.monotonic() < until:
        time.sleep(0.01)
    calls.close()
    assert [event.state for event in told] == [CallState.DIALING_OWNER, CallState.ENDED]


def test_the_time_is_never_asked_for_where_it_would_hold_up_telephones() -> None:
    asked_on: set[str] = set()
    told: list[CallEvent] = []

    def now() -> datetime:
        asked_on.add(threading.current_thread().name)
        time.sleep(0.01)  # as a clock in a database would
        return datetime.now(UTC)

    began = datetime.now(UTC)
    calls = SipCalls(SETTINGS, told.append, now=now)
    calls.start()
    calls.place(intent("+4989100", "+4989200"), began)
    calls.close(hang_up=True)
    assert asked_on == {"sip-events"}
    assert [event.state for event in told][-1] is CallState.ENDED
    assert all(began <= event.at <= datetime.now(UTC) for event in told)


def test_a_port_that_is_taken_is_said_at_the_start() -> None:
    port = free_port()
    with office(replace(VOID, port=port)):
        second = SipCalls(replace(VOID, port=port), lambda event: None)
        with pytest.raises(OSError, match="in use"):
            second.start()
        second.close()


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_two_of_us_reach_each_other_on_every_transport(host: str, transport: str) -> None:
    port = free_port()
    shown = f"[{host}]" if ":" in host else host
    try:
        socket.getaddrinfo(host, port)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.bind((host, 0))
    except OSError:
        pytest.skip(f"this machine has no {host}")
    template = f"sip:{{number}}@{shown}"
    other = SipSettings(number_template=template, listen=host, port=port)
    ours = replace(other, port=0, outbound=f"sip:{shown}:{port};transport={transport}")
    with office(other), office(ours) as desk:
        assert own_address(ours.domain) == host
        for _ in range(2):
            found = desk.calls.check()
            assert (found.answers, found.detail) == (True, "200 OK")


def bombard(port: int) -> None:
    """Everything at once that no telephone would send."""
    noise = [
        b"",
        b"\r\n\r\n",
        b"\0" * 4,
        b"INVITE sip:x SIP/2.0\r\n\r\n",
        b"\xff" * 8_000 + b"\r\n\r\n",
        b"SIP/2.0 200 OK\r\n\r\n",
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        for data in noise:
            stranger.sendto(data, ("127.0.0.1", port))
    for data in noise[3:]:
        with socket.create_connection(("127.0.0.1", port), 5) as stranger:
            stranger.settimeout(5)
            stranger.sendall(data)
            try:
                assert stranger.recv(100) == b""
            except ConnectionResetError:
                continue


def test_noise_is_dropped_and_streams_of_noise_are_closed() -> None:
    port = free_port()
    with (
        office(replace(VOID, port=port)),
        office(replace(SETTINGS, outbound=f"sip:127.0.0.1:{port}")) as us,
    ):
        bombard(port)
        with socket.create_connection(("127.0.0.1", port), 5) as keeps:
            keeps.settimeout(5)
            keeps.sendall(b"\r\n\r\n")
            assert keeps.recv(100) == b"\r\n"
        assert us.calls.check().answers


def test_strangers_who_hold_connections_keep_nobody_out() -> None:
    port = free_port()
    with ExitStack() as stack:
        stack.enter_context(office(replace(VOID, port=port)))
        us = stack.enter_context(office(replace(SETTINGS, outbound=f"sip:127.0.0.1:{port};transport=tcp")))
        first = stack.enter_context(socket.create_connection(("127.0.0.1", port), 5))
        for _ in range(100):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), 5))
        assert us.calls.check().answers
        first.settimeout(5)
        assert first.recv(10) == b""


# --- settings


def test_numbers_become_addresses_by_the_template() -> None:
    settings = SipSettings(
        number_template="sip:{digits}@pbx.example.com;user=phone",
        caller_template="sip:{caller}@trunk.example.com",
        username="sentinel",
        trusted_hosts=frozenset({"desk.example.com"}),
    )
    assert str(settings.target("+4989123")) == "sip:4989123@pbx.example.com;user=phone"
    assert str(settings.target("sip:anna@DESK.example.com:5070")) == "sip:anna@desk.example.com:5070"
    assert str(settings.caller("+4989100")) == "sip:+4989100@trunk.example.com"
    assert str(settings.caller("")) == "sip:sentinel@trunk.example.com"
    with pytest.raises(Malformed):
        settings.caller("x@evil.example>\r\n")


@pytest.mark.parametrize(
    "wrong",
    [
        {"number_template": "sip:4989@pbx.example.com"},
        {"number_template": "{number}"},
        {"number_template": "sips:{number}@pbx.example.com"},
        {"number_template": "sip:{number}@pbx.example.com;transport=tls"},
        {"number_template": "sip:{number}@pbx.example.com", "outbound": "pbx.example.com"},
        {"number_template": "sip:{number}@pbx.example.com", "username": "a b"},
    ],
)
def test_settings_that_cannot_work_are_refused_at_once(wrong: dict[str, str]) -> None:
    with pytest.raises(Malformed):
        SipSettings(**wrong)  # type: ignore[arg-type]


def test_the_password_is_not_shown() -> None:
    settings = SipSettings(number_template="sip:{number}@x.example", username="u", password="hunter2")
    assert "hunter2" not in repr(settings) + repr(settings.credentials)
