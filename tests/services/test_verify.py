"""`sentinel verify` finds what somebody with the database's own rights did to the timeline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from click.testing import CliRunner, Result
from django.db import connection, transaction

from sentinel.ops.commands import verify
from sentinel.timeline.services import ENGINE, About, record_event
from sentinel.timeline.verbs import Verb
from tests.world import START

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _chains(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two chains with three events each, in the database under test."""
    monkeypatch.setattr(verify, "database_running", _already_running)
    for account_id in (1, None):
        for number in range(3):
            with transaction.atomic():
                record_event(
                    verb=Verb.CLOCK_ADVANCED,
                    at=START,
                    actor=ENGINE,
                    about=About(account_id=account_id),
                    data={"number": number},
                )


@contextmanager
def _already_running() -> Iterator[None]:
    yield


def tamper(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE timeline_event DISABLE TRIGGER USER")
        cursor.execute(statement)
        cursor.execute("ALTER TABLE timeline_event ENABLE TRIGGER USER")


def run() -> Result:
    return CliRunner().invoke(verify.command, [])


def test_chains_that_hold_are_counted() -> None:
    done = run()
    assert (done.exit_code, done.output) == (0, "All 2 chains hold.\n")


def test_an_altered_event_is_named() -> None:
    tamper("UPDATE timeline_event SET data = '{}' WHERE stream = 'account:1' AND seq = 2")
    done = run()
    assert done.exit_code == 1
    assert done.output.splitlines() == [
        "BROKEN  account:1, event 2: was altered after it was written",
        "1 broken links in 2 chains",
    ]


def test_a_removed_event_is_named() -> None:
    tamper("DELETE FROM timeline_event WHERE stream = 'system' AND seq = 2")
    done = run()
    assert done.exit_code == 1
    assert "BROKEN  system, event 2: events 2 to 2 are missing" in done.output
