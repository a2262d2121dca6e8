"""A call from the press to its outcome: each ending, and what it means for the loop."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import pytest

from sentinel.accounts.models import Worker
from sentinel.accounts.selectors import calendar_of_site
from sentinel.calls.errors import CallRefused
from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import CallEvent, CallState, EndReason, Leg, WhyNot
from sentinel.calls.selectors import awaiting_outcome, counts_by_state
from sentinel.channels.voice.base import Rejected, Unclear
from sentinel.channels.voice.sender import VoiceSender
from sentinel.config.telephone import CallsBy
from sentinel.escalation.rules import DutyKind
from sentinel.kernel.errors import NotAllowed, NotFound
from sentinel.outbox.services import claim
from sentinel.people.models import User
from sentinel.problems.models import Call, Problem
from sentinel.problems.rules import CallOutcome, ProblemState, Verdict
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.follow_call import follow_event, wish_to_place
from sentinel.workflows.log_call import log_call
from sentinel.workflows.place_call import hang_up_call, place_call, why_no_call
from sentinel.workflows.record_verdict import record_verdict
from sentinel.workflows.test_call import place_test_call
from sentinel.workflows.worker_words import update_call_wishes
from tests.fakes.telephone import FakeTelephone, FindingTelephone
from tests.stories.acts import bring_to_proposal, events, state
from tests.world import World

CALL_VERBS = (
    Verb.CALL_REQUESTED,
    Verb.CALL_OWNER_ANSWERED,
    Verb.CALL_WORKER_DIALED,
    Verb.CALL_BRIDGED,
    Verb.CALL_ENDED,
)


@pytest.fixture
def telephone(world: World, settings: Any) -> FakeTelephone:
    """An exchange that the world's engine places calls through."""
    settings.CALLS_BY = CallsBy(provider="sip", host="pbx.example")

    def follow(event: CallEvent) -> None:
        follow_event(provider="sip", event=event, now=world.now)

    fake = FakeTelephone(follow)
    world.voice = VoiceSender(fake, caller_id="+4930555000")
    return fake


@pytest.fixture
def knowing(world: World, telephone: FakeTelephone) -> FakeTelephone:
    """The same, but it can tell which calls it knows."""
    fake = FindingTelephone(telephone.on_event)
    world.voice = VoiceSender(fake)
    return fake


def press(world: World, problem: Problem) -> PlacedCall:
    """Maria presses "Call", and the engine places it."""
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    world.tick()
    return call


def told(problem: Problem) -> list[str]:
    """The verbs of the call on the problem's timeline, as the story reads."""
    rows = Event.objects.filter(problem_id=problem.pk, verb__startswith="call.").order_by("at", "id")
    return list(rows.values_list("verb", flat=True))


def notices(world: World) -> list[str]:
    """What Maria's console says about calls."""
    return [f"{m.payload['title']} | {m.payload['text']}" for m in world.notices(world.maria)
            if m.kind == "call.ended"]  # fmt: skip


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


def test_what_is_refused_for_good_is_told_at_once_with_the_number(
    world: World, telephone: FakeTelephone
) -> None:
    problem = world.frown()
    world.tick()
    telephone.will(Rejected(permanent=True, reason="neither a number nor an address"))
    call = press(world, problem)
    call.refresh_from_db()
    assert (call.reason, call.detail) == ("failed", "neither a number nor an address")
    assert "+380445550101" in notices(world)[0]
    assert not [m for m in world.notices(world.petra) if m.kind == "message.failed"]
    assert not telephone.calls


def test_a_passing_refusal_is_tried_once_more_and_then_told(world: World, telephone: FakeTelephone) -> None:
    problem = world.frown()
    world.tick()
    refusal = Rejected(permanent=False, reason="all lines are busy")
    telephone.will(refusal, refusal)
    press(world, problem)
    assert notices(world) == []
    world.advance(seconds=7)
    assert "+380445550101" in notices(world)[0]
    telephone.will(refusal)
    again = press(world, problem)
    world.advance(seconds=7)
    again.refresh_from_db()
    assert again.is_going_on
    assert len(telephone.calls) == 1


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


