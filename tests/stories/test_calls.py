"""A call from the press to its outcome: who may call whom, how it ends, and what it means for the loop."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sentinel.accounts.models import Worker
from sentinel.calls.errors import CallRefused
from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import CallState, EndReason, Leg, WhyNot
from sentinel.calls.selectors import awaiting_outcome
from sentinel.escalation.rules import DutyKind
from sentinel.kernel.errors import NotAllowed, NotFound
from sentinel.people.models import User
from sentinel.problems.models import Call, Problem
from sentinel.problems.rules import CallOutcome, ProblemState, Verdict
from sentinel.timeline.verbs import Verb
from sentinel.workflows.log_call import log_call
from sentinel.workflows.place_call import place_call, why_no_call
from sentinel.workflows.record_verdict import record_verdict
from sentinel.workflows.test_call import place_test_call
from tests.fakes.telephone import FakeTelephone
from tests.stories.acts import bring_to_proposal, events, state
from tests.stories.calls import CALL_VERBS, notices, press, told
from tests.world import World


def test_two_people_talk_and_the_caller_is_asked_how_it_went(world: World, telephone: FakeTelephone) -> None:
    problem = world.frown()
    world.tick()
    call = press(world, problem)
    assert state(problem) is ProblemState.ACKNOWLEDGED
    assert world.duty(problem).kind == DutyKind.CALL.value
    intent = telephone.newest.intent
    assert (intent.owner_number, intent.worker_number) == ("+4930555010", "+380445550101")
    assert intent.whisper == "Call with Olena Kovalenko, Kyiv. About: The printer on floor 2 eats every page"
    telephone.plays(EndReason.COMPLETED, at=world.now, talked=90)
    call.refresh_from_db()
    assert (call.state, call.reason, call.talk_seconds) == ("ended", "completed", 90)
    assert told(problem) == [verb.value for verb in CALL_VERBS]
    before = world.duty(problem)
    world.tick()
    assert ["How did the call with Olena Kovalenko go?" in words for words in notices(world)] == [True]
    assert [m.payload["subject"] for m in world.inbox(world.maria, "call.ended")] == [
        "How did the call with Olena Kovalenko go?"
    ]
    # Nothing is closed, nothing is owed less, nobody is told that somebody was tried.
    assert (world.duty(problem).kind, world.duty(problem).due_at) == (before.kind, before.due_at)
    assert list(awaiting_outcome(world.maria.pk)) == [call]
    log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    call.refresh_from_db()
    assert call.outcome is not None
    assert not awaiting_outcome(world.maria.pk).exists()
    assert world.duty(problem).kind == DutyKind.PROMISE.value


@pytest.mark.parametrize(
    "reason",
    [EndReason.NO_ANSWER, EndReason.MACHINE],
)
def test_a_worker_who_is_not_reached_counts_as_a_try_at_once(
    world: World, telephone: FakeTelephone, reason: EndReason
) -> None:
    problem = world.frown()
    world.tick()
    call = press(world, problem)
    telephone.plays(reason, at=world.now, leg=Leg.WORKER)
    logged = Call.objects.get(problem=problem)
    call.refresh_from_db()
    assert (logged.outcome, logged.caller, call.outcome) == ("no_answer", world.maria, logged)
    assert reason.value.replace("_", " ") in logged.note
    assert world.duty(problem).failed_calls == 1
    world.tick()
    assert len(world.inbox(world.olena, "problem.tried_to_call")) == 1
    assert "Olena Kovalenko was not reached" in notices(world)[0]
    assert not world.inbox(world.maria, "call.ended")


def test_the_second_failure_in_a_row_climbs_the_ladder(world: World, telephone: FakeTelephone) -> None:
    problem = world.frown()
    world.tick()
    for _ in range(2):
        press(world, problem)
        telephone.plays(EndReason.NO_ANSWER, at=world.now, leg=Leg.WORKER)
    assert world.duty(problem).failed_calls == 2
    world.tick()
    assert [event.data["rung"] for event in events(problem, Verb.DUTY_FIRED)] == [1]


@pytest.mark.parametrize("reason", [EndReason.NO_ANSWER, EndReason.CANCELLED])
def test_an_owner_who_does_not_pick_up_has_not_tried(
    world: World, telephone: FakeTelephone, reason: EndReason
) -> None:
    problem = world.frown()
    world.tick()
    press(world, problem)
    telephone.plays(reason, at=world.now, leg=Leg.OWNER)
    world.tick()
    assert not Call.objects.exists()
    assert world.duty(problem).failed_calls == 0
    assert "+380445550101" in notices(world)[0]
    assert not world.inbox(world.olena, "problem.tried_to_call")
    place_call(problem_id=problem.pk, user=world.maria, now=world.now)  # and nothing stands in the way


def test_an_outcome_told_while_talking_is_not_asked_for_again(world: World, telephone: FakeTelephone) -> None:
    problem = world.frown()
    world.tick()
    call = press(world, problem)
    telephone.comes_to(CallState.BRIDGED, at=world.now)
    log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    telephone.ends(EndReason.COMPLETED, at=world.now)
    world.tick()
    call.refresh_from_db()
    assert call.outcome is not None
    assert notices(world) == []


def test_a_problem_closed_meanwhile_owes_nothing(world: World, telephone: FakeTelephone) -> None:
    problem = world.frown()
    world.tick()
    bring_to_proposal(world, problem)
    press(world, problem)
    telephone.comes_to(CallState.DIALING_WORKER, at=world.now)
    record_verdict(proposal_id=world.proposal(problem).pk, verdict=Verdict.YES, human=True, now=world.now)
    assert state(problem) is ProblemState.CONFIRMED
    calls = Call.objects.count()
    telephone.ends(EndReason.NO_ANSWER, at=world.now, leg=Leg.WORKER)
    assert Call.objects.count() == calls
    assert told(problem)[-1] == "call.ended"


def test_a_test_call_rings_the_users_own_telephone_only(world: World, telephone: FakeTelephone) -> None:
    call = place_test_call(user=world.maria, now=world.now)
    world.tick()
    intent = telephone.newest.intent
    assert (intent.key, intent.owner_number, intent.worker_number) == (call.key, "+4930555010", "")
    telephone.comes_to(CallState.OWNER_ANSWERED, at=world.now)
    telephone.ends(EndReason.COMPLETED, at=world.now)
    world.tick()
    found = [m.payload["title"] for m in world.notices(world.maria) if m.kind == "call.tested"]
    assert found == ["Your telephone works"]
    assert [call.is_test for call in PlacedCall.objects.all()] == [True]


def test_who_may_call_whom_and_when(world: World, telephone: FakeTelephone) -> None:
    problem = world.frown()
    ask: dict[str, Any] = {"problem_id": problem.pk, "now": world.now}

    def why(user: User) -> WhyNot | None:
        return why_no_call(Problem.objects.get(pk=problem.pk), user=user, now=world.now)

    assert (why(world.maria), why(world.tom)) == (None, WhyNot.NO_OWNER_NUMBER)
    with pytest.raises(NotFound):
        place_call(user=world.otto, **ask)
    with pytest.raises(NotAllowed):
        place_call(user=world.alan, **ask)
    Problem.objects.filter(pk=problem.pk).update(may_call=False)
    with pytest.raises(CallRefused) as refused:
        place_call(user=world.maria, **ask)
    assert refused.value.why is WhyNot.UNWANTED
    assert state(problem) is ProblemState.REPORTED
    Problem.objects.filter(pk=problem.pk).update(may_call=True, call_number="sip:olena@elsewhere.example")
    assert why(world.maria) is WhyNot.NO_WORKER_NUMBER
    Problem.objects.filter(pk=problem.pk).update(call_number="sip:*21*0900@pbx.example")
    assert why(world.maria) is WhyNot.NO_WORKER_NUMBER, "typed into an answer by whoever had the link"
    Problem.objects.filter(pk=problem.pk).update(call_number="sip:olena@pbx.example")
    Worker.objects.filter(pk=world.olena.pk).update(telephone="sip:olena@pbx.example")
    assert why(world.maria) is None
    # Friday 20:00 in Kyiv; unless she asked for it.
    world.sleep_until(world.now.replace(hour=18))
    assert why(world.maria) is WhyNot.OUTSIDE_HOURS
    log_call(
        problem_id=problem.pk,
        user=world.maria,
        outcome=CallOutcome.CALL_BACK,
        call_back_at=world.now + timedelta(hours=1),
        now=world.now,
    )
    world.sleep_until(world.now + timedelta(minutes=31))
    assert why(world.maria) is None


def test_one_call_at_a_time_and_a_second_press_is_the_same_call(
    world: World, telephone: FakeTelephone
) -> None:
    first, second = world.frown(), world.frown(worker=world.joao)
    call = place_call(problem_id=first.pk, user=world.maria, now=world.now)
    assert place_call(problem_id=first.pk, user=world.maria, now=world.now) == call
    world.tom.telephone = "+4930555011"
    world.tom.save()
    for user, problem in ((world.maria, second), (world.tom, first)):
        with pytest.raises(CallRefused) as refused:
            place_call(problem_id=problem.pk, user=user, now=world.now)
        assert refused.value.why is WhyNot.TALKING
    world.tick()
    assert len(telephone.calls) == 1
    assert len(events(first, Verb.CALL_REQUESTED)) == 1
