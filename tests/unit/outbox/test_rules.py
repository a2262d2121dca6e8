"""What an attempt leads to, and how long to wait for the next one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.outbox.rules import (
    AWAY_FOR,
    BACK_OFF,
    FEWEST_TRIES,
    GIVE_UP_AFTER,
    LIVE,
    SETTLED,
    Result,
    State,
    back_off,
    settle,
)

NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("result", "state"),
    [
        (Result.ACCEPTED, State.ACCEPTED),
        (Result.PERMANENT, State.FAILED),
        (Result.UNKNOWN, State.UNKNOWN),
        (Result.TRANSIENT, State.PENDING),
    ],
)
def test_each_result_leads_to_its_state(result: Result, state: State) -> None:
    assert settle(result=result, attempts=1, key="k", first_due_at=NOW, now=NOW).state is state


def test_every_state_is_either_live_or_settled() -> None:
    assert set(LIVE) | set(SETTLED) == set(State)
    assert not set(LIVE) & set(SETTLED)


@given(attempts=st.integers(1, 40), key=st.text(max_size=20))
def test_back_off_stays_within_a_fifth_of_the_table(attempts: int, key: str) -> None:
    base = BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
    delay = back_off(attempts=attempts, key=key).total_seconds()
    assert 0.8 * base <= delay <= 1.2 * base


@given(attempts=st.integers(1, 300), minutes=st.integers(0, 59))
def test_while_the_provider_is_away_nothing_waits_longer_than_a_lease_for_an_hour(
    attempts: int, minutes: int
) -> None:
    now = NOW + timedelta(minutes=minutes)
    decided = settle(
        result=Result.TRANSIENT, attempts=attempts, key="k", first_due_at=NOW, now=now, is_away=True
    )
    assert now < decided.visible_at < now + timedelta(seconds=30)


def test_a_provider_that_stays_away_is_asked_less_often_after_an_hour() -> None:
    now = NOW + AWAY_FOR
    decided = settle(result=Result.TRANSIENT, attempts=50, key="k", first_due_at=NOW, now=now, is_away=True)
    assert decided.visible_at > now + timedelta(minutes=3)


def test_back_off_is_the_same_for_the_same_message_and_spreads_over_messages() -> None:
    delays = {back_off(attempts=3, key=f"message-{n}") for n in range(50)}
    assert back_off(attempts=3, key="message-1") == back_off(attempts=3, key="message-1")
    assert len(delays) > 40


@given(attempts=st.integers(1, 1000))
def test_a_transient_failure_is_always_tried_again_later_or_ends_dead(attempts: int) -> None:
    decided = settle(result=Result.TRANSIENT, attempts=attempts, key="k", first_due_at=NOW, now=NOW)
    assert decided.state is State.PENDING
    assert decided.visible_at > NOW


def test_a_message_dies_only_when_it_is_old_and_was_tried_often() -> None:
    late = NOW + GIVE_UP_AFTER + timedelta(seconds=1)

    def after(attempts: int, now: datetime) -> State:
        return settle(result=Result.TRANSIENT, attempts=attempts, key="k", first_due_at=NOW, now=now).state

    assert after(FEWEST_TRIES, late) is State.DEAD
    assert after(FEWEST_TRIES, NOW + GIVE_UP_AFTER) is State.PENDING
    # The engine was down for a week: the first try is late, and by far not the last.
    assert after(1, NOW + timedelta(days=7)) is State.PENDING
