"""The console's sender and the fake keep the same contract as every other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sentinel.channels.base import Sender, Sent
from sentinel.channels.console.sender import ConsoleSender
from sentinel.outbox.rules import Result
from tests.channels.contract import SenderContract
from tests.fakes.sender import FakeSender


class TestConsole(SenderContract):
    """Cannot fail: there is nobody to hand the message to."""

    @contextmanager
    def working(self) -> Iterator[Sender]:
        yield ConsoleSender()

    @contextmanager
    def failing(self, how: Result) -> Iterator[Sender | None]:
        yield None


class TestFake(SenderContract):
    """What stories send with must behave like what they stand in for."""

    @contextmanager
    def working(self) -> Iterator[Sender]:
        yield FakeSender(channel="email")

    @contextmanager
    def failing(self, how: Result) -> Iterator[Sender | None]:
        yield FakeSender(channel="email").will(Sent(result=how, detail="as scripted"))
