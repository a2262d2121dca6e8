"""The channel "voice" keeps the contract of senders, with a real exchange and with the tests' own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sentinel.calls.rules import PLACED_WITHIN
from sentinel.channels.base import Sender, Sent
from sentinel.channels.voice.base import CallEvent, CallPort, Rejected, Unavailable, Unclear
from sentinel.channels.voice.exchange import Exchange
from sentinel.channels.voice.listener import Listener
from sentinel.channels.voice.sender import TRIES, VoiceSender
from sentinel.outbox.rules import Result
from sentinel.outbox.services import Claimed
from tests.channels.contract import NOW, SenderContract, claimed
from tests.channels.voice.sip import sipp
from tests.channels.voice.sip.exchange import SETTINGS
from tests.fakes.telephone import FakeTelephone, FindingTelephone


class Notes:
    """A book on paper."""

    def __init__(self) -> None:
        self.unwanted: set[str] = set()
        self.placed: list[tuple[str, str]] = []
        self.given_up: list[tuple[str, str]] = []
        self.refused: list[str] = []

    def wish_to_place(self, *, key: str, can_ask: bool, now: datetime) -> bool:
        return key not in self.unwanted

    def was_refused(self, *, key: str) -> None:
        self.refused.append(key)

    def was_placed(self, *, key: str, ref: str, now: datetime) -> None:
        self.placed.append((key, ref))

    def could_not_place(self, *, key: str, reason: str, now: datetime) -> bool:
        self.given_up.append((key, reason))
        return True


def sender(port: CallPort) -> VoiceSender:
    return VoiceSender(port, caller_id="+4930555000", book=Notes())


class TestWithTheTestsOwnExchange(SenderContract):
    @contextmanager
    def working(self) -> Iterator[Sender]:
        yield sender(FakeTelephone())

    @contextmanager
    def failing(self, how: Result) -> Iterator[Sender | None]:
        yield sender(FakeTelephone().will(Rejected(permanent=how is Result.PERMANENT, reason="no")))


class _Deaf(Listener):
    """Writes nothing down: there is no database here."""

    def __call__(self, event: CallEvent) -> None:
        pass


class _Misdialled:
    """The first number is none."""

    def __init__(self, good: Sender) -> None:
        self._good = good
        self._numbers = ["12"]
        self.channel, self.capabilities = good.channel, good.capabilities

    def send(self, message: Claimed, now: datetime) -> Sent:
        number = self._numbers.pop() if self._numbers else message.payload["owner_number"]
        return self._good.send(replace(message, payload={**message.payload, "owner_number": number}), now)

    def close(self) -> None:
        self._good.close()


@pytest.mark.sip
class TestWithARealTelephone(SenderContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.folder = tmp_path

    @contextmanager
    def working(self) -> Iterator[Sender]:
        busy = [sipp.recv("INVITE"), sipp.send(486, retrans=500), sipp.recv("ACK")]
        with sipp.telephone("pbx", busy, self.folder / "pbx", calls=40) as pbx:
            exchange = Exchange(replace(SETTINGS, outbound=f"sip:127.0.0.1:{pbx.port}"), _Deaf("sip"))
            try:
                yield sender(exchange)
            finally:
                exchange.close()

    @contextmanager
    def failing(self, how: Result) -> Iterator[Sender | None]:
        # Whatever a telephone or its exchange says comes later, as news of a call that was placed.
        if how is not Result.PERMANENT:
            yield None
            return
        with self.working() as good:
            yield _Misdialled(good)


def test_a_repeated_claim_is_looked_up_first() -> None:
    port = FindingTelephone()
    ours = sender(port)
    ours.send(claimed("voice"), NOW)
    again = ours.send(replace(claimed("voice"), attempts=2), NOW)
    assert (again.result, again.provider_ref, len(port.calls)) == (Result.ACCEPTED, "fake-1", 1)


def test_what_cannot_be_looked_up_is_not_repeated() -> None:
    class Away(FindingTelephone):
        def find(self, key: str, since: datetime) -> str | None:
            raise Unavailable("the service is away")

    port = Away()
    assert sender(port).send(replace(claimed("voice"), attempts=2), NOW).result is Result.TRANSIENT
    port.will(Unclear("no answer"))
    assert sender(port).send(claimed("voice"), NOW).result is Result.UNKNOWN
    assert not port.calls


@pytest.mark.parametrize("rings", [True, False])
def test_an_unclear_placing_is_looked_up_at_once(rings: bool) -> None:
    port = FindingTelephone()
    port.will(Unclear("no answer"))
    port.rings_when_unclear = rings
    sent = sender(port).send(claimed("voice"), NOW)
    assert sent.result is (Result.ACCEPTED if rings else Result.UNKNOWN)
    assert sent.provider_ref == ("fake-1" if rings else "")


def test_what_nobody_wants_any_more_does_not_ring() -> None:
    port = FakeTelephone()
    ours = VoiceSender(port, book=(notes := Notes()))
    notes.unwanted.add("call-1")
    assert ours.send(claimed("voice"), NOW).result is Result.ACCEPTED
    assert not port.calls


def test_it_gives_up_in_time_and_says_so() -> None:
    port, notes = FakeTelephone(), Notes()
    ours = VoiceSender(port, book=notes)
    late = NOW + PLACED_WITHIN + timedelta(seconds=1)
    assert ours.send(claimed("voice"), late).result is Result.PERMANENT
    port.will(Rejected(permanent=False, reason="all lines are busy"))
    last = replace(claimed("voice", number=2), attempts=TRIES)
    assert ours.send(last, NOW).result is Result.PERMANENT
    assert [key for key, _ in notes.given_up] == ["call-1", "call-2"]
    assert not port.calls


def test_a_process_that_stood_still_before_it_asked_rings_nobody() -> None:
    port, notes = FakeTelephone(), Notes()
    seconds = iter([0.0, 30.0])
    ours = VoiceSender(port, book=notes, steady=lambda: next(seconds))
    assert ours.send(claimed("voice"), NOW).result is Result.PERMANENT
    assert [key for key, _ in notes.given_up] == ["call-1"]
    assert not port.calls
