"""News of a call survives what databases do, and presses at the same time are one call."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, connections, transaction

from sentinel.calls.errors import CallRefused
from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import CallEvent, CallState, EndReason
from sentinel.channels.voice.base import CallStatus, Capabilities, Unavailable
from sentinel.channels.voice.listener import Listener
from sentinel.channels.voice.sender import VoiceSender
from sentinel.config.telephone import CallsBy
from sentinel.problems.models import Problem
from sentinel.workflows.place_call import place_call
from tests.fakes.telephone import FakeTelephone
from tests.world import World


@pytest.fixture(autouse=True)
def _an_exchange(settings: Any) -> None:
    settings.CALLS_BY = CallsBy(provider="sip", host="pbx.example")


def backend_that_waits_for_us() -> int:
    """The session that waits for a lock of this one. (Not from pg_stat_activity: a transaction sees that as
    it was at its first look.)"""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            row = cursor.fetchone()
        if row is not None:
            return int(row[0])
    raise AssertionError("nobody waits")


def test_news_waits_for_a_database_that_is_away_and_keeps_its_order(world: World) -> None:
    problem = world.frown()
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    fake = FakeTelephone()
    world.voice = VoiceSender(fake)
    world.tick()
    events = fake.plays(EndReason.COMPLETED, at=world.now)
    listener = Listener("sip")

    def hear() -> None:
        for event in events:
            listener(event)
        connections.close_all()

    thread = threading.Thread(target=hear, daemon=True)
    with transaction.atomic():
        Problem.objects.select_for_update().get(pk=problem.pk)
        thread.start()
        for _ in range(2):
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend_that_waits_for_us()])
    thread.join(20)
    assert not thread.is_alive()
    call.refresh_from_db()
    assert call.reason == "completed"
    assert [step.state for step in call.steps.all()] == [event.state for event in events]
    assert all(step.is_news for step in call.steps.all())


def test_an_engine_that_ends_waits_no_longer(world: World) -> None:
    listener = Listener("sip")
    listener.stop()
    event = CallEvent(key="x", ref="r", event_id="1", state=CallState.BRIDGED, at=world.now)
    listener(event)  # nobody asked for this call; and it comes back


def test_presses_at_the_same_time_let_one_telephone_ring(world: World) -> None:
    problems = [world.frown(), world.frown(worker=world.joao)]
    refused: list[str] = []
    calls: set[int] = set()
    start = threading.Barrier(4)

    def push(problem: Problem) -> None:
        start.wait(10)
        try:
            calls.add(place_call(problem_id=problem.pk, user=world.maria, now=world.now).pk)
        except CallRefused as error:
            refused.append(error.code)
        connections.close_all()

    threads = [threading.Thread(target=push, args=(problem,)) for problem in problems * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(calls) == 1
    assert refused == ["call_talking"] * 2
    assert PlacedCall.objects.count() == 1


class Service(FakeTelephone):
    """A voice service that reports by itself, and sometimes forgets to."""

    def __init__(self) -> None:
        super().__init__(provider="http_voice")
        self.capabilities = Capabilities(
            bridges=True, callbacks=True, idempotent=False, detects_machines=True
        )
        self.is_away = False

    def status(self, ref: str) -> CallStatus | None:
        if self.is_away:
            raise Unavailable("503")
        return super().status(ref)


def test_a_service_that_is_silent_is_asked(world: World, settings: Any) -> None:
    settings.CALLS_BY = CallsBy(provider="http_voice", host="api.example")
    problem = world.frown()
    service = Service()
    world.voice = VoiceSender(service)
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    world.tick()
    service.comes_to(CallState.BRIDGED, at=world.now)  # its webhook is lost
    service.is_away = True
    world.sleep_until(world.now + timedelta(seconds=31))
    world.tick()
    call.refresh_from_db()
    assert call.state == "requested"
    service.is_away = False
    world.tick()
    call.refresh_from_db()
    assert call.state == "bridged"
    service.ends(EndReason.COMPLETED, at=world.now)
    world.sleep_until(world.now + timedelta(seconds=31))
    world.tick()
    call.refresh_from_db()
    assert (call.state, call.reason) == ("ended", "completed")
