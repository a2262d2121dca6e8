"""Calls that nobody wants any more: they do not ring, and they stand in nobody's way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sentinel.accounts.selectors import calendar_of_site
from sentinel.calls.errors import CallRefused
from sentinel.calls.rules import CallState
from sentinel.calls.selectors import counts_by_state
from sentinel.config.telephone import CallsBy
from sentinel.outbox.services import claim
from sentinel.problems.models import Call
from sentinel.problems.rules import CallOutcome, Verdict
from sentinel.workflows.follow_call import wish_to_place
from sentinel.workflows.log_call import log_call
from sentinel.workflows.place_call import hang_up_call, place_call, why_no_call
from sentinel.workflows.record_verdict import record_verdict
from sentinel.workflows.worker_words import update_call_wishes
from tests.fakes.telephone import FakeTelephone
from tests.stories.acts import bring_to_proposal
from tests.stories.calls import notices, press, told
from tests.world import World


def test_a_call_that_comes_too_late_is_not_placed_any_more(world: World, telephone: FakeTelephone) -> None:
    problem = world.frown()
    world.tick()
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    world.sleep_until(world.now + timedelta(seconds=46))
    world.tick()
    call.refresh_from_db()
    assert (call.state, call.reason) == ("ended", "failed")
    assert not telephone.calls
    assert "+380445550101" in notices(world)[0]


def test_a_call_taken_back_before_the_engine_wakes_never_rings(
    world: World, telephone: FakeTelephone
) -> None:
    problem = world.frown()
    world.tick()
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    hang_up_call(call_id=call.pk, user=world.maria, now=world.now)
    world.tick()
    call.refresh_from_db()
    assert (call.reason, telephone.calls, notices(world)) == ("cancelled", {}, [])


def test_a_wish_to_hang_up_reaches_whoever_holds_the_call(world: World, telephone: FakeTelephone) -> None:
    problem = world.frown()
    world.tick()
    call = press(world, problem)
    telephone.comes_to(CallState.DIALING_WORKER, at=world.now)
    assert counts_by_state() == {"dialing_worker": 1}
    hang_up_call(call_id=call.pk, user=world.maria, now=world.now)
    world.tick()
    assert telephone.hung_up == [telephone.newest.ref]
    call.refresh_from_db()
    assert call.reason == "cancelled"
    assert counts_by_state() == {}


def test_a_worker_who_wants_no_call_any_more_is_not_rung(world: World, telephone: FakeTelephone) -> None:
    problem = world.frown()
    world.tick()
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    update_call_wishes(
        problem_id=problem.pk, may_call=False, number="", when="", language="en", now=world.now
    )
    world.tick()
    call.refresh_from_db()
    assert (call.reason, telephone.calls) == ("cancelled", {})
    assert call.detail == "The worker does not want to be called. Write to them instead."
    (said,) = notices(world)
    assert said.startswith("Your call with Olena Kovalenko did not come about | ")
    assert said.endswith("Olena Kovalenko does not want to be called any more. Please write instead.")
    assert len(world.inbox(world.maria, "call.ended")) == 1
    assert not Call.objects.exists()


@pytest.mark.parametrize(("wished", "reason"), [(False, "cancelled"), (True, "")])
def test_a_call_pressed_in_the_last_second_of_the_day_rings_only_when_wished(
    world: World, telephone: FakeTelephone, wished: bool, reason: str
) -> None:
    problem = world.frown()
    world.tick()
    evening = calendar_of_site(problem.site).add(world.now, timedelta(hours=1))
    while why_no_call(problem, user=world.maria, now=evening) is None:
        evening += timedelta(minutes=1)
    world.sleep_until(evening - timedelta(seconds=1))
    if wished:
        back: dict[str, Any] = {
            "outcome": CallOutcome.CALL_BACK,
            "call_back_at": evening + timedelta(minutes=10),
        }
        log_call(problem_id=problem.pk, user=world.maria, now=world.now, **back)
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    world.sleep_until(evening + timedelta(seconds=2))
    world.tick()
    call.refresh_from_db()
    assert (call.reason, len(telephone.calls)) == (reason, int(wished))
    assert ["not at work any more" in words for words in notices(world)] == ([] if wished else [True])


def test_a_problem_closed_while_an_engine_had_the_wish_rings_nobody(
    world: World, telephone: FakeTelephone
) -> None:
    problem = world.frown()
    bring_to_proposal(world, problem)
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    claim(channel="voice", limit=1, now=world.now)
    record_verdict(proposal_id=world.proposal(problem).pk, verdict=Verdict.YES, human=True, now=world.now)
    assert not wish_to_place(key=call.key, can_ask=False, now=world.now)
    call.refresh_from_db()
    assert call.reason == "cancelled"
    world.tick()
    assert ["The problem was closed meanwhile" in words for words in notices(world)] == [True]


@pytest.mark.parametrize(
    ("verdict", "said"), [(Verdict.YES, "The problem was closed meanwhile"), (Verdict.NO, "It was cancelled")]
)
def test_closing_or_reopening_before_an_engine_wakes_frees_the_caller_at_once(
    world: World, telephone: FakeTelephone, verdict: Verdict, said: str
) -> None:
    problem, other = world.frown(), world.frown(worker=world.joao)
    bring_to_proposal(world, problem)
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    record_verdict(proposal_id=world.proposal(problem).pk, verdict=verdict, human=True, now=world.now)
    with pytest.raises(CallRefused):
        place_call(problem_id=other.pk, user=world.maria, now=world.now)
    world.tick()
    call.refresh_from_db()
    assert (call.reason, telephone.calls) == ("cancelled", {})
    assert told(problem)[-1] == "call.ended"
    world.tick()
    assert [said in words for words in notices(world)] == [True]
    assert place_call(problem_id=other.pk, user=world.maria, now=world.now).is_going_on


def test_a_call_withdrawn_where_nobody_places_calls_any_more_is_over_at_once(
    world: World, telephone: FakeTelephone, settings: Any
) -> None:
    problem = world.frown()
    bring_to_proposal(world, problem)
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    record_verdict(proposal_id=world.proposal(problem).pk, verdict=Verdict.YES, human=True, now=world.now)
    settings.CALLS_BY, world.voice = CallsBy(provider="tel"), None
    world.tick()
    call.refresh_from_db()
    assert call.reason == "cancelled"
