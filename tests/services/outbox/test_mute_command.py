"""`sentinel mute` as somebody at a shell sees it."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from sentinel.kernel import clock
from sentinel.kernel.errors import Conflict
from sentinel.ops.commands import mute as module
from sentinel.outbox.mutes import current_mute
from sentinel.timeline.models import Event
from tests.services.commands import use_the_tests_database

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _database_of_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    use_the_tests_database(monkeypatch, module)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(module.command, arguments)


def test_a_mute_is_started_shown_and_ended() -> None:
    assert run("show").output == "Notices are not muted.\n"
    assert run("start").exit_code == 2  # without a reason
    assert "Notices are muted until" in run("start", "--for", "45m", "--reason", "fire drill").output
    assert "fire drill" in run("show").output
    assert "0 had waited" in run("end").output
    assert current_mute(clock.now()) is None
    assert Event.objects.filter(verb__startswith="notices.").count() == 2


def test_ending_nothing_says_so() -> None:
    assert isinstance(run("end").exception, Conflict)
