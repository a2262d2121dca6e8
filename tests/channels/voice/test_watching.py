"""Whether the exchange is there is asked of real ones, in time, and nothing waits for the answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connections

from sentinel.calls.exchanges import exchange_beats, silent_exchange
from sentinel.channels.voice.base import Accepted, CallEvent, CheckedPort, Unavailable
from sentinel.channels.voice.exchange import Exchange
from sentinel.channels.voice.listener import Listener
from sentinel.channels.voice.sip.settings import SipSettings
from sentinel.channels.voice.sip.wire import Timing
from sentinel.engine.passes.watch_exchange import Watch, ask
from tests.channels.contract import NOW
from tests.channels.voice.sip import sipp
from tests.channels.voice.sip.exchange import SETTINGS, intent
from tests.fakes.telephone import FakeTelephone


class Deaf(Listener):
    """Writes nothing down."""

    def __call__(self, event: CallEvent) -> None:
        pass


@contextmanager
def exchange(port: int, **changes: object) -> Iterator[Exchange]:
    """An exchange at that port of this machine."""
    settings: SipSettings = replace(SETTINGS, outbound=f"sip:127.0.0.1:{port}", **changes)  # type: ignore[arg-type]
    found = Exchange(settings, Deaf("sip"))
    try:
        yield found
    finally:
        found.close()


@contextmanager
def nobody() -> Iterator[int]:
    """A port that takes everything and says nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        yield silent.getsockname()[1]


@pytest.mark.sip
@pytest.mark.django_db
def test_an_exchange_that_answers_is_asked_once_a_minute(tmp_path: Path) -> None:
    answers = [sipp.recv("OPTIONS"), sipp.send(200)]
    with sipp.telephone("pbx", answers, tmp_path, calls=2) as pbx, exchange(pbx.port) as port:
        assert [ask(port, now=NOW + timedelta(seconds=after)) for after in (0, 1, 30, 60)] == [
            True,
            False,
            False,
            True,
        ]
        assert pbx.is_content()
    [beat] = exchange_beats("sip", now=NOW)
    assert (beat.peer, beat.detail, beat.silent_since) == (f"127.0.0.1:{pbx.port}", "200 OK", None)
    assert beat.answered_at == NOW + timedelta(minutes=1)


@pytest.mark.django_db
def test_an_exchange_that_is_silent_is_silent_since_the_first_question() -> None:
    with nobody() as silent, exchange(silent, timing=Timing(t1=0.005)) as port:
        for minute in range(3):
            assert ask(port, now=NOW + timedelta(minutes=minute))
    beat = silent_exchange("sip", now=NOW + timedelta(minutes=3))
    assert beat is not None
    assert (beat.silent_since, beat.answered_at, beat.detail) == (NOW, None, "408 no response")


@pytest.mark.django_db(transaction=True)
def test_a_silent_exchange_keeps_no_call_waiting_and_an_end_is_no_silence() -> None:
    watch, asked = Watch(), threading.Event()
    with nobody() as silent, exchange(silent) as port:
        check = port.check

        def check_and_say() -> object:
            asked.set()
            return check()

        port.check = check_and_say  # type: ignore[method-assign, assignment]
        watch.turn(port)
        assert asked.wait(20)
        assert isinstance(port.place(intent("+4989100", "+4989200"), NOW), Accepted)
        assert watch._asking is not None
        assert watch._asking.is_alive(), "it still waits for the answer"
        watch.turn(port)
    watch._asking.join(20)
    assert not watch._asking.is_alive()
    assert exchange_beats("sip", now=NOW) == [], "nobody knows: the process was ending"
    connections.close_all()


def test_where_calls_go_straight_to_telephones_nobody_is_asked() -> None:
    watch = Watch()
    port = Exchange(replace(SETTINGS, outbound=""))
    assert isinstance(port, CheckedPort)
    for other in (port, FakeTelephone(), None):
        watch.turn(other)
    assert watch._asking is None
    port.close()
    with pytest.raises(Unavailable):
        port.check()
