"""Duties that are due together fire in one transaction, and nobody could tell it from what they hear."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from sentinel.checkins.rules import Severity
from sentinel.engine.passes import fire_duties
from sentinel.engine.selectors import next_firing_at
from sentinel.escalation.models import Duty, FrozenPolicy
from sentinel.escalation.selectors import quarantined_duties
from sentinel.escalation.services import release_quarantine
from sentinel.outbox.selectors import messages_about_problem
from sentinel.people.models import Absence, ContactMethod
from sentinel.problems.models import Commitment, Problem
from sentinel.problems.rules import CallOutcome
from sentinel.timeline.models import Event
from sentinel.timeline.selectors import broken_links, streams
from sentinel.timeline.verbs import Verb
from sentinel.workflows import fire_due_duties as together
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.fire_due_duties import fire_due_duties
from sentinel.workflows.fire_duty import due_problems, fire_duty
from sentinel.workflows.log_call import log_call
from sentinel.workflows.make_commitment import make_commitment
from tests.stories.acts import bring_to_proposal, events
from tests.world import World

_OUTBOX = "SELECT to_jsonb(m) - 'id' AS row FROM outbox_message m WHERE id > %s ORDER BY id"
_EVENTS = "SELECT to_jsonb(e) - 'id' AS row FROM timeline_event e WHERE id > %s ORDER BY id"


def last_ids() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT max(id) FROM outbox_message), (SELECT max(id) FROM timeline_event)")
        outbox, timeline = cursor.fetchone()
    return outbox, timeline


def written(since: tuple[int, int]) -> dict[str, Any]:
    """Everything a firing may write, without the rows' numbers."""
    found: dict[str, Any] = {}
    with connection.cursor() as cursor:
        for name, query, last in (("outbox", _OUTBOX, since[0]), ("timeline", _EVENTS, since[1])):
            cursor.execute(query, [last])
            found[name] = [json.loads(row) for (row,) in cursor.fetchall()]
    found["duties"] = list(Duty.objects.order_by("pk").values())
    found["promises"] = list(Commitment.objects.order_by("pk").values())
    found["problems"] = list(Problem.objects.order_by("pk").values())
    return found


