"""A model test of the outbox: any order of enqueueing, crashes, slow providers and clock jumps loses nothing.

Hypothesis plays several engines at random over the real tables. The world remembers what providers
really accepted. At the end every engine has died and a new one drains what is left.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sentinel.outbox.models import Message
from sentinel.outbox.rules import Priority, Result, State
from sentinel.outbox.selectors import next_visible_at
from sentinel.outbox.services import LEASE, Claimed, LeaseLost, NewMessage, claim, enqueue, settle

START = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
JUMPS = st.sampled_from([1, 4, 20, 31, 3_600, -1, -40, -3_600])


class OutboxMachine(RuleBasedStateMachine):
    """Messages m0, m1 …; engines hold what they claimed in memory, and a crash forgets it."""

    #: The seeded mutant: settle as accepted, then send.
    marks_before_sending = False

    def __init__(self) -> None:
        super().__init__()
        Message.objects.all().delete()
        self.now = START
        self.enqueued = 0
        self.held: list[Claimed] = []
        self.accepted_by_world: Counter[str] = Counter()
        self.identities: dict[str, set[tuple[str, datetime]]] = {}
        self.excused = 0  # tries whose result never reached the outbox: each may be repeated once

    @rule(priority=st.sampled_from(list(Priority)), delay=st.sampled_from([0, 0, 10]), again=st.booleans())
    def enqueue(self, priority: Priority, delay: int, again: bool) -> None:
        number = 0 if again and self.enqueued else self.enqueued
        with transaction.atomic():
            added = enqueue(
                [
                    NewMessage(
                        dedupe_key=f"m{number}",
                        channel="email",
                        kind="k",
                        recipient_kind="user",
                        recipient_id=number,
                        priority=priority,
                        due_at=self.now + timedelta(seconds=delay),
                    )
                ],
                now=self.now,
            )
        assert added == (number == self.enqueued)
        self.enqueued += added

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        for message in claim(channel="email", limit=limit, now=self.now):
            if self.marks_before_sending:
                settle(claimed=message, result=Result.ACCEPTED, now=self.now)
            self.held.append(message)

    @rule(seconds=JUMPS)
    def time_passes_or_the_clock_is_set(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.held)
    @rule(pick=st.integers(0, 5))
    def crash_before_sending(self, pick: int) -> None:
        self._take(pick)

    @precondition(lambda self: self.held)
    @rule(pick=st.integers(0, 5))
    def crash_after_sending(self, pick: int) -> None:
        self._accept(self._take(pick))
        self.excused += 1

    @precondition(lambda self: self.held)
    @rule(pick=st.integers(0, 5))
    def send_and_settle(self, pick: int) -> None:
        message = self._take(pick)
        self._accept(message)
        self._settle(message, Result.ACCEPTED)

    @precondition(lambda self: self.held)
    @rule(pick=st.integers(0, 5), is_permanent=st.booleans())
    def provider_refuses(self, pick: int, is_permanent: bool) -> None:
        self._settle(self._take(pick), Result.PERMANENT if is_permanent else Result.TRANSIENT)

    @invariant()
    def accepted_means_that_a_provider_has_it(self) -> None:
        for key in Message.objects.filter(state=State.ACCEPTED.value).values_list("dedupe_key", flat=True):
            assert self.accepted_by_world[key] >= 1, f"{key} is marked accepted and was never sent"

    @invariant()
    def repeats_are_excused_and_carry_the_same_identity(self) -> None:
        repeats = sum(count - 1 for count in self.accepted_by_world.values())
        assert repeats <= self.excused
        assert all(len(found) == 1 for found in self.identities.values())

    def teardown(self) -> None:
        self.held.clear()
        self.now = max(self.now, START) + LEASE
        while (due := next_visible_at()) is not None:
            self.now = max(self.now, due)
            for message in claim(channel="email", limit=10, now=self.now):
                self._accept(message)
                settle(claimed=message, result=Result.ACCEPTED, now=self.now)
        failed = set(Message.objects.filter(state=State.FAILED.value).values_list("dedupe_key", flat=True))
        lost = {f"m{n}" for n in range(self.enqueued)} - set(self.accepted_by_world) - failed
        assert not lost, f"lost for good: {lost}"

    def _take(self, pick: int) -> Claimed:
        return self.held.pop(pick % len(self.held))

    def _accept(self, message: Claimed) -> None:
        self.accepted_by_world[message.dedupe_key] += 1
        identity = (message.message_id, message.created_at)
        self.identities.setdefault(message.dedupe_key, set()).add(identity)

    def _settle(self, message: Claimed, result: Result) -> None:
        if self.marks_before_sending:
            return
        try:
            settle(claimed=message, result=result, now=self.now)
        except LeaseLost:
            # Too slow: somebody else took it over, or has settled it already.
            self.excused += result is Result.ACCEPTED


class MarksBeforeSending(OutboxMachine):
    """How many systems do it: mark as sent, then send. The model must refuse it."""

    marks_before_sending = True


PLAY = settings(
    max_examples=40,
    stateful_step_count=30,
    suppress_health_check=list(HealthCheck),
    database=None,
)


@pytest.mark.django_db
def test_nothing_is_lost_and_only_what_was_in_flight_is_repeated() -> None:
    run_state_machine_as_test(OutboxMachine, settings=PLAY)


@pytest.mark.django_db
def test_marking_before_sending_is_caught() -> None:
    with pytest.raises(AssertionError, match=r"never sent|lost for good"):
        run_state_machine_as_test(
            MarksBeforeSending, settings=settings(PLAY, max_examples=20, phases=[Phase.generate])
        )
