"""Who closes or reopens a problem never waits crosswise with an engine that reports a failed message."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, connections, transaction

from sentinel.outbox.models import Message
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.problems.models import Problem
from sentinel.problems.rules import CallOutcome, Verdict
from sentinel.timeline.services import ENGINE, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.acting import about_problem
from sentinel.workflows.log_call import log_call
from sentinel.workflows.make_commitment import make_commitment
from sentinel.workflows.record_verdict import record_verdict
from tests.stories.acts import propose_again
from tests.world import World


def someone_waits_for_us() -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone() is not None:
                return
    raise AssertionError("nobody waits")


def pending_message(problem: Problem, world: World) -> Message:
    """The next way of a notice that has just failed on the way before."""
    with transaction.atomic():
        message = NewMessage(
            dedupe_key="next",
            channel="email",
            kind="duty.notice",
            recipient_kind="user",
            recipient_id=world.maria.pk,
            address=world.maria.email,
            priority=Priority.LADDER,
            due_at=world.now + timedelta(minutes=15),
            problem_id=problem.pk,
        )
        enqueue([message], now=world.now)
    return Message.objects.get(dedupe_key="next")


@pytest.mark.parametrize("verdict", [Verdict.YES, Verdict.NO])
def test_messages_are_taken_back_before_the_stream_is_locked(world: World, verdict: Verdict) -> None:
    problem = world.frown()
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    due_on = world.now.date() + timedelta(days=7)
    make_commitment(problem_id=problem.pk, user=world.maria, due_on=due_on, now=world.now)
    propose_again(world, problem)
    world.sleep_until(world.now + timedelta(days=30))  # the promised day is over: a "no" misses it
    message, proposal = pending_message(problem, world), world.proposal(problem)
    failures: list[Exception] = []

    def answer() -> None:
        try:
            record_verdict(proposal_id=proposal.pk, verdict=verdict, human=True, now=world.now)
        except OperationalError as error:
            failures.append(error)
        connections.close_all()

    thread = threading.Thread(target=answer, daemon=True)
    with transaction.atomic():  # what an engine does that settles a failure
        Message.objects.filter(pk=message.pk).update(visible_at=world.now)
        thread.start()
        someone_waits_for_us()
        record_event(verb=Verb.MESSAGE_FAILED, at=world.now, actor=ENGINE, about=about_problem(problem))
    thread.join(20)
    assert not failures
    problem.refresh_from_db()
    assert problem.state == ("confirmed" if verdict is Verdict.YES else "reopened")


def test_a_worker_whose_answer_gave_way_to_another_act_need_not_answer_again(world: World) -> None:
    problem = world.frown()
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    propose_again(world, problem)
    message, proposal = pending_message(problem, world), world.proposal(problem)
    failures: list[Exception] = []

    def answer() -> None:
        try:
            record_verdict(proposal_id=proposal.pk, verdict=Verdict.YES, human=True, now=world.now)
        except OperationalError as error:
            failures.append(error)
        connections.close_all()

    thread = threading.Thread(target=answer, daemon=True)
    with transaction.atomic():  # the wrong way round: who waits first is the one PostgreSQL takes back
        Message.objects.filter(pk=message.pk).update(visible_at=world.now)
        thread.start()
        someone_waits_for_us()
        Problem.objects.select_for_update().get(pk=problem.pk)
    thread.join(20)
    assert not failures
    problem.refresh_from_db()
    assert problem.state == "confirmed"