def a_busy_morning(world: World) -> None:
    """Problems on every rung and of every kind, of two accounts, somebody away, somebody with a chat."""
    ContactMethod.objects.create(
        user=world.tom,
        channel="chat",
        address="t***",
        sealed="sealed",
        fingerprint="1",
        verified_at=world.now,
    )
    world.maria.language, world.petra.zone = "de", "Europe/Lisbon"
    world.maria.save()
    world.petra.save()
    seen, promised = world.frown("seen"), world.frown("promised", call_when="after 3", call_language="uk")
    for problem in (seen, promised):
        acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    log_call(problem_id=promised.pk, user=world.maria, outcome=CallOutcome.NO_ANSWER, now=world.now)
    log_call(problem_id=promised.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    make_commitment(problem_id=promised.pk, user=world.maria, due_on=date(2026, 3, 6), now=world.now)
    world.frown("<b>stopped & still</b>", severity=Severity.STOPPED, worker=world.joao)
    world.advance(hours=1)
    world.frown("later", worker=world.other_worker, may_call=False)
    world.frown("fresh", worker=world.joao, severity=Severity.ANNOYING)
    Absence.objects.create(
        user=world.otto, deputy=world.tom, starts_at=world.now, ends_at=world.now + timedelta(days=9)
    )


@pytest.mark.parametrize("later", [{"minutes": 16}, {"hours": 6}, {"days": 5, "hours": 2}], ids=str)
def test_duties_that_fire_together_write_what_each_would_write_alone(
    world: World, later: dict[str, float]
) -> None:
    a_busy_morning(world)
    world.sleep_until(world.now + timedelta(**later))
    since, now = last_ids(), world.now
    with transaction.atomic():
        due = list(due_problems(now).values_list("pk", flat=True))
        assert len(due) >= 2
        for problem_id in due:
            assert fire_duty(problem_id=problem_id, now=now)
        one_by_one = written(since)
        transaction.set_rollback(True)
    batch = fire_due_duties(now=now, most=200)
    assert batch.fired == tuple(due)
    assert batch.apart == ()
    assert written(since) == one_by_one
    assert {event["verb"] for event in one_by_one["timeline"]} > {Verb.DUTY_FIRED.value} or len(due) < 4
    assert not [link for stream in streams() for link in broken_links(stream)]
    assert fire_due_duties(now=now, most=200).fired == ()


def test_the_worker_is_asked_again_apart_from_the_others(world: World) -> None:
    asked, late = world.frown("asked"), world.frown("late", worker=world.joao)
    bring_to_proposal(world, asked)
    world.sleep_until(world.now + timedelta(days=5))
    batch = fire_due_duties(now=world.now, most=200)
    assert (batch.fired, batch.apart) == ((late.pk,), (asked.pk,))
    assert not events(asked, Verb.CONFIRMATION_ASKED)[1:]
    assert fire_duties.run(world.now) == 1
    assert events(asked, Verb.CONFIRMATION_ASKED)


def test_whom_nothing_reaches_is_replaced_as_ever(world: World) -> None:
    ContactMethod.objects.create(user=world.maria, channel="email", is_enabled=False)
    problem, other = world.frown("hers"), world.frown("his", worker=world.other_worker)
    world.sleep_until(world.now + timedelta(minutes=20))
    assert fire_due_duties(now=world.now, most=200).apart == (problem.pk,)
    fire_duties.run(world.now)
    assert events(problem, Verb.NOTICE_PASSED_ON)
    assert events(other, Verb.DUTY_FIRED)


@pytest.mark.parametrize("broken", ["save_climbs", "enqueue", "record_events"])
def test_l3_a_batch_that_breaks_anywhere_leaves_nothing_and_each_fires_alone(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    problems = [world.frown("one"), world.frown("two", worker=world.joao)]
    world.sleep_until(world.now + timedelta(minutes=16))
    since = last_ids()
    before = written(since)

    def fail(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(together, broken, fail)
    with pytest.raises(RuntimeError, match="disk on fire"):
        fire_due_duties(now=world.now, most=200)
    assert written(since) == before
    assert fire_duties.run(world.now) == 2
    assert all(len(events(problem, Verb.DUTY_FIRED)) == 1 for problem in problems)
    assert all(world.duty(problem).rung == 1 for problem in problems)


def _without_ladder(problem: Problem) -> None:
    FrozenPolicy.objects.filter(problem=problem).delete()


def _that_the_database_refuses(problem: Problem) -> None:
    Duty.objects.filter(problem=problem).update(rung=4, repeats=2**31 - 1)


@pytest.mark.parametrize("poison", [_without_ladder, _that_the_database_refuses])
def test_a_poison_row_is_put_aside_alone_and_its_batch_fires(
    world: World, poison: Callable[[Problem], None]
) -> None:
    before, stuck = world.frown("before"), world.frown("stuck", worker=world.joao)
    after = world.frown("after", worker=world.other_worker)
    poison(stuck)
    world.sleep_until(world.now + timedelta(minutes=20))
    assert fire_duties.run(world.now) == 3
    assert [duty.problem_id for duty in quarantined_duties()] == [stuck.pk]
    assert not events(stuck, Verb.DUTY_FIRED)
    for problem in (before, after):
        assert len(events(problem, Verb.DUTY_FIRED)) == 1
        assert world.duty(problem).fire_at > world.now


@pytest.mark.parametrize("change", [{"fire_at": None}, {"quarantined_at": None}, {"state": "ended"}], ids=str)
def test_every_stop_condition_is_looked_at_again_once_the_row_is_ours(
    world: World, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    problem = world.frown()
    world.sleep_until(world.now + timedelta(minutes=16))
    if "fire_at" in change:
        Duty.objects.update(fire_at=world.now + timedelta(seconds=1))
    elif "quarantined_at" in change:
        Duty.objects.update(quarantined_at=world.now)
    found = Problem.objects.select_for_update().filter(pk=problem.pk)
    if "state" in change:
        monkeypatch.setattr(Problem, "is_open", property(lambda _self: False))
    # As if all that had happened after the row was found and before it was locked.
    monkeypatch.setattr(together, "due_problems", lambda _now: found)
    mails = len(messages_about_problem(problem.pk))
    batch = fire_due_duties(now=world.now, most=200)
    assert (batch.fired, batch.apart) == ((), (problem.pk,))
    fire_duties.run(world.now)
    assert not events(problem, Verb.DUTY_FIRED)
    assert len(messages_about_problem(problem.pk)) == mails


def test_a_problem_that_somebody_holds_is_left_to_the_next_turn(world: World) -> None:
    held, free = world.frown("held"), world.frown("free", worker=world.joao)
    world.sleep_until(world.now + timedelta(minutes=16))
    is_locked, may_end = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Problem.objects.select_for_update().get(pk=held.pk)
            is_locked.set()
            may_end.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert is_locked.wait(10)
        assert fire_due_duties(now=world.now, most=200).fired == (free.pk,)
    finally:
        may_end.set()
        holder.join()
    assert fire_due_duties(now=world.now, most=200).fired == (held.pk,)


def test_a_batch_asks_as_many_questions_for_many_duties_as_for_few(world: World) -> None:
    def fire(most: int) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert len(fire_due_duties(now=world.now, most=most).fired) == most
        return len(asked)

    for number in range(9):
        world.frown(f"number {number}", worker=(world.olena, world.joao)[number % 2])
    world.sleep_until(world.now + timedelta(minutes=16))
    assert fire(2) == fire(7)


def _claim(now: datetime) -> object:
    return list(due_problems(now)[:200])


def _how_long_to_sleep(_now: datetime) -> object:
    return next_firing_at()


def _try_again(now: datetime) -> object:
    return release_quarantine(before=now)


@pytest.mark.parametrize(
    ("ask", "index"),
    [(_claim, "duty_due"), (_how_long_to_sleep, "duty_due"), (_try_again, "duty_quarantined")],
)
def test_a_tick_reads_what_is_due_off_an_index_and_sorts_nothing(
    world: World, ask: Callable[[datetime], object], index: str
) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # a handful of rows is read faster than any index
        cursor.execute("SET LOCAL enable_bitmapscan = off")
        with CaptureQueriesContext(connection) as asked:
            ask(world.now)
        cursor.execute(f"EXPLAIN {asked[-1]['sql']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert index in plan
    assert "Sort" not in plan
    assert "Seq Scan" not in plan


def test_a_chain_goes_on_after_a_batch_as_after_single_events(world: World) -> None:
    for number in range(3):
        world.frown(f"number {number}", worker=(world.olena, world.joao, world.other_worker)[number])
    world.sleep_until(world.now + timedelta(minutes=16))
    assert len(fire_due_duties(now=world.now, most=200).fired) == 3
    world.frown("one more")
    assert len({event.stream for event in Event.objects.filter(verb=Verb.DUTY_FIRED.value)}) == 2
    assert not [link for stream in streams() for link in broken_links(stream)]
