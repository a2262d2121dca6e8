"""The auditor against a real database: what it finds, mends, tells, and when it is over."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from sentinel.accounts.models import Account
from sentinel.assurance.models import Canary, Finding
from sentinel.assurance.rules import Check, judge, may_ping
from sentinel.assurance.selectors import look
from sentinel.assurance.services import fly_canary, record_findings
from sentinel.config import health
from sentinel.engine.auditor import Auditor
from sentinel.engine.heartbeat import Heartbeat
from sentinel.escalation.models import Duty
from sentinel.kernel import clock
from sentinel.kernel.clock import SystemClock
from sentinel.outbox.selectors import notices_of_user
from sentinel.people.models import ContactMethod, OfficerShift, User
from sentinel.people.reach import mark_mail_refused
from sentinel.problems.models import Problem
from sentinel.timeline.models import Event
from tests.world import World, build_world


@pytest.fixture
def world(db: None) -> Iterator[World]:
    """The cast, in a transaction that is taken back."""
    yield build_world()
    clock.install(SystemClock())


def audit(world: World) -> list[Finding]:
    """One look of an auditor that has seen the same before."""
    return record_findings(faults=judge(look(world.now), world.now), now=world.now)


def _past_the_triggers(statement: str, *parameters: Any) -> None:
    """What somebody with the database's own shell could do."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(statement, parameters)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_a_healthy_system_has_no_findings(world: World) -> None:
    world.frown("It jams")
    world.tick()
    assert audit(world) == []


def test_a_late_timer_is_found_grows_and_is_over(world: World) -> None:
    world.frown("It jams")
    world.tick()
    world.clock.advance(minutes=20)
    (finding,) = audit(world)
    assert (finding.check_name, finding.grade) == ("timer_late", "alarm")
    world.clock.advance(minutes=10)
    again = next(found for found in audit(world) if found.pk == finding.pk)
    assert (again.times_seen, again.worst_late_seconds > finding.worst_late_seconds) == (2, True)
    world.tick()
    assert audit(world) == []
    assert Finding.objects.get(pk=finding.pk).over_at == world.now
    story = Event.objects.filter(data__finding=finding.pk).order_by("pk")
    assert list(story.values_list("verb", flat=True)) == ["finding.opened", "finding.over"]


def test_an_open_problem_without_a_duty_gets_one_again(world: World) -> None:
    problem = world.frown("It jams")
    _past_the_triggers("DELETE FROM escalation_duty WHERE problem_id = %s", problem.pk)
    (finding,) = audit(world)
    assert finding.ids == [problem.pk]
    assert "owe a promise again" in finding.repaired
    duty = Duty.objects.get(problem=problem)
    assert duty.accountable == problem.owner
    assert duty.fire_at > world.now
    assert audit(world) == [], "mended is over"
    repair = Event.objects.get(verb="finding.repaired")
    assert (repair.problem_id, repair.data["repair"]) == (problem.pk, "duty set")


def test_a_closed_problem_with_a_duty_loses_it(world: World) -> None:
    problem = world.frown("It jams")
    _past_the_triggers(
        "UPDATE problems_problem SET state = 'ended', closed_at = %s, ended_by_id = %s, end_reason = 'left'"
        " WHERE id = %s",
        world.now,
        world.petra.pk,
        problem.pk,
    )
    audit(world)
    assert not Duty.objects.filter(problem=problem).exists()
    assert Problem.objects.get(pk=problem.pk).state == "ended"


def test_administrators_are_told_of_an_alarm_once(world: World) -> None:
    world.frown("It jams")
    world.clock.advance(minutes=20)
    for _ in range(3):
        audit(world)
    world.tick()
    told = [notice.payload["title"] for notice in notices_of_user(world.ada.pk)]
    assert len([title for title in told if "late" in title]) == 1


def test_whoever_cannot_be_reached_is_a_finding_of_their_own_until_a_way_works(world: World) -> None:
    for user in (world.maria, world.tom, world.otto, world.alan):
        mark_mail_refused(user_id=user.pk, address=user.email, reason="550 no such user", now=world.now)
    found = {row.ids[0]: row for row in audit(world)}
    assert sorted(found) == sorted([world.maria.pk, world.tom.pk, world.otto.pk]), (
        "nobody waits for an analyst"
    )
    assert found[world.maria.pk].words.startswith("Maria Schulz has no way that works: e-mail refused")
    audit(world)
    world.tick()
    told = [notice.payload["title"] for notice in notices_of_user(world.ada.pk)]
    assert len([title for title in told if "Maria Schulz has no way that works" in title]) == 1
    User.objects.filter(pk=world.maria.pk).update(email="maria.schulz@example.com")
    assert {row.ids[0] for row in audit(world)} == {world.tom.pk, world.otto.pk}
    assert Finding.objects.get(pk=found[world.maria.pk].pk).over_at == world.now


