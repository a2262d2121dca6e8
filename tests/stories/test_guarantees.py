"""At least one tale per guarantee. Each fails when the guarantee is broken (see the mutants in CI notes)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction

from sentinel.channels.base import Sent
from sentinel.checkins.rules import Face
from sentinel.escalation.models import Duty, Ladder, Rung
from sentinel.escalation.rules import DutyKind
from sentinel.escalation.selectors import policy_of, problems_without_duty
from sentinel.kernel.errors import Conflict, Refused
from sentinel.outbox.selectors import messages_about_problem
from sentinel.outbox.services import Claimed
from sentinel.people.models import Absence
from sentinel.problems.errors import HumanEvidenceMissing
from sentinel.problems.models import Confirmation, Problem
from sentinel.problems.rules import CallOutcome, EndReason, ProblemState, Verdict
from sentinel.timeline.verbs import Verb
from sentinel.workflows import fire_duty as fire_duty_module
from sentinel.workflows import open_problem
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.log_call import log_call
from sentinel.workflows.make_commitment import make_commitment
from sentinel.workflows.manage_problem import end_problem, replan_problem
from sentinel.workflows.record_verdict import record_verdict
from sentinel.workflows.telephone_verdict import (
    object_to_confirmation,
    record_verdict_by_telephone,
    report_again,
)
from tests.stories.acts import bring_to_proposal, events, fresh, propose_again, state
from tests.world import BARE, World


class PowerCut(BaseException):
    """The machine stops after the provider took the message and before we wrote so."""


def power_cut(_message: Claimed) -> Sent:
    raise PowerCut


# -- L1: every open problem has exactly one current duty ----------------------------------------------


def test_l1_every_act_leaves_an_open_problem_with_one_duty_and_a_closed_one_with_none(world: World) -> None:
    problem = world.frown()

    def check(kind: DutyKind) -> None:
        duty = world.duty(problem)
        assert (duty.kind, duty.accountable, Duty.objects.count()) == (kind.value, world.maria, 1)
        assert not problems_without_duty().exists()

    check(DutyKind.ACKNOWLEDGE)
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    check(DutyKind.CALL)
    log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.NO_ANSWER, now=world.now)
    check(DutyKind.CALL)
    log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    check(DutyKind.PROMISE)
    make_commitment(problem_id=problem.pk, user=world.maria, due_on=date(2026, 3, 10), now=world.now)
    check(DutyKind.SOLVE)
    propose_again(world, problem)
    check(DutyKind.ASK)
    record_verdict(proposal_id=world.proposal(problem).pk, verdict=Verdict.NO, human=True, now=world.now)
    check(DutyKind.CALL)
    propose_again(world, problem)
    record_verdict(proposal_id=world.proposal(problem).pk, verdict=Verdict.YES, human=True, now=world.now)
    assert state(problem) is ProblemState.CONFIRMED
    assert not Duty.objects.exists()


def test_l1_the_database_refuses_an_open_problem_without_a_duty(world: World) -> None:
    problem = world.frown()
    with pytest.raises(IntegrityError, match="must have a duty"), transaction.atomic():
        Duty.objects.filter(problem=problem).delete()
    assert world.duty(problem)


def test_l1_the_database_refuses_a_problem_that_starts_without_a_duty(world: World) -> None:
    with pytest.raises(IntegrityError, match="must have a duty"):
        Problem.objects.create(
            worker=world.olena,
            site=world.kyiv,
            account=world.account,
            owner=world.maria,
            language="en",
            opened_at=world.now,
        )


# -- L2: the frown's transaction writes problem, duty and the owner's messages, or nothing -------------


def test_l2_a_frown_has_everything_at_once(world: World) -> None:
    problem = world.frown("Paper jam, again")
    told = {(m.recipient_kind, m.recipient_id, m.channel) for m in messages_about_problem(problem.pk)}
    assert ("user", world.maria.pk, "email") in told
    assert ("user", world.maria.pk, "console") in told
    assert world.duty(problem).due_at == world.now + timedelta(minutes=15)
    assert events(problem, Verb.PROBLEM_OPENED)[0].data["words"] == "Paper jam, again"


@pytest.mark.parametrize("broken", ["set_duty", "tell_users", "record_event"])
def test_l2_when_any_part_of_a_frown_fails_nothing_is_written(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("disk on fire")

    monkeypatch.setattr(open_problem, broken, fail)
    check_in = world.check_in()
    with pytest.raises(RuntimeError, match="disk on fire"):
        world.answer(Face.FROWN, "Paper jam", check_in=check_in)
    assert not Problem.objects.exists()
    assert not Duty.objects.exists()
    assert not check_in.responses.exists()
    assert not world.inbox(world.maria)
    monkeypatch.undo()
    assert world.answer(Face.FROWN, "Paper jam", check_in=check_in).problem_id


# -- L3: a firing, its messages, its timeline entry and the next due time commit together -------------


@pytest.mark.parametrize("broken", ["tell_users", "record_event", "rearm"])
def test_l3_a_firing_that_breaks_anywhere_leaves_nothing_and_happens_whole_later(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    problem = world.frown()
    world.tick()
    world.sleep_until(world.duty(problem).fire_at)
    before, mails = world.duty(problem), len(messages_about_problem(problem.pk))

    def fail(*_args: object, **_kwargs: object) -> None:
        raise RuntimeError("killed here")

    monkeypatch.setattr(fire_duty_module, broken, fail)
    with pytest.raises(RuntimeError):
        fire_duty_module.fire_duty(problem_id=problem.pk, now=world.now)
    after = world.duty(problem)
    assert (after.fire_at, after.rung) == (before.fire_at, 0)
    assert len(messages_about_problem(problem.pk)) == mails
    assert not events(problem, Verb.DUTY_FIRED)
    monkeypatch.undo()
    world.tick()
    assert world.duty(problem).rung == 1
    assert len(events(problem, Verb.DUTY_FIRED)) == 1


# -- L4: the loop has no last step ----------------------------------------------------------------------


def test_l4_nobody_reacts_and_the_loop_goes_on_every_business_day(world: World) -> None:
    problem = world.frown()
    world.advance(days=60)
    fired = events(problem, Verb.DUTY_FIRED)
    assert [e.data["rung"] for e in fired[:4]] == [1, 2, 3, 4]
    assert {e.data["rung"] for e in fired[4:]} == {4}
    assert world.duty(problem).fire_at > world.now
    assert state(problem) is ProblemState.REPORTED


def test_l4_a_silent_worker_is_asked_for_ever(world: World) -> None:
    problem = world.frown(may_call=False)
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    Problem.objects.filter(pk=problem.pk).update(state=ProblemState.IN_CONTACT.value)
    propose_again(world, problem)
    for _ in range(12):
        world.advance_to(world.duty(problem).fire_at)
        assert world.duty(problem).fire_at > world.now
        assert state(problem) is ProblemState.PROPOSED
    assert world.proposal(problem).asks == 13


# -- L5: acknowledging stops repetition only until the next duty is due --------------------------------


def test_l5_an_acknowledged_problem_climbs_on_when_the_call_is_late(world: World) -> None:
    problem = world.frown()
    world.advance(minutes=5)
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    world.advance(minutes=50)
    assert not events(problem, Verb.DUTY_FIRED)
    world.advance(minutes=10)
    fired = events(problem, Verb.DUTY_FIRED)
    assert [(e.data["duty"], e.data["rung"]) for e in fired] == [("call", 1)]
    world.advance(days=14)
    assert world.duty(problem).rung == 4


def test_l5_acknowledging_twice_changes_nothing(world: World) -> None:
    problem = world.frown()
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    before = world.duty(problem).due_at
    world.advance(minutes=30)
    with pytest.raises(Conflict):
        acknowledge(problem_id=problem.pk, user=world.tom, now=world.now)
    assert world.duty(problem).due_at == before


# -- L6: only the worker's own yes closes ----------------------------------------------------------------


def test_l6_the_database_refuses_to_close_without_the_workers_yes(world: World) -> None:
    problem = world.frown()
    bring_to_proposal(world, problem)
    with pytest.raises(IntegrityError), transaction.atomic():
        Problem.objects.filter(pk=problem.pk).update(state="confirmed", closed_at=world.now)
    no = Confirmation.objects.create(proposal=world.proposal(problem), verdict="no", how="link", at=world.now)
    with pytest.raises(IntegrityError, match="own yes"), transaction.atomic():
        Problem.objects.filter(pk=problem.pk).update(
            state="confirmed", closed_at=world.now, closing_confirmation=no
        )
    assert state(problem) is ProblemState.PROPOSED


def test_l6_another_workers_yes_closes_nothing(world: World) -> None:
    mine, other = world.frown(), world.frown(worker=world.joao)
    bring_to_proposal(world, mine)
    bring_to_proposal(world, other)
    yes = Confirmation.objects.create(proposal=world.proposal(other), verdict="yes", how="link", at=world.now)
    with pytest.raises(IntegrityError, match="own yes"), transaction.atomic():
        Problem.objects.filter(pk=mine.pk).update(
            state="confirmed", closed_at=world.now, closing_confirmation=yes
        )


def test_l6_a_press_without_human_evidence_confirms_nothing(world: World) -> None:
    problem = world.frown()
    bring_to_proposal(world, problem)
    with pytest.raises(HumanEvidenceMissing):
        record_verdict(
            proposal_id=world.proposal(problem).pk, verdict=Verdict.YES, human=False, now=world.now
        )
    assert state(problem) is ProblemState.PROPOSED


def test_l6_a_yes_whose_words_say_no_is_asked_once_more(world: World) -> None:
    problem = world.frown()
    bring_to_proposal(world, problem)
    proposal = world.proposal(problem)
    said = record_verdict(
        proposal_id=proposal.pk, verdict=Verdict.YES, words="yes but it still jams", human=True, now=world.now
    )
    assert said.doubted
    assert state(problem) is ProblemState.PROPOSED
    said = record_verdict(
        proposal_id=proposal.pk, verdict=Verdict.YES, human=True, after_doubt=True, now=world.now
    )
    assert said.state is ProblemState.CONFIRMED
    assert Confirmation.objects.get(proposal=proposal).words == "yes but it still jams"


def test_l6_a_yes_by_telephone_needs_a_call_that_reached_and_can_be_objected_to(world: World) -> None:
    problem = world.frown()
    bring_to_proposal(world, problem)
    missed = log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.NO_ANSWER, now=world.now)
    with pytest.raises(Refused, match="log the call"):
        record_verdict_by_telephone(
            problem_id=problem.pk, user=world.maria, call_id=missed.pk, verdict=Verdict.YES, now=world.now
        )
    reached = log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    said = record_verdict_by_telephone(
        problem_id=problem.pk, user=world.maria, call_id=reached.pk, verdict=Verdict.YES, now=world.now
    )
    assert state(problem) is ProblemState.CONFIRMED
    assert said.recorded_by == world.maria
    world.tick()
    assert world.inbox(world.olena, "problem.confirmed_by_telephone")
    assert object_to_confirmation(confirmation_id=said.pk, human=True, now=world.now)
    assert state(problem) is ProblemState.REOPENED
    assert world.duty(problem).kind == DutyKind.CALL.value
    assert fresh(problem).attention == 1


def test_l6_a_manager_ends_only_after_two_calls_and_two_mails_and_never_as_solved(world: World) -> None:
    problem = world.frown()
    with pytest.raises(Refused, match="only a manager"):
        end_problem(
            problem_id=problem.pk, user=world.maria, reason=EndReason.LEFT, note="gone", now=world.now
        )
    with pytest.raises(Refused, match="0 of 2 call attempts"):
        end_problem(
            problem_id=problem.pk, user=world.petra, reason=EndReason.LEFT, note="gone", now=world.now
        )
    for _ in range(2):
        log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.NO_ANSWER, now=world.now)
    world.tick()
    end_problem(problem_id=problem.pk, user=world.petra, reason=EndReason.LEFT, note="gone", now=world.now)
    assert state(problem) is ProblemState.ENDED
    assert fresh(problem).closing_confirmation is None
    assert report_again(problem_id=problem.pk, words="I am still here", human=True, now=world.now)
    assert state(problem) is ProblemState.REOPENED


# -- L7: opening a link never changes anything: tests/web/test_scanners.py -----------------------------


def test_l7_a_press_without_evidence_opens_no_problem_and_alarms_nobody(world: World) -> None:
    recorded = world.answer(Face.FROWN, signals=BARE)
    assert recorded.problem_id is None
    assert recorded.offer_plain_step
    world.advance(hours=2)
    assert not Problem.objects.exists()
    assert not world.inbox(world.maria)


# -- L8: a crash loses nothing: tests/stories/test_kill.py ----------------------------------------------


def test_l8_a_repeated_message_carries_the_same_key(world: World) -> None:
    world.frown()
    world.email.will(power_cut)
    with pytest.raises(PowerCut):
        world.tick()
    world.advance(seconds=31)
    keys = [m.message_id for m in world.email.sent]
    assert len(keys) == len(set(keys)) + 1
    assert len(world.inbox(world.maria)) == 1


# -- L9: due times obey the calendar of whoever must act, and the worker's for calls -------------------


def test_l9_a_frown_on_friday_evening_is_owed_on_monday_and_the_call_when_both_work(world: World) -> None:
    world.sleep_until(world.now + timedelta(hours=9))  # 19:00 in Berlin
    problem = world.frown()
    assert world.duty(problem).due_at.isoformat() == "2026-03-09T08:15:00+00:00"
    assert not world.inbox(world.maria), "an owner is not mailed in the evening"
    world.advance_to(world.duty(problem).due_at - timedelta(minutes=5))
    assert world.inbox(world.maria)
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    assert world.duty(problem).due_at.isoformat() == "2026-03-09T09:00:00+00:00"


def test_l9_a_call_waits_for_the_workers_own_working_hours(world: World) -> None:
    world.sleep_until(world.now + timedelta(hours=5, minutes=30))  # 15:30 in Berlin, 16:30 in Kyiv
    problem = world.frown()
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    # Half an hour is left in Kyiv; Berlin would still be there until five.
    assert world.duty(problem).due_at.isoformat() == "2026-03-09T08:30:00+00:00"


def test_l9_the_clocks_change_and_the_promise_still_ends_at_five(world: World) -> None:
    problem = world.frown()
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    make_commitment(problem_id=problem.pk, user=world.maria, due_on=date(2026, 3, 30), now=world.now)
    # Summer time begins on 29 March: 17:00 in Berlin is 15:00 UTC from then on.
    assert world.duty(problem).due_at.isoformat() == "2026-03-30T15:00:00+00:00"


def test_l9_an_absent_owner_is_replaced_by_the_deputy(world: World) -> None:
    Absence.objects.create(
        user=world.maria, starts_at=world.now - timedelta(days=1), ends_at=world.now + timedelta(days=7)
    )
    problem = world.frown()
    assert world.duty(problem).accountable == world.tom
    world.tick()
    assert world.inbox(world.tom)


def test_l9_workers_are_not_mailed_at_night(world: World) -> None:
    world.sleep_until(world.now + timedelta(hours=9))
    world.frown()
    world.tick()
    assert not world.inbox(world.olena)
    world.advance(days=3)
    assert world.inbox(world.olena, "problem.receipt")


# -- L10: the policy in force when the loop started governs it ------------------------------------------


def test_l10_an_edited_ladder_does_not_touch_a_running_loop_until_it_is_replanned(world: World) -> None:
    problem = world.frown()
    ladder = Ladder.objects.get(is_default=True)
    Rung.objects.filter(ladder=ladder).exclude(position=0).delete()
    ladder.acknowledge_within = timedelta(hours=7)
    ladder.save()
    assert len(policy_of(problem).rungs) == 5
    world.advance(minutes=61)
    assert [e.data["rung"] for e in events(problem, Verb.DUTY_FIRED)] == [1, 2]
    replan_problem(problem_id=problem.pk, user=world.petra, reason="New contract", now=world.now)
    assert len(policy_of(problem).rungs) == 1
    assert world.duty(problem).due_at.isoformat() == "2026-03-09T09:01:00+00:00"
