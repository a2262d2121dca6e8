"""A dead ear and a dead sender are found; tries to send are counted once, and never fewer than before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from sentinel.assurance.ears import LISTENER, MAILBOX, close_ear, ears, note_ear, silent_ears
from sentinel.assurance.models import Finding, SendTally
from sentinel.assurance.rules import EAR_PATIENCE, judge
from sentinel.assurance.selectors import look
from sentinel.assurance.tally import sends, tally_sends
from sentinel.bulk.models import SenderState
from sentinel.channels.base import Sent
from sentinel.config.servers import Ear
from sentinel.engine.auditor import Auditor
from sentinel.engine.heartbeat import Heartbeat
from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from sentinel.outbox.counting import newest_attempt
from sentinel.outbox.rules import Result
from tests.world import World, build_world


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """The cast, in a transaction that is taken back."""
    yield build_world()
    clock.install(SystemClock())


@pytest.fixture
def with_an_ear(settings: Any) -> None:
    """As if SENTINEL_INBOUND_LISTEN were set."""
    settings.INBOUND_DOMAIN = "in.sentinel.example"
    settings.EAR = Ear("lmtp", "127.0.0.1", 8024)


class Watch:
    """One auditor that is asked now and then."""

    def __init__(self) -> None:
        self._auditor = Auditor()

    def looks_twice(self, world: World) -> list[str]:
        """What is wrong, after a second look."""
        for _ in range(2):
            self._auditor._next_at = 0.0
            Heartbeat().finished_cycle(world.now)
            self._auditor.turn()
        open_now = Finding.objects.filter(over_at__isnull=True).order_by("key")
        return list(open_now.values_list("key", flat=True))


def test_an_ear_that_never_beat_is_found_once_it_had_time_to_start(world: World, with_an_ear: None) -> None:
    watch = Watch()
    assert watch.looks_twice(world) == []
    world.clock.advance(seconds=EAR_PATIENCE.total_seconds() + 1)
    assert watch.looks_twice(world) == ["ear_silent:listener"]
    note_ear(way=LISTENER, host="mx1", error="", now=world.now)
    assert watch.looks_twice(world) == []
    assert Finding.objects.get(check_name="ear_silent").over_at == world.now


def test_a_dead_ear_says_why_and_health_shows_it(world: World, with_an_ear: None) -> None:
    watch = Watch()
    note_ear(way=LISTENER, host="mx1", error="", now=world.now)
    watch.looks_twice(world)
    world.clock.advance(seconds=EAR_PATIENCE.total_seconds() + 1)
    note_ear(way=LISTENER, host="mx1", error="it does not answer: refused", now=world.now)
    assert watch.looks_twice(world) == ["ear_silent:listener"]
    browser = Client()
    browser.force_login(world.ada)
    page = browser.get("/health/").content.decode()
    assert "the ear is dead: no mail comes in by the listener (it does not answer: refused)" in page
    assert "sentinel inbound" in page
    assert "Ear: listener on mx1" in page


def test_one_of_two_ears_is_enough_and_one_closed_on_purpose_is_not_missed(world: World) -> None:
    began = world.now
    note_ear(way=MAILBOX, host="a", error="", now=began)
    later = began + EAR_PATIENCE + timedelta(seconds=1)
    note_ear(way=MAILBOX, host="b", error="", now=later)
    assert judge(silent_ears(now=later, since=began, expected=()), later) == []
    close_ear(way=MAILBOX, host="b")
    assert [f.key for f in judge(silent_ears(now=later, since=began, expected=()), later)] == [
        "ear_silent:mailbox"
    ], "it beats no more, and nobody closed it"
    close_ear(way=MAILBOX, host="a")
    assert silent_ears(now=later, since=began, expected=()) == []
    assert ears() == []


def test_a_sender_that_stopped_is_noted_before_anything_is_due(world: World) -> None:
    def found() -> list[str]:
        return [fault.key for fault in judge(look(world.now), world.now)]

    assert found() == [], "nobody waits for a sender that never ran"
    SenderState.objects.create(alive_at=world.now)
    assert found() == []
    world.clock.advance(minutes=3)
    assert found() == ["sender_gone"]
    world.clock.advance(days=8)
    assert "sender_gone" not in found()


def test_an_engine_that_lives_and_finishes_no_cycle_is_found(world: World) -> None:
    auditor = Auditor()
    for minutes in (0, 1, 2, 3):
        world.clock.set(world.clock.now() + timedelta(minutes=minutes))
        auditor._next_at = 0.0
        auditor.turn()
    assert "engine_silent" in Finding.objects.filter(over_at=None).values_list("key", flat=True)


def test_every_try_is_counted_once_and_the_sum_never_shrinks(world: World) -> None:
    world.email.will(Sent(result=Result.TRANSIENT, detail="451 later"))
    sums: list[int] = []
    for _ in range(4):
        world.frown("It jams", worker=world.joao)
        world.tick()
        sums.append(sum(sends().values()))
        tally_sends(now=world.now)
        sums.append(sum(sends().values()))
        world.advance(minutes=2)
        sums.append(sum(sends().values()))
        tally_sends(now=world.now)
        sums.append(sum(sends().values()))
    assert sums == sorted(sums)
    tally = SendTally.objects.get()
    assert 0 < tally.counted_to <= newest_attempt()
    assert sums[-1] == len(world.email.sent) + len(world.console.sent)
    assert sends()["email", "transient"] == 1
    assert sum(tally.counts.values()) > 0


def test_what_may_still_be_committed_below_is_not_tallied_yet(world: World) -> None:
    world.frown("It jams")
    world.tick()
    assert tally_sends(now=world.now) == 0, "the first look only remembers the newest"
    assert tally_sends(now=world.now) == 0
    world.clock.advance(seconds=61)
    assert tally_sends(now=world.now) == sum(sends().values()) > 0
