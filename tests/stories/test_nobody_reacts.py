"""Nobody reacts for sixty business days: the ladder does what the simulator said, and never stops."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sentinel.accounts.selectors import calendar_of_site
from sentinel.checkins.rules import Severity
from sentinel.escalation.simulation import PredictedStep, predict
from sentinel.outbox.selectors import messages_about_problem
from sentinel.people.models import Absence
from sentinel.people.selectors import calendar_of
from sentinel.problems.models import Problem
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from tests.world import World


def fired(problem: Problem) -> list[tuple[int, int, str]]:
    rows = Event.objects.filter(problem_id=problem.pk, verb=Verb.DUTY_FIRED.value).order_by("id")
    return [(e.data["rung"], e.data["repeat"], e.at.isoformat()) for e in rows]


def steps_of(predicted: list[PredictedStep]) -> list[tuple[int, int, str]]:
    steps = {(p.position, p.repeat, p.at.isoformat()): None for p in predicted if p.position or p.repeat}
    return list(steps)


def test_it_fires_each_rung_once_at_the_predicted_time_then_daily_for_sixty_business_days(
    world: World,
) -> None:
    predicted = predict(site=world.kyiv, at=world.now, severity=Severity.HINDERS, steps=70)
    problem = world.frown()
    world.advance_to(calendar_of(world.maria).add_days(world.now, 60))
    happened = fired(problem)
    assert happened == steps_of(predicted)[: len(happened)]
    assert [rung for rung, _, _ in happened[:4]] == [1, 2, 3, 4]
    assert [repeat for _, repeat, _ in happened[4:]] == list(range(1, len(happened) - 3))
    days = [at[:10] for _, _, at in happened[4:]]
    assert len(days) == len(set(days)) >= 57
    problem.refresh_from_db()
    assert problem.is_open
    assert world.duty(problem).fire_at > world.now


@pytest.mark.parametrize("hours", [0, 5, 6.75, 9, 30, 51])
@pytest.mark.parametrize("severity", [Severity.ANNOYING, Severity.STOPPED])
def test_it_tells_exactly_whom_the_simulator_names_when_it_names_them(
    world: World, hours: float, severity: Severity
) -> None:
    world.sleep_until(world.now + timedelta(hours=hours))
    predicted = predict(site=world.kyiv, at=world.now, severity=severity, steps=8)
    problem = world.frown(severity=severity)
    last = predicted[-1].at
    world.advance_to(last)
    mails = {
        (m.recipient_id, m.visible_at)
        for m in messages_about_problem(problem.pk)
        if m.channel == "email" and m.recipient_kind == "user" and m.state == "pending"
    }
    told = {
        (m.recipient_id, m.created_at)
        for m in messages_about_problem(problem.pk)
        if m.channel == "console" and m.recipient_kind == "user"
    }
    assert told == {(p.user.pk, p.at) for p in predicted}
    assert mails <= {(p.user.pk, p.mail_at) for p in predicted}


def test_it_gives_the_problem_to_the_officer_of_the_day_after_four_hours(world: World) -> None:
    problem = world.frown()
    world.advance(hours=4, minutes=1)
    assert world.duty(problem).accountable == world.ines
    assert world.duty(problem).rung == 3


def test_it_asks_the_stand_in_when_the_accountable_person_leaves_in_between(world: World) -> None:
    problem = world.frown()
    world.advance(minutes=5)
    Absence.objects.create(
        user=world.maria, starts_at=world.now, ends_at=world.now + timedelta(days=3), deputy=world.tom
    )
    world.tick()
    duty = world.duty(problem)
    assert duty.accountable == world.tom
    assert duty.due_at == world.now + timedelta(minutes=15)
    world.tick()
    assert any("Olena" in m.payload["subject"] for m in world.inbox(world.tom))


def test_it_counts_the_workers_holidays_before_it_asks(world: World) -> None:
    calendar = world.kyiv.calendar
    calendar.extra_holidays = [world.now.date() + timedelta(days=d) for d in range(3, 6)]
    calendar.save()
    assert calendar_of_site(world.kyiv).is_business_day(world.now.date() + timedelta(days=4)) is False