@pytest.mark.parametrize("seed", range(3))
def test_news_twice_and_in_any_order_is_one_story(world: World, telephone: FakeTelephone, seed: int) -> None:
    chance = random.Random(seed)
    problem = world.frown()
    world.tick()
    call = press(world, problem)
    begun = world.now
    telephone.on_event = None
    steps = list(CallState)[1:-1]
    said = [telephone.comes_to(step, at=begun + timedelta(seconds=n)) for n, step in enumerate(steps)]
    said.append(telephone.ends(EndReason.COMPLETED, at=begun + timedelta(seconds=60), talked=57))
    world.clock.set(begun + timedelta(minutes=2))
    heard = said * 2
    chance.shuffle(heard)
    came_further = [follow_event(provider="sip", event=event, now=world.now) for event in heard]
    call.refresh_from_db()
    assert (call.state, call.reason, call.talk_seconds) == ("ended", "completed", 57)
    assert call.bridged_at is not None
    assert call.steps.count() == 5
    assert 1 <= sum(came_further) <= 5
    assert told(problem) == [verb.value for verb in CALL_VERBS]
    world.tick()
    assert len(notices(world)) == 1


def test_news_about_calls_nobody_asked_for_is_left_alone(world: World, telephone: FakeTelephone) -> None:
    event = CallEvent(key="x", ref="r", event_id="1", state=CallState.BRIDGED, at=world.now)
    assert not follow_event(provider="sip", event=event, now=world.now)


def test_an_engine_that_dies_after_placing_lets_it_ring_again_not_never(
    world: World, telephone: FakeTelephone
) -> None:
    problem = world.frown()
    world.tick()
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    [dead] = claim(channel="voice", limit=1, now=world.now)
    gone = FakeTelephone(telephone.on_event, name="gone")
    VoiceSender(gone).send(dead, world.now)
    gone.comes_to(CallState.DIALING_OWNER, at=world.now)
    world.advance(seconds=31)
    assert len(telephone.calls) == 1
    telephone.plays(EndReason.COMPLETED, at=world.now)
    call.refresh_from_db()
    assert call.reason == "completed"


def test_a_provider_that_can_tell_does_not_ring_twice(world: World, knowing: FakeTelephone) -> None:
    problem = world.frown()
    world.tick()
    call = place_call(problem_id=problem.pk, user=world.maria, now=world.now)
    [dead] = claim(channel="voice", limit=1, now=world.now)
    assert world.voice is not None
    world.voice.send(dead, world.now)  # and the engine dies before it settles
    world.advance(seconds=31)
    assert len(knowing.calls) == 1
    call.refresh_from_db()
    assert call.provider_ref == knowing.newest.ref
    knowing.plays(EndReason.COMPLETED, at=world.now)
    call.refresh_from_db()
    assert call.reason == "completed"


@pytest.mark.parametrize("rings", [True, False])
def test_an_unclear_placing_is_looked_up_and_never_repeated(
    world: World, knowing: FakeTelephone, rings: bool
) -> None:
    problem = world.frown()
    world.tick()
    knowing.will(Unclear("no answer to the question"))
    knowing.rings_when_unclear = rings
    call = press(world, problem)
    rung = len(knowing.calls)
    world.advance(seconds=41)
    world.tick()
    call.refresh_from_db()
    assert len(knowing.calls) == rung == int(rings)
    assert call.is_going_on is rings
    assert len(notices(world)) == int(not rings)


def test_a_call_whose_engine_is_gone_is_lost_and_its_caller_told(
    world: World, telephone: FakeTelephone
) -> None:
    problem = world.frown()
    world.tick()
    call = press(world, problem)
    telephone.comes_to(CallState.BRIDGED, at=world.now)
    for _ in range(4):
        world.sleep_until(world.now + timedelta(minutes=1))
        world.tick()
    call.refresh_from_db()
    assert call.is_going_on
    telephone.is_lost = True
    world.sleep_until(world.now + timedelta(seconds=30))
    world.tick()
    call.refresh_from_db()
    assert call.reason == "lost"
    assert "you may still talk" in notices(world)[0]
    assert list(awaiting_outcome(world.maria.pk)) == [call]
    assert not Call.objects.exists()
    # What the lost engine says afterwards is kept, and changes nothing.
    telephone.ends(EndReason.COMPLETED, at=world.now)
    call.refresh_from_db()
    assert call.reason == "lost"


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
    assert not wish_to_place(key=call.key, now=world.now)
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


def test_a_test_call_rings_the_users_own_telephone_only(world: World, telephone: FakeTelephone) -> None:
    key = place_test_call(user=world.maria, now=world.now)
    world.tick()
    intent = telephone.newest.intent
    assert (intent.key, intent.owner_number, intent.worker_number) == (key, "+4930555010", "")
    telephone.comes_to(CallState.OWNER_ANSWERED, at=world.now)
    telephone.ends(EndReason.COMPLETED, at=world.now)
    world.tick()
    found = [m.payload["title"] for m in world.notices(world.maria) if m.kind == "call.tested"]
    assert found == ["Your telephone works"]
    assert not PlacedCall.objects.exists()


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