def test_whom_an_account_or_the_rota_counts_on_is_found_whatever_their_roles(world: World) -> None:
    for user in (world.tom, world.ines, world.henrik):
        ContactMethod.objects.create(user=user, channel="email", is_enabled=False)
    User.objects.filter(pk__in=[world.tom.pk, world.ines.pk, world.henrik.pk]).update(roles=["analyst"])
    names = " ".join(row.words for row in audit(world))
    assert all(name in names for name in ("Tom Becker", "Ines Moreau", "Henrik Vogel"))
    OfficerShift.objects.filter(officer=world.ines).delete()
    Account.objects.update(deputy=None, focus_executive=None)
    assert audit(world) == []


def test_a_person_out_of_reach_does_not_silence_the_sign_of_life(world: World) -> None:
    mark_mail_refused(user_id=world.tom.pk, address=world.tom.email, reason="550", now=world.now)
    faults = judge(look(world.now), world.now)
    assert [fault.check for fault in faults] == [Check.NOBODY_REACHABLE]
    assert may_ping(faults)


def test_the_canary_travels_the_way_of_an_alarm(world: World) -> None:
    assert fly_canary(now=world.now)
    assert not fly_canary(now=world.now), "one is on its way"
    world.clock.advance(minutes=6)
    assert [f.check_name for f in audit(world)] == ["canary_late", "message_late"]
    world.tick()
    fly_canary(now=world.now)
    first = Canary.objects.earliest("sent_at")
    assert first.arrived_at == world.now
    assert "canary_late" not in [f.check_name for f in audit(world)]


def test_what_was_seen_only_once_may_have_been_a_blink(world: World) -> None:
    auditor = Auditor()
    world.frown("It jams")
    world.tick()
    world.clock.advance(minutes=20)
    auditor.turn()
    assert not Finding.objects.exists()
    auditor._next_at = 0.0
    auditor.turn()
    assert Finding.objects.get().check_name == "timer_late"


class _Watchman(BaseHTTPRequestHandler):
    """Counts the signs of life."""

    pings: list[str] = []

    def do_GET(self) -> None:
        self.pings.append(self.path)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def watchman() -> Iterator[str]:
    """A real HTTP server; yields its address."""
    _Watchman.pings = []
    server = HTTPServer(("127.0.0.1", 0), _Watchman)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/ping"
    server.shutdown()
    server.server_close()
    thread.join()


def test_the_outside_is_called_while_all_is_well_and_not_with_an_alarm(
    world: World, watchman: str, settings: Any
) -> None:
    settings.HEARTBEAT_URL = watchman
    Auditor().turn()
    assert _Watchman.pings == ["/ping"]
    world.frown("It jams")
    world.clock.advance(minutes=20)
    Auditor().turn()
    assert _Watchman.pings == ["/ping"], "silence is the alarm"


def test_a_watchman_who_is_away_stops_nobody(world: World, settings: Any) -> None:
    settings.HEARTBEAT_URL = "http://127.0.0.1:9/"
    assert Auditor().turn() > 0


def test_the_engine_is_healthy_only_when_a_new_cycle_finishes(world: World, monkeypatch: Any) -> None:
    monkeypatch.setattr(health, "SECONDS_FOR_A_CYCLE", 0.3)
    beat = Heartbeat()
    beat.finished_cycle(world.now)
    assert Client().get("/health/engine").status_code == 503, "an old heartbeat is none"
    looks = iter([{1: 1}, {1: 1}, {1: 2}])
    monkeypatch.setattr(health, "finished_cycles", lambda: next(looks))
    assert Client().get("/health/engine").content == b"ok\n"


def test_a_watchman_who_talks_nonsense_stops_nobody(world: World, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.HEARTBEAT_URL = f"http://127.0.0.1:{server.getsockname()[1]}/secret"

        def answer() -> None:
            wire, _ = server.accept()
            with wire:
                wire.recv(4096)
                wire.sendall(b"nonsense\r\n\r\n")

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        assert Auditor().turn() > 0
        thread.join()


def test_a_crowd_can_neither_occupy_all_threads_nor_keep_a_watchman_from_the_answer(
    world: World, monkeypatch: Any
) -> None:
    monkeypatch.setattr(health, "_last", None)
    with health._one_at_a_time:
        assert Client().get("/health/engine").status_code == 429
    looks = iter([{1: 1}, {1: 2}])
    monkeypatch.setattr(health, "finished_cycles", lambda: next(looks))
    assert Client().get("/health/engine").status_code == 200
    with health._one_at_a_time:
        assert Client().get("/health/engine").status_code == 200
        monkeypatch.setattr(health, "SECONDS_FRESH", -1.0)
        assert Client().get("/health/engine").status_code == 429
