"""What automatic visitors do is learned from the journal, an hour late, and makes a bare press count less."""

from datetime import datetime, timedelta

import pytest

from sentinel.accounts.models import Worker
from sentinel.bulk.models import Delivery, Edition, Run, Template
from sentinel.checkins.models import CheckIn, Response
from sentinel.checkins.rules import Evidence, Face
from sentinel.checkins.services import record_visit
from sentinel.standing.models import ScannerHabit
from sentinel.standing.selectors import habit_of, habits
from sentinel.workflows.record_response import Signals
from sentinel.workflows.scanner_habits import handed_over_at, learn_scanner_habits
from tests.world import BARE, HUMAN, SCRIPT, World

PLAIN_STEP = Signals(trusted_event=False, script_ran=False, plain_step_passed=True)


def visit(world: World, check_in: CheckIn, target: str, *, method: str = "GET") -> None:
    record_visit(check_in_id=check_in.pk, target=target, method=method, now=world.now)


def learn(world: World) -> ScannerHabit:
    world.clock.advance(hours=2)
    while learn_scanner_habits(now=world.now):
        pass
    found = habit_of("anybody@lindgren.example")
    assert found is not None
    return found


def press_both(world: World, worker: Worker, *, later: timedelta = timedelta(minutes=5)) -> CheckIn:
    """A scanner presses both faces, not right after sending."""
    check_in = world.check_in(worker)
    world.clock.advance(minutes=later.total_seconds() / 60)
    for face in Face:
        world.answer(face, check_in=check_in, signals=SCRIPT)
    return check_in


def deliver(world: World, check_in: CheckIn, at: datetime) -> None:
    run = Run.objects.create(programme_id=1, day=at.date(), name="Run", created_at=at)
    template = Template.objects.create(key="k", language="en", compiled=b"", created_at=at)
    edition = Edition.objects.create(run=run, template=template, key="k", sender="x@y.example", shared={})
    Delivery.objects.create(
        run=run, edition=edition, check_in_id=check_in.pk, worker_id=check_in.worker_id, account_id=1,
        name="O", address="o@lindgren.example", domain="lindgren.example", issued_at=at, state="sent",
        next_at=at, attempts=1, settled_at=at,
    )  # fmt: skip


def test_openings_are_counted_by_domain_once_and_only_when_settled(world: World) -> None:
    check_in = world.check_in()
    visit(world, check_in, "happy", method="HEAD")
    visit(world, check_in, "happy")
    visit(world, check_in, "honeypot")
    world.clock.advance(minutes=3)
    visit(world, check_in, "frown")
    assert learn_scanner_habits(now=world.now) == 0
    assert not ScannerHabit.objects.exists()
    habit = learn(world)
    assert (habit.opened, habit.opened_at_once, habit.heads, habit.honeypots) == (4, 3, 1, 1)
    assert habit.both_faces == 0
    again = learn(world)
    assert again.opened == 4


def test_both_faces_are_noticed_across_turns(world: World) -> None:
    check_in = world.check_in()
    for target in ("happy", "frown", "happy", "frown"):
        visit(world, check_in, target)
    world.clock.advance(hours=2)
    while learn_scanner_habits(now=world.now, limit=1):
        pass
    habit = habit_of("lindgren.example")
    assert habit is not None
    assert (habit.opened, habit.both_faces) == (4, 1)


def test_set_aside_presses_and_human_answers_are_counted_apart(world: World) -> None:
    press_both(world, world.olena)
    no_script = world.check_in(world.joao)
    world.answer(Face.HAPPY, check_in=no_script, signals=BARE)
    world.answer(Face.HAPPY, check_in=no_script, signals=PLAIN_STEP)
    habit = learn(world)
    assert (habit.presses_set_aside, habit.human_answers) == (2, 1)
    assert list(habits()) == [habit]


def test_the_hand_over_counts_from_the_mail_server_s_yes(world: World) -> None:
    check_in = world.check_in()
    assert handed_over_at([check_in]) == {check_in.pk: world.now}
    later = world.now + timedelta(minutes=20)
    deliver(world, check_in, later)
    assert handed_over_at([check_in]) == {check_in.pk: later}


@pytest.mark.parametrize(
    ("robots", "seconds", "text", "evidence"),
    [
        (0, 20, "", Evidence.VERIFIED),
        (2, 20, "", Evidence.PROVISIONAL),
        (2, 70, "", Evidence.VERIFIED),
        (2, 20, "The belt is torn.", Evidence.VERIFIED),
    ],
)
def test_a_bare_press_right_after_sending_counts_less_where_robots_press(
    world: World, robots: int, seconds: int, text: str, evidence: Evidence
) -> None:
    for _ in range(robots):
        press_both(world, world.joao)
        world.answer(Face.FROWN, check_in=world.check_in(world.joao), signals=BARE)
    if robots:
        assert learn(world).presses_set_aside >= 2
    check_in = world.check_in()
    world.clock.advance(seconds=seconds)
    recorded = world.answer(Face.FROWN, text, check_in=check_in, signals=HUMAN)
    assert recorded.evidence is evidence
    assert recorded.offer_plain_step is (evidence is Evidence.PROVISIONAL)
    assert (recorded.problem_id is None) is (evidence is Evidence.PROVISIONAL)


def test_the_plain_step_makes_the_doubted_press_count(world: World) -> None:
    for _ in range(2):
        press_both(world, world.joao)
        world.answer(Face.FROWN, check_in=world.check_in(world.joao), signals=BARE)
    learn(world)
    check_in = world.check_in()
    assert world.answer(Face.FROWN, check_in=check_in, signals=HUMAN).problem_id is None
    assert world.answer(Face.FROWN, check_in=check_in, signals=PLAIN_STEP).problem_id is not None
    assert Response.objects.filter(check_in=check_in, superseded_by__isnull=True).count() == 1
