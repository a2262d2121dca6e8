"""The picture of many problems: who sees it, and acts on all of them, one loop each."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from sentinel.accounts.models import Worker
from sentinel.checkins.rules import Severity
from sentinel.people.models import User
from sentinel.problems.models import Cause, Problem
from sentinel.problems.rules import CallOutcome
from sentinel.timeline.models import Event
from sentinel.workflows.log_call import log_call
from tests.web.console.stage import Stage

Enter = Callable[[User], Client]


@pytest.fixture
def storm(stage: Stage) -> list[Problem]:
    """Four workers of Kyiv within a minute, long after everybody else; the third cannot work at all."""
    world = stage.world
    world.clock.set(world.now + timedelta(hours=1))
    found = []
    for n in range(4):
        worker = Worker.objects.create(
            site=world.kyiv,
            name=f"Sufferer {n}",
            email=f"s{n}@lindgren.example",
            telephone=f"+38044555030{n}",
            joined_at=world.now,
        )
        severity = Severity.STOPPED if n == 2 else Severity.HINDERS
        found.append(world.frown(f"Network down, {n}", worker=worker, severity=severity))
        world.clock.set(world.now + timedelta(seconds=20))
    return found


def page(client: Client, storm: list[Problem]) -> str:
    answer = client.get(f"/storms/{storm[0].pk}/")
    assert answer.status_code == 200
    return answer.content.decode()


def ticked(prefix: str, problems: list[Problem]) -> dict[str, list[str]]:
    return {f"{prefix}-problems": [str(problem.pk) for problem in problems]}


def talk_with(stage: Stage, problems: list[Problem]) -> None:
    for problem in problems:
        log_call(
            problem_id=problem.pk, user=stage.world.maria, outcome=CallOutcome.REACHED, now=stage.world.now
        )


def test_it_shows_who_in_which_order_to_call_them(stage: Stage, storm: list[Problem], as_user: Enter) -> None:
    text = page(as_user(stage.world.maria), storm)
    assert "4 people report problems" in text
    order = re.findall(r"Sufferer \d", text.partition("Call in this order")[2])
    assert order == ["Sufferer 2", "Sufferer 0", "Sufferer 1", "Sufferer 3"]
    assert all(f"Network down, {n}" in text for n in range(4))


def test_the_problem_and_today_lead_to_it(stage: Stage, storm: list[Problem], as_user: Enter) -> None:
    client = as_user(stage.world.maria)
    assert f"/storms/{storm[3].pk}/" in client.get(f"/problems/{storm[3].pk}/").content.decode()
    assert "4 people at Lindgren Logistics, Kyiv" in client.get("/today/").content.decode()


def test_looking_changes_nothing(stage: Stage, storm: list[Problem], as_user: Enter) -> None:
    client = as_user(stage.world.maria)
    before = Event.objects.count()
    page(client, storm)
    assert Event.objects.count() == before
    assert {problem.state for problem in Problem.objects.filter(pk__in=[p.pk for p in storm])} == {"reported"}


def test_all_are_acknowledged_and_one_that_somebody_took_is_told(
    stage: Stage, storm: list[Problem], as_user: Enter
) -> None:
    client = as_user(stage.world.maria)
    data = ticked("takeallform", storm)
    client.post(f"/storms/{storm[0].pk}/acknowledge/", data)
    rows = Problem.objects.filter(pk__in=[p.pk for p in storm])
    assert {row.state for row in rows} == {"acknowledged"}
    for problem in storm:
        assert Event.objects.filter(problem_id=problem.pk, verb="problem.acknowledged").count() == 1


def test_they_share_a_cause_and_each_keeps_a_problem(
    stage: Stage, storm: list[Problem], as_user: Enter
) -> None:
    client = as_user(stage.world.maria)
    data = {**ticked("causeform", storm[:3]), "causeform-title": "The switch in Kyiv is dead"}
    client.post(f"/storms/{storm[0].pk}/cause/", data)
    cause = Cause.objects.get(title="The switch in Kyiv is dead")
    assert set(cause.problems.values_list("pk", flat=True)) == {problem.pk for problem in storm[:3]}
    for problem in storm[:3]:
        assert Event.objects.filter(problem_id=problem.pk, verb="problem.cause_set").exists()
    assert "2 others have it, too" in client.get(f"/problems/{storm[0].pk}/").content.decode()
    joined = {**ticked("causeform", storm[3:]), "causeform-cause": str(cause.pk)}
    client.post(f"/storms/{storm[0].pk}/cause/", joined)
    assert cause.problems.count() == 4
    assert Cause.objects.count() == 1


def test_one_date_for_all_of_whom_somebody_talked_with(
    stage: Stage, storm: list[Problem], as_user: Enter
) -> None:
    talk_with(stage, storm[:2])
    client = as_user(stage.world.maria)
    day = (stage.world.now + timedelta(days=3)).date()
    data = {**ticked("promiseallform", storm[:2]), "promiseallform-due_on": day.isoformat()}
    client.post(f"/storms/{storm[0].pk}/promise/", data)
    for problem in storm[:2]:
        assert problem.commitments.get().due_on == day
    assert storm[3].commitments.count() == 0
    asked = client.post(f"/storms/{storm[0].pk}/promise/", data, follow=True).content.decode()
    assert "Promised: 0. Not Sufferer 0: Moving a promise needs a reason" in asked


def test_a_cause_is_proposed_to_each_of_its_workers_and_closes_nobody(
    stage: Stage, storm: list[Problem], as_user: Enter
) -> None:
    talk_with(stage, storm[:2])
    cause = Cause.objects.create(title="Switch", created_at=stage.at, created_by=stage.world.maria)
    Problem.objects.filter(pk__in=[p.pk for p in storm[:3]]).update(cause=cause)
    client = as_user(stage.world.maria)
    data = {"propose-cause": str(cause.pk), "propose-what_was_done": "Replaced", "propose-root_cause": "Age"}
    said = client.post(f"/causes/{cause.pk}/propose/", data, follow=True).content.decode()
    assert "Asked: 2. Not Sufferer 2: Nobody has talked with them yet: call first." in said
    states = [Problem.objects.get(pk=problem.pk).state for problem in storm]
    assert states == ["proposed", "proposed", "reported", "reported"]
    assert [problem.proposals.count() for problem in storm] == [1, 1, 0, 0]
