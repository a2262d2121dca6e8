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


def of_one_cause(stage: Stage, problems: list[Problem], title: str = "Switch") -> Cause:
    cause = Cause.objects.create(title=title, created_at=stage.at, created_by=stage.world.maria)
    Problem.objects.filter(pk__in=[problem.pk for problem in problems]).update(cause=cause)
    return cause


def gone(cause: Cause, problems: list[Problem]) -> dict[str, object]:
    said = {"cause": str(cause.pk), "what_was_done": "Replaced", "root_cause": "Age"}
    return ticked("proposeallform", problems) | {f"proposeallform-{name}": v for name, v in said.items()}


def offered(client: Client, address: str) -> dict[int, bool]:
    """The problems the proposal's form lists, and whether each is ticked."""
    text = client.get(address).content.decode().partition('id="act-propose"')[2].partition("</form>")[0]
    boxes = re.findall(r'<input type="checkbox"[^>]*>', text)
    return {int(re.findall(r'value="(\d+)"', box)[0]): " checked" in box for box in boxes}


def states(problems: list[Problem]) -> list[str]:
    return [Problem.objects.get(pk=problem.pk).state for problem in problems]


def test_a_cause_is_proposed_to_whoever_is_ticked_and_closes_nobody(
    stage: Stage, storm: list[Problem], as_user: Enter
) -> None:
    talk_with(stage, storm[:3])
    cause = of_one_cause(stage, storm)
    client = as_user(stage.world.maria)
    assert offered(client, f"/causes/{cause.pk}/") == {problem.pk: True for problem in storm[:3]}
    said = client.post(f"/causes/{cause.pk}/propose/", gone(cause, storm[:2]), follow=True).content.decode()
    assert "Asked: 2." in said
    assert states(storm) == ["proposed", "proposed", "in_contact", "reported"]
    assert [problem.proposals.count() for problem in storm] == [1, 1, 0, 0]
    assert client.post(f"/causes/{cause.pk}/propose/", gone(cause, [])).status_code == 422


def test_on_the_page_of_a_storm_nobody_else_with_the_cause_is_asked(
    stage: Stage, storm: list[Problem], as_user: Enter
) -> None:
    talk_with(stage, storm[:1])
    elsewhere = stage.talked
    cause = of_one_cause(stage, [storm[0], elsewhere])
    client, address = as_user(stage.world.maria), f"/storms/{storm[0].pk}/"
    assert offered(client, address) == {storm[0].pk: True}
    before = states([elsewhere])
    unseen = client.post(f"{address}propose/", gone(cause, [storm[0], elsewhere]))
    assert unseen.status_code == 422
    client.post(f"{address}propose/", gone(cause, [storm[0]]))
    assert states([storm[0], elsewhere]) == ["proposed", *before]


def test_the_page_of_a_cause_lists_whom_it_asks_by_account(
    stage: Stage, storm: list[Problem], as_user: Enter
) -> None:
    world = stage.world
    foreign = world.frown("Down here, too", worker=world.other_worker)
    talk_with(stage, storm[:1])
    log_call(problem_id=foreign.pk, user=foreign.owner, outcome=CallOutcome.REACHED, now=world.now)
    cause = of_one_cause(stage, [storm[0], foreign])
    everywhere, owner = as_user(world.ines), as_user(world.maria)
    assert offered(everywhere, f"/causes/{cause.pk}/") == {storm[0].pk: True, foreign.pk: True}
    assert f"<label>{foreign.account.name}</label>" in everywhere.get(f"/causes/{cause.pk}/").content.decode()
    assert offered(owner, f"/causes/{cause.pk}/") == {storm[0].pk: True}


def test_one_proposal_speaks_of_one_cause(stage: Stage, storm: list[Problem], as_user: Enter) -> None:
    talk_with(stage, storm[:2])
    first, second = of_one_cause(stage, storm[:1], "Switch"), of_one_cause(stage, storm[1:2], "Cable")
    client, address = as_user(stage.world.maria), f"/storms/{storm[0].pk}/"
    assert offered(client, address) == {storm[0].pk: True, storm[1].pk: False}
    mixed = client.post(f"{address}propose/", gone(first, storm[:2]))
    assert "Of another cause, so untick: Sufferer 1." in mixed.content.decode()
    assert states(storm[:2]) == ["in_contact", "in_contact"]
    client.post(f"{address}propose/", gone(second, storm[1:2]))
    assert states(storm[:2]) == ["in_contact", "proposed"]
