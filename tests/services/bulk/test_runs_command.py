"""`sentinel runs` as somebody at a shell sees it."""

from __future__ import annotations

import csv
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sentinel.bulk.models import Run
from sentinel.bulk.selectors import Progress
from sentinel.bulk.services import begin_next, settle_one
from sentinel.bulk.states import DeliveryState
from sentinel.ops.commands import runs as module
from tests.services.bulk.rows import launched
from tests.services.commands import use_the_tests_database
from tests.world import START, World


@pytest.fixture(autouse=True)
def _database_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    use_the_tests_database(monkeypatch, module)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(module.command, arguments, catch_exceptions=True)


def send_all(world: World) -> None:
    while (delivery := begin_next(world.now)) is not None:
        settle_one(delivery, state=DeliveryState.SENT, now=world.now)


def test_runs_are_listed_and_shown(world: World) -> None:
    assert "Nothing was on its way yet." in run("list").output
    launched(world, 3)
    listed = run("list").output
    assert "Check-in, today" in listed
    assert "on its way" in listed
    shown = run("show", str(Run.objects.get().pk)).output
    assert "lindgren.example" in shown
    assert "full speed" in shown
    assert "No sender has run yet" in shown


def test_a_run_is_stopped_and_let_go_on(world: World) -> None:
    launched(world, 3)
    number = str(Run.objects.get().pk)
    assert run("pause", number).exit_code == 2
    assert run("pause", "--reason", "x").exit_code == 2
    assert run("pause", number, "--reason", "wrong question").exit_code == 0
    assert "Stopped: wrong question" in run("show", number).output
    assert run("resume", number).exit_code == 0
    assert run("pause", "--all", "--reason", "storm").exit_code == 0
    assert "stands still" in run("list").output
    assert run("resume", "--all").exit_code == 0
    assert "on its way" in run("list").output


def test_a_finished_run_is_watched_to_its_end(world: World) -> None:
    launched(world, 3)
    send_all(world)
    watched = run("watch")
    assert watched.exit_code == 0, watched.output
    assert "100% 3 of 3, 3 sent" in watched.output
    assert "Through." in watched.output


def test_a_run_is_exported(world: World, tmp_path: Path) -> None:
    launched(world, 2)
    number, path = str(Run.objects.get().pk), tmp_path / "run.csv"
    assert run("export", number, "--output", str(path)).exit_code == 0
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["address"] for row in rows] == ["w0@lindgren.example", "w1@lindgren.example"]


def test_failed_ones_are_retried(world: World) -> None:
    launched(world, 1)
    delivery = begin_next(world.now)
    assert delivery is not None
    settle_one(delivery, state=DeliveryState.FAILED, now=world.now)
    assert "1 check-ins are tried again." in run("retry", str(delivery.run_id)).output


@pytest.mark.parametrize(
    "words", [("show", "9"), ("watch", "9"), ("retry", "9"), ("export", "9"), ("watch",)]
)
def test_an_unknown_run_is_said_to_be_one(world: World, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert result.exit_code == 1
    assert "no such run" in str(result.exception)


def test_the_bar_says_how_far_how_fast_and_how_long() -> None:
    progress = Progress(
        run_id=1,
        total=1_000_000,
        sent=400_000,
        deferred=12,
        failed=90_000,
        skipped=10_000,
        ambiguous=0,
        repeated=0,
        paused=False,
        paused_reason="",
        rate_per_minute=250_000.0,
        finished_at_estimate=START + timedelta(minutes=2),
    )
    line = module.bar(progress, START, width=200)
    assert line.startswith(
        "[####################....................]  50% 500,000 of 1,000,000, 400,000 sent"
    )
    assert line.endswith("12 deferred, 90,000 failed, 10,000 skipped, 250,000/min, 2 min left")
    assert len(module.bar(progress, START, width=80)) < 80
