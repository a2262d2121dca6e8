"""An answer is judged, kept, and set to work only when a human gave it."""

from datetime import timedelta

import pytest

from sentinel.checkins.errors import CheckInUnknown
from sentinel.checkins.models import CheckIn, LinkVisit, PleaseCheck, Response
from sentinel.checkins.rules import Evidence, Face, ResponseKind, Severity
from sentinel.checkins.selectors import please_checks_visible_to, responses_visible_to
from sentinel.checkins.services import record_visit
from sentinel.outbox.selectors import messages_to
from sentinel.people.models import User
from sentinel.problems.models import Problem
from sentinel.problems.rules import ProblemState
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import ActorKind, Verb
from sentinel.workflows.record_response import Answer, Recorded, Signals, record_response
from sentinel.workflows.review_provisional import review_provisional
from tests.world import BARE, HUMAN, SCRIPT, World

PLAIN_STEP = Signals(plain_step_passed=True)


@pytest.fixture
def check_in(world: World) -> CheckIn:
    return world.check_in()


def told(user: User, kind: str) -> list[str]:
    """The channels on which a user was told."""
    return sorted(m.channel for m in messages_to(recipient_kind="user", recipient_id=user.pk, kind=kind))


def opened(recorded: Recorded) -> Problem:
    assert recorded.problem_id is not None
    return Problem.objects.get(pk=recorded.problem_id)


def verbs() -> list[str]:
    return list(Event.objects.order_by("id").values_list("verb", flat=True))


def test_a_verified_frown_opens_a_problem_and_alarms_the_owner(world: World, check_in: CheckIn) -> None:
    recorded = world.answer(
        Face.FROWN, " It is broken ", check_in=check_in, severity=Severity.STOPPED, call_number="+4930555"
    )
    assert (recorded.evidence, recorded.kind) == (Evidence.VERIFIED, ResponseKind.PROBLEM)
    problem = opened(recorded)
    assert (problem.words, problem.severity, problem.call_number) == ("It is broken", "stopped", "+4930555")
    assert problem.response_id == recorded.response_id
    assert told(world.maria, "duty.notice") == ["console", "email"]
    assert [m.kind for m in messages_to(recipient_kind="worker", recipient_id=world.olena.pk)] == [
        "problem.receipt"
    ]


def test_words_make_a_human_of_anybody(world: World, check_in: CheckIn) -> None:
    record_visit(check_in_id=check_in.pk, target="honeypot", method="GET", now=world.now)
    recorded = world.answer(Face.FROWN, "Broken", check_in=check_in, signals=BARE)
    assert recorded.evidence is Evidence.VERIFIED


def test_further_words_join_the_problem_of_the_same_check_in(world: World, check_in: CheckIn) -> None:
    first = world.answer(Face.FROWN, check_in=check_in)
    world.clock.advance(seconds=20)
    second = world.answer(Face.FROWN, "The fuser is hot", check_in=check_in)
    assert second.problem_id == first.problem_id
    assert Problem.objects.count() == 1
    assert Verb.WORKER_WROTE.value in verbs()


def test_another_check_in_is_another_problem(world: World, check_in: CheckIn) -> None:
    world.answer(Face.FROWN, "One", check_in=check_in)
    world.clock.advance(days=8)
    world.answer(Face.FROWN, "Two")
    assert Problem.objects.count() == 2


def test_an_impatient_thumb_gives_one_answer(world: World, check_in: CheckIn) -> None:
    first = world.answer(Face.FROWN, "Broken", check_in=check_in)
    world.clock.advance(seconds=2)
    assert world.answer(Face.FROWN, "Broken", check_in=check_in).response_id == first.response_id
    assert Response.objects.count() == 1


def test_a_provisional_frown_alarms_nobody_and_becomes_a_quiet_line_after_a_quarter(
    world: World, check_in: CheckIn
) -> None:
    recorded = world.answer(Face.FROWN, check_in=check_in, signals=SCRIPT)
    assert (recorded.evidence, recorded.problem_id) == (Evidence.PROVISIONAL, None)
    assert recorded.offer_plain_step
    world.clock.advance(minutes=14)
    assert review_provisional(now=world.now) == 0
    world.clock.advance(minutes=1)
    assert review_provisional(now=world.now) == 1
    assert review_provisional(now=world.now) == 0
    assert Problem.objects.count() == 0
    assert told(world.maria, "please_check.raised") == ["console"]
    assert please_checks_visible_to(world.maria, world.now).count() == 1
    assert please_checks_visible_to(world.otto, world.now).count() == 0


