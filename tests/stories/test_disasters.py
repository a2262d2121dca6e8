"""Short forms of what `bench/chaos.py` does at length: real engines, a real database, real SMTP."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest
from django.db import connection

from tests.fakes.cable import Cable
from tests.fakes.smtp import SmtpServer
from tests.stories.chaos import database_url
from tests.stories.disasters import (
    Report,
    clock_stepped,
    database_restarted,
    frozen_engine,
    provider_cut_off,
)
from tests.world import World

pytestmark = pytest.mark.slow


def assert_holds(report: Report) -> None:
    print(report)  # noqa: T201
    assert report.letters > 20
    assert (report.lost, report.wrong_ladders, report.changed) == (0, 0, 0)
    assert report.repeats <= report.repeats_allowed


def test_an_engine_that_stands_still_and_goes_on_disturbs_nothing(world: World) -> None:
    assert_holds(frozen_engine(world, lease_seconds=2, problems=2))


def test_a_database_that_ends_every_connection_and_comes_back_costs_nothing(world: World) -> None:
    name = connection.settings_dict["NAME"]
    # Other tests share the server: for ours it is gone, as after an immediate stop. bench/chaos.py stops it.
    elsewhere = database_url().replace(f"/{name}", "/postgres")

    def let_in(allowed: bool) -> None:
        with psycopg.connect(elsewhere, autocommit=True) as maintenance:
            maintenance.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allowed}')
            if not allowed:
                maintenance.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
                )

    report = database_restarted(
        world,
        away=lambda: let_in(False),
        back=lambda: let_in(True),
        seconds=1.5,
        lease_seconds=5,
        name="database away for 1.5 s",
        problems=2,
    )
    assert_holds(report)


def test_a_mail_server_that_cannot_be_reached_for_a_while_gets_everything_later(world: World) -> None:
    with SmtpServer() as sink, Cable(to=sink.port) as cable:
        report = provider_cut_off(
            world,
            cut=cable.cut,
            mend=cable.mend,
            seconds=2,
            lease_seconds=30,
            name="mail server unreachable for 2 s",
            sink=sink,
            smtp=("127.0.0.1", cable.port),
        )
    assert_holds(report)


def test_a_database_clock_that_jumps_loses_nothing(world: World) -> None:
    assert_holds(clock_stepped(world, by=timedelta(hours=1), lease_seconds=3))
