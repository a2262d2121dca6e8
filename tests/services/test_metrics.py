"""`/metrics`: only with the token, true to the database, and nobody's name in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from prometheus_client.parser import text_string_to_metric_families

from sentinel.assurance.ears import LISTENER, note_ear
from sentinel.assurance.rules import Check
from sentinel.assurance.services import fly_canary
from sentinel.bulk.models import SenderState
from sentinel.calls.exchanges import note_exchange
from sentinel.channels.base import Sent
from sentinel.config import metrics
from sentinel.config.telephone import CallsBy
from sentinel.engine.heartbeat import Heartbeat
from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from sentinel.outbox.rules import Result
from tests.house.sources import ROOT
from tests.world import World, build_world

HANDBOOK = ROOT / "docs" / "how-to" / "watch-sentinel.md"
ALARMS = HANDBOOK.with_name("sentinel-alarms.yml")
TOKEN = "a-token-of-enough-characters"
Numbers = dict[tuple[str, frozenset[tuple[str, str]]], float]


@pytest.fixture
def world(db: None, settings: Any) -> Iterator[World]:
    """The cast, with the token set, in a transaction that is taken back."""
    settings.METRICS_TOKEN = TOKEN
    world = build_world()
    with clock.using(world.clock):
        yield world
    clock.install(SystemClock())


def ask(authorization: str = f"Bearer {TOKEN}") -> Any:
    return Client().get("/metrics", headers={"Authorization": authorization} if authorization else {})


def numbers() -> Numbers:
    """Every sample, as Prometheus itself reads the page."""
    text = ask().content.decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Numbers, name: str, **labels: str) -> float:
    return found[f"sentinel_{name}", frozenset(labels.items())]


def test_without_the_setting_there_is_no_such_page(world: World, settings: Any) -> None:
    settings.METRICS_TOKEN = ""
    assert ask().status_code == 404
    assert ask("Bearer ").status_code == 404


@pytest.mark.parametrize(
    "authorization", ["", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ", "Bearer é"]
)
def test_without_the_token_nobody_sees_anything(world: World, authorization: str) -> None:
    answer = ask(authorization)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert b"sentinel_" not in answer.content


def test_a_quiet_house_has_zeros_for_everything(world: World) -> None:
    found = numbers()
    assert value(found, "timers_late") == value(found, "timer_lateness_seconds") == 0
    assert value(found, "problems_open", state="reported") == 0
    assert value(found, "outbox_due", channel="email") == 0
    assert value(found, "sends_total", channel="email", outcome="accepted") == 0
    assert value(found, "calls", state="bridged") == value(found, "calls_ended_total", reason="busy") == 0
    assert value(found, "findings", grade="alarm") == 0
    assert value(found, "incoming_waiting") == 0


def test_the_numbers_are_those_of_the_database(world: World) -> None:
    world.email.will(Sent(result=Result.PERMANENT, detail="550 no"))
    world.frown("It jams")
    found = numbers()
    assert value(found, "outbox_messages", channel="email", state="pending") >= 2
    assert value(found, "outbox_due", channel="email") >= 2
    world.tick()
    world.clock.advance(minutes=20)
    note_ear(way=LISTENER, host="mx1", error="", now=world.now)
    Heartbeat().finished_cycle(world.now)
    fly_canary(now=world.now)
    world.clock.advance(seconds=5)
    found = numbers()
    assert value(found, "problems_open", state="reported") == 1
    assert (value(found, "timers"), value(found, "timers_late")) == (1, 1)
    assert value(found, "timer_lateness_seconds") == pytest.approx(305, abs=1)
    assert value(found, "sends_total", channel="email", outcome="permanent") == 1
    assert value(found, "sends_total", channel="console", outcome="accepted") >= 1
    assert value(found, "outbox_oldest_due_seconds", channel="canary") == pytest.approx(5)
    assert value(found, "ear_age_seconds", way="listener", host="mx1") == pytest.approx(5)
    assert value(found, "engines_working") == 1


def test_whether_the_exchange_answers_is_a_number(world: World, settings: Any) -> None:
    assert "exchange_answers{" not in ask().content.decode()
    settings.CALLS_BY = CallsBy(provider="sip", host="pbx.example")
    beat: dict[str, Any] = {"provider": "sip", "host": "e1", "peer": "pbx.example:5060", "milliseconds": 2}
    at = {"provider": "sip", "host": "e1"}
    note_exchange(**beat, answers=True, detail="200 OK", now=world.now)
    world.clock.advance(seconds=61)
    note_exchange(**beat, answers=False, detail="408", now=world.now)
    found = numbers()
    assert (value(found, "exchange_answers", **at), value(found, "exchange_age_seconds", **at)) == (0, 61)


def test_nobody_is_named(world: World) -> None:
    world.frown("It jams")
    world.tick()
    text = ask().content.decode()
    people = (world.maria, world.olena, world.account, world.kyiv, world.ada)
    said = [name for person in people for name in (person.name, getattr(person, "email", "")) if name]
    assert not [name for name in said if name in text]
    assert "@" not in text


def test_a_scrape_asks_a_fixed_number_of_questions(world: World) -> None:
    def questions() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert ask().status_code == 200
        writing = [q["sql"] for q in asked.captured_queries if not q["sql"].startswith("SELECT")]
        assert not writing
        return len(asked.captured_queries)

    before = questions()
    world.frown("It jams")
    world.frown("It jams, too", worker=world.joao)
    world.tick()
    assert questions() == before <= 25


def test_a_database_that_is_away_is_said_plainly(world: World, monkeypatch: Any) -> None:
    def away(_now: Any) -> Iterator[Any]:
        raise DatabaseError("secret words")

    monkeypatch.setattr(metrics, "_timers", away)
    answer = ask()
    assert (answer.status_code, b"secret" in answer.content) == (503, False)


@pytest.mark.django_db(transaction=True)
def test_all_numbers_are_of_one_instant_and_nothing_can_be_written(settings: Any, monkeypatch: Any) -> None:
    settings.METRICS_TOKEN = TOKEN

    def look(_now: Any) -> Iterator[Any]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')"
            )
            seen.append(cursor.fetchone())
        yield from ()

    seen: list[Any] = []
    monkeypatch.setattr(metrics, "_timers", look)
    assert ask().status_code == 200
    assert seen == [("repeatable read", "on")]


def test_every_metric_and_every_finding_is_in_the_handbook_and_no_other(world: World) -> None:
    note_ear(way=LISTENER, host="mx1", error="", now=world.now)
    SenderState.objects.create(alive_at=world.now)
    for _ in range(2):
        fly_canary(now=world.now)
        world.tick()
    page = HANDBOOK.read_text(encoding="utf-8")
    families = text_string_to_metric_families(ask().content.decode())
    exported = {f.name + ("_total" if f.type == "counter" else "") for f in families}
    assert set(re.findall(r"sentinel_[a-z_]+", page)) == exported
    assert set(re.findall(r"sentinel_[a-z_]+", ALARMS.read_text(encoding="utf-8"))) <= exported
    explained = set(re.findall(r"^\| `([a-z_]+)` \| (?:alarm|note) \|", page, re.MULTILINE))
    assert explained == {check.value for check in Check}
