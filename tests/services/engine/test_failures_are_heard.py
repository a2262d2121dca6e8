"""Messages that will not arrive, and duties that cannot be fired, become visible to people."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sentinel.channels.base import Sent
from sentinel.engine.passes import fire_duties, retry_quarantined
from sentinel.escalation.models import Duty, FrozenPolicy
from sentinel.escalation.selectors import problems_without_duty, quarantined_duties
from sentinel.outbox.rules import Result
from sentinel.problems.models import Problem
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from tests.world import World

pytestmark = pytest.mark.django_db

NOBODY = Sent(result=Result.PERMANENT, detail="RCPT TO: 550 5.1.1 nobody here", address_refused=True)
SPAM = Sent(result=Result.PERMANENT, detail="end of data: 550 5.7.1 looks like spam")


def failures(problem: Problem) -> list[Event]:
    return list(Event.objects.filter(verb=Verb.MESSAGE_FAILED.value, problem_id=problem.pk))


def poison(problem: Problem) -> None:
    """Make the problem's duty one that cannot be fired."""
    FrozenPolicy.objects.filter(problem=problem).delete()


def test_a_notice_that_fails_for_good_is_on_the_timeline_and_with_the_manager(world: World) -> None:
    world.email.will(SPAM)
    problem = world.frown()
    world.tick()
    (event,) = failures(problem)
    assert event.data["to"] == "maria@example.com"
    assert event.user_id == world.maria.pk
    # The manager gets the very notice, not only word that it did not arrive.
    (notice,) = world.notices(world.petra)
    assert notice.kind == "duty.notice"
    assert "Mail to maria@example.com failed" in notice.payload["text"]
    assert notice.payload["url"].endswith(f"/problems/{problem.pk}/")


def test_a_refused_worker_address_is_marked_as_bounced(world: World) -> None:
    problem = world.frown()
    world.email.will(Sent(result=Result.ACCEPTED), NOBODY)
    world.tick()
    world.olena.refresh_from_db()
    assert world.olena.mail_state == "bounced"
    assert [n.kind for n in world.notices(world.maria)].count("message.failed") == 1
    assert len(failures(problem)) == 1


def test_mail_that_a_filter_refused_is_no_bounce(world: World) -> None:
    world.frown()
    world.email.will(Sent(result=Result.ACCEPTED), SPAM)
    world.tick()
    world.olena.refresh_from_db()
    assert world.olena.mail_state == "good"


def test_a_poison_duty_is_put_aside_alone(world: World) -> None:
    stuck, fine = world.frown("stuck"), world.frown("fine", worker=world.joao)
    poison(stuck)
    world.sleep_until(world.now + timedelta(hours=1))
    world.tick()
    assert [duty.problem_id for duty in quarantined_duties()] == [stuck.pk]
    assert world.duty(fine).rung > 0
    assert not problems_without_duty().exists()


def test_a_quarantined_duty_keeps_its_owner_and_is_heard_of_once_a_day(world: World) -> None:
    problem = world.frown()
    poison(problem)
    world.advance(hours=7)
    duty = world.duty(problem)
    assert duty.accountable == world.maria
    assert "FrozenPolicy" in duty.quarantine_reason
    for user in (world.petra, world.ada):
        assert [n.kind for n in world.notices(user)].count("duty.quarantined") == 1
    assert Event.objects.filter(verb=Verb.DUTY_QUARANTINED.value).count() == 1


def test_a_repaired_duty_goes_on_within_the_hour(world: World) -> None:
    problem = world.frown()
    kept = FrozenPolicy.objects.get(problem=problem)
    rungs = list(kept.rungs.all())
    poison(problem)
    world.sleep_until(world.now + timedelta(minutes=15))
    world.tick()
    assert Duty.objects.get(problem=problem).quarantined_at is not None
    kept.save(force_insert=True)
    for rung in rungs:
        rung.save(force_insert=True)
    world.sleep_until(world.now + timedelta(minutes=59))
    assert retry_quarantined.run(world.now) == 0
    world.sleep_until(world.now + timedelta(minutes=1, microseconds=1))
    world.tick()
    assert world.duty(problem).quarantined_at is None
    assert world.duty(problem).rung > 0


def test_a_turn_of_firing_ends_when_nothing_is_due(world: World) -> None:
    world.frown()
    assert fire_duties.run(world.now) == 0
    assert fire_duties.run(world.now + timedelta(minutes=15)) == 1
    assert not fire_duties.handle_one(world.now + timedelta(minutes=15))