def test_a_provisional_happy_is_never_news_nor_a_line(world: World, check_in: CheckIn) -> None:
    world.answer(Face.HAPPY, check_in=check_in, signals=SCRIPT)
    world.clock.advance(minutes=20)
    assert review_provisional(now=world.now) == 0
    assert verbs() == []


def test_the_plain_step_makes_a_provisional_frown_count(world: World, check_in: CheckIn) -> None:
    first = world.answer(Face.FROWN, check_in=check_in, signals=SCRIPT)
    world.clock.advance(minutes=20)
    review_provisional(now=world.now)
    second = world.answer(Face.FROWN, check_in=check_in, signals=PLAIN_STEP)
    assert second.evidence is Evidence.VERIFIED
    assert Problem.objects.get().pk == second.problem_id
    assert Response.objects.get(pk=first.response_id).superseded_by_id == second.response_id
    assert PleaseCheck.objects.get().outcome == "verified"


def test_a_bare_post_counts_for_nothing_and_is_kept(world: World, check_in: CheckIn) -> None:
    recorded = world.answer(Face.FROWN, check_in=check_in, signals=BARE)
    assert (recorded.evidence, recorded.offer_plain_step) == (Evidence.ROBOT, True)
    world.clock.advance(hours=1)
    assert review_provisional(now=world.now) == 0
    assert Problem.objects.count() == 0
    assert Response.objects.count() == 1


@pytest.mark.parametrize(
    ("target", "face"), [("honeypot", Face.FROWN), ("happy", Face.FROWN), ("frown", Face.HAPPY)]
)
def test_openings_by_a_scanner_spoil_a_press_without_words(
    world: World, check_in: CheckIn, target: str, face: Face
) -> None:
    record_visit(check_in_id=check_in.pk, target=target, method="GET", now=world.now - timedelta(seconds=30))
    assert world.answer(face, check_in=check_in, signals=HUMAN).evidence is Evidence.ROBOT


def test_a_human_an_hour_after_the_scanner_is_believed(world: World, check_in: CheckIn) -> None:
    for target in ("happy", "frown", "honeypot"):
        record_visit(check_in_id=check_in.pk, target=target, method="GET", now=world.now)
    world.clock.advance(hours=1)
    assert world.answer(Face.FROWN, check_in=check_in).evidence is Evidence.VERIFIED


def test_both_faces_pressed_by_a_robot_leave_the_problem_open_and_flagged(
    world: World, check_in: CheckIn
) -> None:
    frown = world.answer(Face.FROWN, check_in=check_in, signals=HUMAN)
    world.clock.advance(seconds=3)
    happy = world.answer(Face.HAPPY, check_in=check_in, signals=HUMAN)
    assert happy.evidence is Evidence.ROBOT
    problem = opened(frown)
    assert problem.suspected_automatic
    assert problem.state == ProblemState.REPORTED
    assert Response.objects.get(pk=frown.response_id).evidence == Evidence.ROBOT
    assert verbs().count(Verb.PROBLEM_SUSPECTED_AUTOMATIC.value) == 1
    set_aside = Event.objects.get(verb=Verb.RESPONSE_SET_ASIDE.value)
    assert (set_aside.problem_id, set_aside.data["response"]) == (problem.pk, frown.response_id)
    assert set_aside.actor_kind == ActorKind.ENGINE


def test_a_happy_face_contradicted_within_a_minute_is_not_counted(world: World, check_in: CheckIn) -> None:
    happy = world.answer(Face.HAPPY, check_in=check_in)
    world.clock.advance(seconds=3)
    frown = world.answer(Face.FROWN, check_in=check_in)
    assert frown.evidence is Evidence.ROBOT
    set_aside = Event.objects.get(verb=Verb.RESPONSE_SET_ASIDE.value)
    assert (set_aside.worker_id, set_aside.data["response"]) == (world.olena.pk, happy.response_id)
    assert Response.objects.get(pk=happy.response_id).evidence == Evidence.ROBOT
    assert Problem.objects.count() == 0
    # Whoever slipped says so by the plain step.
    world.clock.advance(seconds=9)
    assert world.answer(Face.FROWN, check_in=check_in, signals=PLAIN_STEP).problem_id is not None


