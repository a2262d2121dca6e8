"""The engine's clock and heartbeat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import Error, connection

from sentinel.engine.clock import DatabaseClock
from sentinel.engine.heartbeat import Heartbeat
from sentinel.engine.models import EngineBeat
from sentinel.engine.selectors import finished_cycles, last_cycle_finished_at

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)

pytestmark = pytest.mark.django_db


def database_now() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: datetime = cursor.fetchone()[0]
    return found


def test_now_is_the_database_s() -> None:
    clock = DatabaseClock()
    before = database_now()
    now = clock.now()
    assert before - SECOND / 10 <= now <= database_now() + SECOND / 10


def test_it_follows_the_demonstration_s_offset_as_soon_as_it_is_told() -> None:
    offset = [timedelta()]
    clock = DatabaseClock(lambda: offset[0])
    clock.now()
    offset[0] = timedelta(days=2)
    clock.read()
    assert clock.now() - database_now() > timedelta(days=1, hours=23)


def test_it_goes_on_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = DatabaseClock()
    first = clock.now()

    def away() -> datetime:
        raise Error("no database")

    monkeypatch.setattr(clock, "_ask", away)
    clock.read()
    assert first <= clock.now() <= first + 5 * SECOND


def test_a_beat_is_written_at_most_once_a_second() -> None:
    beat = Heartbeat()
    beat.start(NOW)
    beat.finished_cycle(NOW)
    beat.finished_cycle(NOW + SECOND / 2)
    assert list(finished_cycles().values()) == [1]
    beat.finished_cycle(NOW + SECOND)
    assert list(finished_cycles().values()) == [3]
    assert last_cycle_finished_at() == NOW + SECOND


def test_an_engine_that_stops_on_purpose_leaves_no_row() -> None:
    beat = Heartbeat()
    beat.start(NOW)
    beat.end()
    assert not EngineBeat.objects.exists()


def test_a_row_that_somebody_removed_is_made_again() -> None:
    beat = Heartbeat()
    beat.start(NOW)
    EngineBeat.objects.all().delete()
    beat.finished_cycle(NOW + SECOND)
    beat.finished_cycle(NOW + 2 * SECOND)
    assert EngineBeat.objects.count() == 1


def test_rows_of_engines_long_gone_are_forgotten() -> None:
    Heartbeat().start(NOW)
    Heartbeat().start(NOW + timedelta(days=1, seconds=1))
    assert EngineBeat.objects.count() == 1
