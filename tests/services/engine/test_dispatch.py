"""Sending what the outbox holds: order of marking and sending, bulkheads, and failures people hear of."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DataError, OperationalError, connection, transaction

from sentinel.channels import registry
from sentinel.channels.base import Capabilities, Sent, Tried
from sentinel.channels.console.sender import ConsoleSender
from sentinel.engine.passes import dispatch
from sentinel.outbox.models import Attempt, Message
from sentinel.outbox.rules import Priority, Result
from sentinel.outbox.selectors import count_by_state, message_by_key
from sentinel.outbox.services import (
    LEASE,
    Claimed,
    NewMessage,
    claim,
    enqueue,
    settle,
    settle_accepted,
)
from tests.fakes.sender import FakeSender

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def add(*keys: str, channel: str = "email", **columns: Any) -> None:
    columns.setdefault("priority", Priority.LADDER)
    with transaction.atomic():
        enqueue(
            [
                NewMessage(
                    dedupe_key=key,
                    channel=channel,
                    kind="problem.receipt",
                    recipient_kind="worker",
                    recipient_id=7,
                    address="olena@example.com",
                    payload={"subject": key},
                    **columns,
                )
                for key in keys
            ],
            now=NOW,
        )


@contextmanager
def sending_with(*senders: FakeSender) -> Iterator[None]:
    with registry.using({sender.channel: sender for sender in senders}):
        yield


def state(key: str) -> str:
    found = message_by_key(key)
    assert found is not None
    return found.state


def test_everything_due_on_every_channel_is_sent_once() -> None:
    add("a", "b")
    add("c", channel="console")
    email, console = FakeSender(channel="email"), FakeSender(channel="console", batch=50)
    with sending_with(email, console):
        assert dispatch.run(NOW) == 3
        assert dispatch.run(NOW) == 0
    assert (email.keys, console.keys) == (["a", "b"], ["c"])
    assert count_by_state() == {"accepted": 3}


def test_one_at_a_time_takes_the_most_urgent() -> None:
    add("check-in", priority=Priority.CHECK_IN)
    add("alarm", priority=Priority.ALARM)
    email = FakeSender()
    with sending_with(email):
        assert dispatch.handle_one(NOW)
    assert email.keys == ["alarm"]


def test_nothing_is_marked_before_the_provider_took_it() -> None:
    """The mutant that marks first would lose this message (see L8)."""
    add("k")
    seen: list[str] = []

    def crash(message: Claimed) -> Sent:
        seen.append(state("k"))
        raise SystemExit("killed between claim and acceptance")

    with sending_with(FakeSender().will(crash)), pytest.raises(SystemExit):
        dispatch.run(NOW)
    assert seen == ["sending"]
    email = FakeSender()
    with sending_with(email):
        assert dispatch.run(NOW + LEASE) == 1
    assert email.keys == ["k"]


def test_a_crash_after_acceptance_repeats_the_same_message() -> None:
    add("k")
    (first,) = claim(channel="email", limit=1, now=NOW)  # accepted by the provider, then killed
    email = FakeSender()
    with sending_with(email):
        dispatch.run(NOW + LEASE)
    (second,) = email.sent
    assert (first.message_id, first.created_at, first.payload) == (
        second.message_id,
        second.created_at,
        second.payload,
    )


def test_a_transient_failure_waits_and_does_not_hold_up_the_next() -> None:
    add("a", "b")
    email = FakeSender().will(Sent(result=Result.TRANSIENT, detail="451"))
    with sending_with(email):
        assert dispatch.run(NOW) == 2
        assert dispatch.run(NOW + timedelta(seconds=3)) == 0
        assert dispatch.run(NOW + timedelta(seconds=7)) == 1
    assert email.keys == ["a", "b", "a"]


def test_a_sender_that_raises_stops_nobody() -> None:
    def boom(message: Claimed) -> Sent:
        raise ValueError("a sender's mistake")

    add("a", "b")
    email = FakeSender().will(boom)
    with sending_with(email):
        dispatch.run(NOW)
    assert (state("a"), state("b")) == ("pending", "accepted")


def test_an_unclear_result_is_tried_again_only_where_repeating_is_harmless() -> None:
    unclear = Sent(result=Result.UNKNOWN, detail="no answer")
    add("mail")
    add("call", channel="voice")
    with sending_with(
        FakeSender().will(unclear), FakeSender(channel="voice", may_repeat=False).will(unclear)
    ):
        dispatch.run(NOW)
    assert (state("mail"), state("call")) == ("pending", "unknown")


def test_a_result_that_comes_after_the_lease_is_not_written() -> None:
    add("k")

    def slow(message: Claimed) -> Sent:
        claim(channel="email", limit=1, now=NOW + LEASE)  # another engine took it over
        return Sent(result=Result.PERMANENT, detail="550")

    with sending_with(FakeSender().will(slow)):
        dispatch.run(NOW)
    assert state("k") == "sending"


@pytest.mark.django_db(transaction=True)
def test_the_answer_is_not_forgotten_when_the_database_is_away_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add("k")
    outages = [OperationalError("server closed the connection"), None]

    def shaky(**arguments: Any) -> Any:
        if outage := outages.pop(0):
            connection.close()
            raise outage
        return settle(**arguments)

    monkeypatch.setattr(dispatch, "settle", shaky)
    monkeypatch.setattr(dispatch, "SETTLE_PAUSE_SECONDS", 0.0)
    email = FakeSender()
    with sending_with(email):
        dispatch.run(NOW)
    assert (email.keys, state("k")) == (["k"], "accepted")


# -- several at once -------------------------------------------------------------------------------------

FINE = Sent(result=Result.ACCEPTED, provider="fake")


class ManyFake(FakeSender):
    """Takes several in a row; ``before`` is called with each message when it is begun."""

    def __init__(self, *, together: int = 20, before: Callable[[Claimed], None] = lambda _: None) -> None:
        super().__init__()
        self.capabilities = Capabilities(may_repeat=True, connections=1, batch=100, together=together)
        self.before = before

    def send_many(self, messages: Iterable[Claimed]) -> Iterator[Tried | None]:
        for message in messages:
            self.before(message)
            yield message, self.send(message, NOW)


def states() -> dict[str, str]:
    return dict(Message.objects.order_by("id").values_list("dedupe_key", "state"))


def test_of_several_settled_together_one_whose_lease_was_lost_is_left_to_whoever_has_it() -> None:
    add("a", "b", "c")

    def take_over_b(message: Claimed) -> None:
        if message.dedupe_key == "c":  # a and b were accepted and are not written down yet
            Message.objects.filter(dedupe_key="b").update(visible_at=NOW - timedelta(seconds=1))
            claim(channel="email", limit=1, now=NOW)

    with sending_with(ManyFake(before=take_over_b)):
        assert dispatch.dispatch_channel(channel="email", clock=lambda: NOW) == 3
    assert states() == {"a": "accepted", "b": "sending", "c": "accepted"}
    assert list(Attempt.objects.order_by("id").values_list("message__dedupe_key", "number")) == [
        ("a", 1),
        ("c", 1),
    ]


def test_a_lease_begins_when_it_is_taken_however_long_the_gate_took() -> None:
    add("a")
    instants = iter(NOW + timedelta(seconds=n) for n in (0, 20, 21))
    ends: list[datetime] = []
    email = ManyFake(before=lambda _: ends.append(Message.objects.get().visible_at))
    with sending_with(email):
        dispatch.dispatch_channel(channel="email", clock=lambda: next(instants))
    assert ends == [NOW + timedelta(seconds=20) + LEASE]


@pytest.mark.django_db(transaction=True)
def test_several_answers_are_not_forgotten_when_the_database_is_away_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add("a", "b", "c")
    outages = [OperationalError("server closed the connection"), OperationalError("still starting"), None]

    def shaky(*arguments: Any, **named: Any) -> Any:
        if outage := outages.pop(0):
            connection.close()
            raise outage
        return settle_accepted(*arguments, **named)

    monkeypatch.setattr(dispatch, "settle_accepted", shaky)
    monkeypatch.setattr(dispatch, "SETTLE_PAUSE_SECONDS", 0.0)
    email = ManyFake()
    with sending_with(email):
        dispatch.run(NOW)
    assert (email.keys, states()) == (["a", "b", "c"], dict.fromkeys("abc", "accepted"))
    assert outages == []


@pytest.mark.django_db(transaction=True)
def test_when_the_database_stays_away_what_was_in_flight_is_repeated_after_the_lease(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add("a", "b")

    def away(*_: Any, **__: Any) -> Any:
        raise OperationalError("server closed the connection")

    monkeypatch.setattr(dispatch, "SETTLE_PAUSE_SECONDS", 0.0)
    with monkeypatch.context() as outage, sending_with(ManyFake()):
        outage.setattr(dispatch, "settle_accepted", away)
        with pytest.raises(OperationalError):
            dispatch.dispatch_channel(channel="email", clock=lambda: NOW, lease=timedelta(seconds=0.1))
    assert states() == dict.fromkeys("ab", "sending")
    email = ManyFake()
    with sending_with(email):
        dispatch.run(NOW + LEASE)
    assert (email.keys, states()) == (["a", "b"], dict.fromkeys("ab", "accepted"))


def test_a_result_that_cannot_be_written_with_the_others_is_written_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    add("a", "b", "c")
    monkeypatch.setattr(dispatch, "settle_accepted", lambda *_, **__: _raise(DataError("a poison row")))
    with sending_with(ManyFake()):
        dispatch.run(NOW)
    assert states() == dict.fromkeys("abc", "accepted")


def _raise(error: Exception) -> None:
    raise error


def test_at_most_as_many_as_the_channel_says_wait_to_be_written_down_the_one_under_way_included() -> None:
    add(*"abcdefgh")
    unwritten: list[int] = []

    def count(_message: Claimed) -> None:
        unwritten.append(sum(state == "sending" for state in states().values()) - 8 + len(unwritten) + 1)

    with sending_with(ManyFake(together=4, before=count)):
        dispatch.dispatch_channel(channel="email", clock=lambda: NOW)
    assert unwritten == [1, 2, 3, 1, 2, 3, 1, 2]


def test_while_the_other_side_is_slow_nothing_waits_to_be_written_down() -> None:
    class Slow(ManyFake):
        def send_many(self, messages: Iterable[Claimed]) -> Iterator[Tried | None]:
            for tried in super().send_many(messages):
                yield tried
                yield None
                assert states()["a"] == "accepted"

    add("a", "b")
    with sending_with(Slow()):
        dispatch.run(NOW)
    assert states() == dict.fromkeys("ab", "accepted")


def test_a_failure_among_several_is_written_and_told_by_itself() -> None:
    add("a", "b", "c")
    email = ManyFake().will(FINE, Sent(result=Result.PERMANENT, detail="550 nobody"), FINE)
    with sending_with(email):
        dispatch.dispatch_channel(channel="email", clock=lambda: NOW)
    assert {key: found for key, found in states().items() if len(key) == 1} == {
        "a": "accepted",
        "b": "failed",
        "c": "accepted",
    }


def test_a_sender_of_several_that_raises_spoils_only_what_it_had_begun() -> None:
    def boom(message: Claimed) -> None:
        if message.dedupe_key == "b":
            raise KeyError("a sender's mistake")

    add("a", "b", "c")
    with sending_with(ManyFake(before=boom)):
        dispatch.dispatch_channel(channel="email", clock=lambda: NOW)
    assert [(m.dedupe_key, m.state, m.attempts) for m in Message.objects.order_by("id")] == [
        ("a", "accepted", 1),
        ("b", "pending", 1),
        ("c", "pending", 0),
    ]
    with sending_with(ManyFake()):
        assert dispatch.dispatch_channel(channel="email", clock=lambda: NOW) == 1
    assert states()["c"] == "accepted"


def test_what_was_not_begun_when_the_engine_stops_goes_to_others_at_once() -> None:
    add("a", "b", "c")
    stop = threading.Event()
    with sending_with(ManyFake(before=lambda _: stop.set())):
        dispatch.dispatch_channel(channel="email", clock=lambda: NOW, stop=stop)
    assert states() == {"a": "accepted", "b": "pending", "c": "pending"}
    assert [m.dedupe_key for m in claim(channel="email", limit=5, now=NOW)] == ["b", "c"]


def test_a_console_notice_is_accepted_where_it_lies_and_its_try_is_on_record() -> None:
    add("a", "b", channel="console")
    with registry.using({"console": ConsoleSender()}):
        assert dispatch.run(NOW) == 2
    assert states() == dict.fromkeys("ab", "accepted")
    row = Message.objects.get(dedupe_key="a")
    assert (row.attempts, row.provider, row.provider_ref, row.settled_at) == (
        1,
        "console",
        str(row.pk),
        NOW,
    )
    assert list(Attempt.objects.order_by("id").values_list("number", "result")) == [(1, "accepted")] * 2


def test_the_pace_follows_what_a_batch_takes() -> None:
    pace = dispatch.Pace(100)
    for _ in range(6):
        pace.learn(tried=pace.size, seconds=0.01)
    assert pace.size == 100
    pace.learn(tried=20, seconds=0.01)
    assert pace.size == 100
    pace.learn(tried=100, seconds=2.5)
    assert pace.size == 10
    pace.learn(tried=1, seconds=10)
    assert pace.size == 1
    pace.learn(tried=1, seconds=0.1)
    assert pace.size == 2
