"""What the loop does around its guarantees: hand-over, heat, collapse, promises, the manager."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, connection

from sentinel.checkins.rules import Face, Severity
from sentinel.escalation.models import Rung
from sentinel.escalation.rules import DutyKind
from sentinel.kernel.errors import NotFound, Refused
from sentinel.problems.models import Problem
from sentinel.problems.rules import CallOutcome, ProblemState, Verdict
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.log_call import log_call
from sentinel.workflows.make_commitment import make_commitment
from sentinel.workflows.manage_problem import hand_over, replan_problem
from sentinel.workflows.record_verdict import record_verdict
from sentinel.workflows.worker_words import ask_for_manager
from tests.stories.acts import bring_to_proposal, events, fresh, propose_again, state
from tests.world import World


def test_it_refuses_to_hand_over_to_somebody_who_cannot_own(world: World) -> None:
    problem = world.frown()
    with pytest.raises(Refused, match="who can own"):
        hand_over(problem_id=problem.pk, user=world.maria, to_id=world.alan.pk, now=world.now)


def test_it_gives_a_handed_over_problem_to_the_new_owner_with_time_to_react(world: World) -> None:
    problem = world.frown()
    world.advance(minutes=14)
    hand_over(problem_id=problem.pk, user=world.maria, to_id=world.tom.pk, note="On the road", now=world.now)
    duty = world.duty(problem)
    assert duty.accountable == world.tom
    assert duty.due_at == world.now + timedelta(minutes=15)
    world.tick()
    assert [m.kind for m in world.inbox(world.tom)] == ["duty.notice"]


def test_it_shows_a_problem_to_nobody_who_has_no_business_with_it(world: World) -> None:
    problem = world.frown()
    with pytest.raises(NotFound):
        acknowledge(problem_id=problem.pk, user=world.otto, now=world.now)


def test_it_climbs_faster_when_work_stopped(world: World) -> None:
    problem = world.frown(severity=Severity.STOPPED)
    assert world.duty(problem).due_at == world.now + timedelta(minutes=7, seconds=30)


def test_it_collapses_what_fell_due_while_the_engine_was_down(world: World) -> None:
    problem = world.frown()
    world.tick()
    world.sleep_until(world.now + timedelta(hours=5))
    world.tick()
    fired = events(problem, Verb.DUTY_FIRED)
    assert [e.data["rung"] for e in fired] == [3]
    assert "rungs 1 to 2 fell due" in events(problem, Verb.DUTY_COLLAPSED)[0].data["reason"]
    assert len([m for m in world.inbox(world.maria) if m.kind == "duty.notice"]) == 2


def test_it_keeps_the_ladders_position_when_the_worker_says_not_yet(world: World) -> None:
    problem = world.frown()
    world.advance(hours=2)
    bring_to_proposal(world, problem)
    assert world.duty(problem).rung == 2
    record_verdict(
        proposal_id=world.proposal(problem).pk, verdict=Verdict.NO, words="jams", human=True, now=world.now
    )
    duty = world.duty(problem)
    assert (duty.rung, duty.kind, fresh(problem).attention) == (2, "call", 1)
    world.tick()
    assert any("jams" in m.payload["text"] for m in world.inbox(world.petra))


def test_it_marks_a_missed_promise_and_climbs_at_once(world: World) -> None:
    problem = world.frown()
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    make_commitment(problem_id=problem.pk, user=world.maria, due_on=date(2026, 3, 9), now=world.now)
    world.advance(days=4)
    assert fresh(problem).missed_promises == 1
    assert events(problem, Verb.COMMITMENT_MISSED)
    assert world.duty(problem).rung >= 1
    with pytest.raises(Refused, match="needs a reason"):
        make_commitment(problem_id=problem.pk, user=world.maria, due_on=date(2026, 3, 12), now=world.now)
    make_commitment(
        problem_id=problem.pk, user=world.maria, due_on=date(2026, 3, 12), reason="Part late", now=world.now
    )
    world.tick()
    assert "Part late" in world.inbox(world.olena, "problem.promise_moved")[0].payload["text"]


def test_it_lets_the_worker_talk_to_the_manager(world: World) -> None:
    problem = world.frown()
    ask_for_manager(problem_id=problem.pk, words="Enough", human=True, now=world.now)
    duty = world.duty(problem)
    assert (duty.accountable, duty.kind, duty.rung) == (world.petra, "call", 2)
    world.tick()
    assert world.inbox(world.petra)


def test_it_sends_nothing_about_a_closed_problem(world: World) -> None:
    world.sleep_until(world.now + timedelta(hours=9))
    problem = world.frown()
    bring_to_proposal(world, problem)
    record_verdict(proposal_id=world.proposal(problem).pk, verdict=Verdict.YES, human=True, now=world.now)
    world.advance(days=30)
    kinds = {m.kind for m in world.inbox(world.olena)}
    assert not kinds & {"problem.ask", "problem.ask_again", "problem.receipt"}


def test_it_is_append_only(world: World) -> None:
    world.frown()
    with pytest.raises(IntegrityError, match="append-only"), connection.cursor() as cursor:
        cursor.execute("UPDATE timeline_event SET verb = 'nothing.happened'")


def test_it_owes_the_promise_again_after_the_manager_has_called(world: World) -> None:
    problem = world.frown()
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    make_commitment(problem_id=problem.pk, user=world.maria, due_on=date(2026, 3, 12), now=world.now)
    promised = world.duty(problem).due_at
    ask_for_manager(problem_id=problem.pk, human=True, now=world.now)
    log_call(problem_id=problem.pk, user=world.petra, outcome=CallOutcome.REACHED, now=world.now)
    duty = world.duty(problem)
    assert (duty.kind, duty.due_at) == (DutyKind.SOLVE.value, promised)


def committed(world: World, due_on: date) -> Problem:
    problem = world.frown()
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    make_commitment(problem_id=problem.pk, user=world.maria, due_on=due_on, now=world.now)
    return problem


def test_it_counts_a_promise_as_kept_only_when_the_worker_says_yes(world: World) -> None:
    problem = committed(world, date(2026, 3, 12))
    propose_again(world, problem)
    assert not events(problem, Verb.COMMITMENT_KEPT)
    record_verdict(proposal_id=world.proposal(problem).pk, verdict=Verdict.NO, human=True, now=world.now)
    assert not events(problem, Verb.COMMITMENT_KEPT)
    log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    assert (state(problem), world.duty(problem).kind) == (ProblemState.COMMITTED, DutyKind.SOLVE.value)
    propose_again(world, problem)
    record_verdict(proposal_id=world.proposal(problem).pk, verdict=Verdict.YES, human=True, now=world.now)
    assert events(problem, Verb.COMMITMENT_KEPT)


def test_it_counts_a_promise_as_missed_when_the_day_has_passed_at_the_not_yet(world: World) -> None:
    problem = committed(world, date(2026, 3, 9))
    propose_again(world, problem)
    world.advance(days=5)
    record_verdict(proposal_id=world.proposal(problem).pk, verdict=Verdict.NO, human=True, now=world.now)
    assert fresh(problem).missed_promises == 1
    assert events(problem, Verb.COMMITMENT_MISSED)


def test_it_mails_somebody_who_reports_after_the_roster_said_they_had_left(world: World) -> None:
    check_in = world.check_in()
    world.olena.status, world.olena.left_at = "left", world.now
    world.olena.save()
    world.advance(minutes=5)
    world.answer(Face.FROWN, "I am still here", check_in=check_in)
    world.tick()
    assert world.inbox(world.olena, "problem.receipt")


def test_it_stays_as_high_as_it_was_when_it_is_replanned_onto_a_shorter_ladder(world: World) -> None:
    problem = world.frown("It jams")
    world.advance(days=4)
    top = world.duty(problem).rung
    assert top == 4
    Rung.objects.filter(ladder__is_default=True, position__gt=3).delete()
    replan_problem(problem_id=problem.pk, user=world.petra, reason="a new ladder", now=world.now)
    before = len(world.notices(world.maria))
    world.advance(days=4)
    assert world.duty(problem).rung == top
    assert len(world.notices(world.maria)) > before, "the top of the new ladder repeats"