def test_words_after_a_contradiction_clear_the_suspicion(world: World, check_in: CheckIn) -> None:
    frown = world.answer(Face.FROWN, check_in=check_in)
    world.clock.advance(seconds=3)
    world.answer(Face.HAPPY, check_in=check_in)
    world.clock.advance(seconds=30)
    again = world.answer(Face.FROWN, "It really is broken", check_in=check_in)
    assert again.problem_id == frown.problem_id
    assert not Problem.objects.get().suspected_automatic


def test_a_later_human_frown_overrides_a_happy_face(world: World, check_in: CheckIn) -> None:
    happy = world.answer(Face.HAPPY, check_in=check_in)
    world.clock.advance(hours=2)
    frown = world.answer(Face.FROWN, check_in=check_in)
    assert frown.problem_id is not None
    assert Response.objects.get(pk=happy.response_id).superseded_by_id == frown.response_id


def test_a_later_happy_face_closes_nothing(world: World, check_in: CheckIn) -> None:
    frown = world.answer(Face.FROWN, "Broken", check_in=check_in)
    world.clock.advance(hours=2)
    world.answer(Face.HAPPY, "All good again", check_in=check_in)
    assert opened(frown).is_open
    assert Response.objects.get(pk=frown.response_id).superseded_by is None


@pytest.mark.parametrize("kind", [ResponseKind.COMMENT, ResponseKind.SUGGESTION, ResponseKind.PRAISE])
def test_a_happy_worker_with_something_to_say_is_heard_by_the_owner(
    world: World, check_in: CheckIn, kind: ResponseKind
) -> None:
    recorded = world.answer(Face.HAPPY, "More often fresh coffee", check_in=check_in, kind=kind)
    assert recorded.kind is kind
    assert told(world.maria, "problem.news") == ["console", "email"]
    assert Problem.objects.count() == 0
    assert verbs() == [Verb.WORKER_COMMENTED.value]


def test_a_happy_face_alone_is_noted_and_bothers_nobody(world: World, check_in: CheckIn) -> None:
    recorded = world.answer(Face.HAPPY, check_in=check_in)
    assert recorded.kind is ResponseKind.NOTHING
    assert told(world.maria, "problem.news") == []
    assert verbs() == [Verb.WORKER_ANSWERED_HAPPY.value]


def test_a_problem_said_on_the_happy_page_is_a_problem(world: World, check_in: CheckIn) -> None:
    recorded = world.answer(Face.HAPPY, "But it leaks", check_in=check_in, kind=ResponseKind.PROBLEM)
    assert recorded.problem_id is not None
    assert Response.objects.get().face == Face.FROWN


def test_words_about_an_asked_problem_join_that_problem(world: World, check_in: CheckIn) -> None:
    problem = world.frown()
    world.clock.advance(days=30)
    asked = world.check_in()
    asked.about_problem_id = problem.pk
    asked.save()
    assert world.answer(Face.FROWN, "Still there", check_in=asked).problem_id == problem.pk
    assert Problem.objects.count() == 1


def test_an_unknown_check_in_is_refused(world: World) -> None:
    with pytest.raises(CheckInUnknown):
        record_response(check_in_id=99, answer=Answer(face=Face.FROWN), signals=HUMAN, now=world.now)


def test_visits_change_nothing(world: World, check_in: CheckIn) -> None:
    for _ in range(3):
        for target in ("happy", "frown", "honeypot"):
            record_visit(check_in_id=check_in.pk, target=target, method="HEAD", now=world.now)
    record_visit(check_in_id=99_999, target="happy", method="GET", now=world.now)
    assert LinkVisit.objects.count() == 9
    assert Response.objects.count() == 0
    assert verbs() == []


def test_answers_are_seen_by_those_who_see_the_account(world: World, check_in: CheckIn) -> None:
    world.answer(Face.HAPPY, "Thanks", check_in=check_in)
    for user in (world.maria, world.petra, world.tom, world.ada, world.alan, world.henrik):
        assert responses_visible_to(user, world.now).count() == 1, user
    assert responses_visible_to(world.otto, world.now).count() == 0
