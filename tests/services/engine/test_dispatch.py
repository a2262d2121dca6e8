"""Sending what the outbox holds: order of marking and sending, bulkheads, and failures people hear of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from sentinel.channels import registry
from sentinel.channels.base import Sent
from sentinel.engine.passes import dispatch
from sentinel.outbox.rules import Priority, Result
from sentinel.outbox.selectors import count_by_state, message_by_key
from sentinel.outbox.services import LEASE, Claimed, NewMessage, claim, enqueue, settle
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
