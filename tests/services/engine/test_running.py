"""The engine as it runs: threads, wake-ups, bulkheads, a database that goes away, and a quick stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from sentinel.channels import registry
from sentinel.channels.base import Sent
from sentinel.engine import loop
from sentinel.engine.loop import play, run_forever
from sentinel.engine.models import EngineBeat
from sentinel.engine.passes import plan_check_ins
from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from sentinel.outbox.rules import Priority, Result
from sentinel.outbox.services import Claimed, NewMessage, enqueue
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from tests.fakes.sender import FakeSender
from tests.world import World

pytestmark = pytest.mark.django_db(transaction=True)

PATIENCE = 20.0


class Telling(FakeSender):
    """A fake that says when it was given something."""

    def __init__(self, channel: str) -> None:
        super().__init__(channel)
        self.told = threading.Semaphore(0)

    def send(self, message: Claimed, now: datetime) -> Sent:
        sent = super().send(message, now)
        self.told.release()
        return sent

    def expect(self, count: int = 1) -> None:
        for _ in range(count):
            assert self.told.acquire(timeout=PATIENCE), "the message was not sent"


def add(key: str, channel: str = "email", **columns: Any) -> None:
    with transaction.atomic():
        enqueue(
            [
                NewMessage(
                    dedupe_key=key,
                    channel=channel,
                    kind="problem.receipt",
                    recipient_kind="worker",
                    recipient_id=1,
                    priority=Priority.ALARM,
                    **columns,
                )
            ],
            now=datetime.now(UTC),
        )


def until(true: Callable[[], bool]) -> None:
    """Ask again and again; the engine commits in its own threads."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def engine(*senders: FakeSender) -> Iterator[threading.Event]:
    stop = threading.Event()
    with registry.using({sender.channel: sender for sender in senders}):
        thread = threading.Thread(target=run_forever, args=(stop,))
        thread.start()
        try:
            yield stop
        finally:
            stop.set()
            thread.join(timeout=10)
            clock.install(SystemClock())
            assert not thread.is_alive()


@pytest.fixture
def sound_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    """What nobody rings for and what is not due by itself is noticed only when our patience has ended."""
    monkeypatch.setattr(loop, "LONGEST_SLEEP", 3 * PATIENCE)


@pytest.mark.usefixtures("sound_sleep")
def test_a_message_goes_out_as_soon_as_it_is_committed() -> None:
    email = Telling("email")
    with engine(email):
        for n in range(10):
            add(f"m{n}")
            email.expect()


def test_a_hanging_channel_delays_no_other() -> None:
    free = threading.Event()
    email, console = Telling("email"), Telling("console")

    def hang(_message: Claimed) -> Sent:
        free.wait(PATIENCE)
        return Sent(result=Result.TRANSIENT, detail="silence")

    email.will(hang)
    with engine(email, console):
        try:
            add("hangs")
            add("passes", channel="console")
            console.expect()
            assert not free.is_set()
        finally:
            free.set()


@pytest.mark.usefixtures("sound_sleep")
def test_a_message_due_later_goes_out_when_it_is_due() -> None:
    email = Telling("email")
    with engine(email):
        due = datetime.now(UTC) + timedelta(seconds=1)
        add("later", due_at=due)
        email.expect()
    assert email.at[0] >= due


def test_it_goes_on_after_the_database_dropped_every_connection() -> None:
    email = Telling("email")
    with engine(email):
        add("before")
        email.expect()
        until(lambda: EngineBeat.objects.exists())
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.fetchone()[0] >= 3
        add("after")
        email.expect()


def test_it_finishes_cycles_and_says_so_and_leaves_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "LONGEST_PAUSE", 3 * PATIENCE)  # one thread sleeps so long unless it is woken
    before = threading.enumerate()
    with engine(Telling("email")) as stop:
        until(lambda: EngineBeat.objects.filter(cycle_no__gte=2).exists())
        mine = [thread for thread in threading.enumerate() if thread.daemon and thread not in before]
        assert {"decider", "listener", "email-0"} <= {thread.name for thread in mine}
        stop.set()
        # Each by itself, woken from its sleep: none is left behind when the time to stop is over.
        until(lambda: not any(thread.is_alive() for thread in mine))
    assert not EngineBeat.objects.exists()


def test_one_pass_that_fails_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> int:
        raise ValueError("a mistake in one pass")

    monkeypatch.setattr(plan_check_ins, "plan_check_ins", broken)
    email = Telling("email")
    with engine(email):
        add("k")
        email.expect()
        until(lambda: EngineBeat.objects.filter(cycle_no__gte=2).exists())


def test_two_engines_share_the_work_and_send_nothing_twice() -> None:
    email = Telling("email")
    with engine(email):
        stop = threading.Event()
        second = threading.Thread(target=run_forever, args=(stop,))
        second.start()
        until(lambda: EngineBeat.objects.count() == 2)
        for n in range(40):
            add(f"m{n}")
        email.expect(40)
        stop.set()
        second.join(timeout=10)
    assert sorted(email.keys) == sorted(f"m{n}" for n in range(40))


def test_a_played_week_fires_each_rung_at_its_own_time(world: World) -> None:
    """An advance of the demonstration's clock is lived through, not jumped over."""
    problem = world.frown()
    start, end = world.now, world.now + timedelta(days=7)
    with registry.using({"email": world.email, "console": world.console}):
        play(since=start, until=end)
    duty = world.duty(problem)
    assert duty.repeats >= 3
    fired = Event.objects.filter(problem_id=problem.pk, verb=Verb.DUTY_FIRED.value)
    assert [event.at.isoformat() for event in fired] == [event.data["scheduled_at"] for event in fired]
    assert not Event.objects.filter(verb=Verb.DUTY_COLLAPSED.value).exists()
