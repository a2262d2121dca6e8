"""Two acts that lock crosswise both come through: the one PostgreSQL takes back runs again."""

from __future__ import annotations

import threading

import pytest
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from psycopg import errors

from sentinel.timeline.retrying import TRIES, again_after_collision


class Act:
    """Fails as often as told, then returns how often it ran."""

    def __init__(self, cause: Exception | None, times: int) -> None:
        self.cause, self.times, self.runs = cause, times, 0

    def __call__(self) -> int:
        @again_after_collision
        def act() -> int:
            self.runs += 1
            if self.runs <= self.times:
                raise OperationalError("taken back") from self.cause
            return self.runs

        return act()


@pytest.mark.parametrize("cause", [errors.DeadlockDetected(), errors.SerializationFailure()])
def test_what_gave_way_to_another_runs_again(cause: Exception) -> None:
    assert Act(cause, times=2)() == TRIES


def test_after_three_times_it_comes_through() -> None:
    act = Act(errors.DeadlockDetected(), times=TRIES)
    with pytest.raises(OperationalError):
        act()
    assert act.runs == TRIES


@pytest.mark.parametrize("cause", [errors.AdminShutdown(), errors.LockNotAvailable(), None])
def test_other_trouble_of_the_database_is_not_tried_again(cause: Exception | None) -> None:
    act = Act(cause, times=1)
    with pytest.raises(OperationalError):
        act()
    assert act.runs == 1


def test_what_an_act_refuses_comes_through_at_once() -> None:
    runs = []

    @again_after_collision
    def act() -> None:
        runs.append(1)
        raise IntegrityError

    with pytest.raises(IntegrityError):
        act()
    assert len(runs) == 1


@pytest.mark.django_db(transaction=True)
def test_within_a_transaction_of_the_caller_nothing_is_tried_again() -> None:
    act = Act(errors.DeadlockDetected(), times=1)
    with pytest.raises(OperationalError), transaction.atomic():
        act()
    assert act.runs == 1


@pytest.mark.django_db(transaction=True)
def test_two_that_wait_for_each_other_both_come_through() -> None:
    both_hold_one = threading.Barrier(2, timeout=20)
    runs: list[int] = []
    done: list[int] = []

    @again_after_collision
    def lock(first: int, second: int) -> int:
        runs.append(first)
        is_first_try = runs.count(first) == 1
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [first])
            if is_first_try:
                both_hold_one.wait()
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [second])
        return first

    def thread(first: int, second: int) -> None:
        done.append(lock(first, second))
        connections.close_all()

    threads = [threading.Thread(target=thread, args=pair, daemon=True) for pair in ((71, 72), (72, 71))]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert sorted(done) == [71, 72]
    assert len(runs) == 3
