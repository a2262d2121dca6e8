"""The bell: the notices of one storm are one line, which hides nothing and counts nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from sentinel.accounts.models import Worker
from sentinel.outbox.selectors import MessageView, count_unread_notices, notices_of_user
from sentinel.outbox.services import mark_read
from sentinel.people.models import User
from sentinel.problems.models import Problem
from sentinel.problems.rules import Verdict
from sentinel.web.reads.notices import BellLine, bell_lines
from sentinel.workflows.record_verdict import record_verdict
from tests.stories.acts import bring_to_proposal
from tests.web.console.stage import Stage

Enter = Callable[[User], Client]


def frown(stage: Stage, count: int, *, first: int = 0) -> list[Problem]:
    """So many workers of Kyiv, twenty seconds after each other, the engine awake."""
    world, found = stage.world, []
    for n in range(first, first + count):
        worker = Worker.objects.create(
            site=world.kyiv, name=f"Sufferer {n}", email=f"s{n}@lindgren.example", joined_at=world.now
        )
        found.append(world.frown(f"Network down, {n}", worker=worker))
        world.tick()
        world.clock.set(world.now + timedelta(seconds=20))
    return found


@pytest.fixture
def storm(stage: Stage) -> list[Problem]:
    """Five of them, long after everything else."""
    world = stage.world
    world.clock.set(world.now + timedelta(hours=1))
    world.tick()
    mark_read(user_id=world.maria.pk, now=world.now)
    return frown(stage, 5)


def told(stage: Stage) -> list[MessageView]:
    return notices_of_user(stage.world.maria.pk, limit=1_000)


def lines(stage: Stage) -> list[BellLine]:
    return bell_lines(told(stage), user=stage.world.maria, now=stage.world.now)


def page(client: Client) -> str:
    answer = client.get("/notices/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_a_storm_is_one_line_with_its_count_and_every_notice_in_it(
    stage: Stage, storm: list[Problem], as_user: Enter
) -> None:
    text = page(as_user(stage.world.maria))
    assert text.count("5 people at Lindgren Logistics, Kyiv report problems") == 1
    assert "Sufferer 0, Sufferer 1, Sufferer 2 and 2 more" in text
    assert "Show the 5 notices" in text
    inside = text.partition("Show the 5 notices")[2].partition("</details>")[0]
    assert all(f"Network down, {n}" in inside for n in range(5))
    assert "5 new" in text
    assert f"Mark all {count_unread_notices(stage.world.maria.pk)} as read" in text


def test_no_notice_is_lost_or_told_twice(stage: Stage, storm: list[Problem]) -> None:
    shown = [notice.id for line in lines(stage) for notice in line.notices]
    assert sorted(shown) == sorted(notice.id for notice in told(stage))
    assert [line.newest.id for line in lines(stage)] == sorted(
        (line.newest.id for line in lines(stage)), reverse=True
    )
    assert sum(line.unread for line in lines(stage)) == count_unread_notices(stage.world.maria.pk) == 5


def test_looking_writes_nothing(stage: Stage, storm: list[Problem], as_user: Enter) -> None:
    before = [(notice.id, notice.read_at, notice.payload) for notice in told(stage)]
    page(as_user(stage.world.maria))
    assert [(notice.id, notice.read_at, notice.payload) for notice in told(stage)] == before


def test_its_button_opens_the_storm_and_reads_what_the_line_showed_and_no_more(
    stage: Stage, storm: list[Problem], as_user: Enter
) -> None:
    client = as_user(stage.world.maria)
    text = page(client)
    last = told(stage)[0]
    form = text.partition(f'name="with" value="{",".join(str(one.id) for one in told(stage)[1:5])}"')
    assert form[1]
    fields = {"with": form[1].split('"')[3], "next": f"/storms/{storm[0].pk}/"}
    assert fields["next"] in form[2].partition("</form>")[0]
    (later,) = frown(stage, 1, first=5)
    answer = client.post(f"/notices/{last.id}/read/", fields)
    assert answer["Location"] == f"/storms/{storm[0].pk}/"
    unread = [notice.problem_id for notice in told(stage) if notice.read_at is None]
    assert unread == [later.pk]
    assert "6 people report problems" in client.get(answer["Location"]).content.decode()
    again = page(client)
    assert "6 people at Lindgren Logistics, Kyiv report problems" in again
    assert "1 new" in again


def test_nobody_reads_the_notices_of_another_by_the_line(
    stage: Stage, storm: list[Problem], as_user: Enter
) -> None:
    ids = [notice.id for notice in told(stage)]
    data = {"with": ",".join(map(str, ids[1:])), "next": "/today/"}
    as_user(stage.world.otto).post(f"/notices/{ids[0]}/read/", data)
    assert count_unread_notices(stage.world.maria.pk) == 5


def test_what_no_form_of_ours_sends_harms_nothing(stage: Stage, storm: list[Problem], as_user: Enter) -> None:
    first, client = told(stage)[0], as_user(stage.world.maria)
    for wrong in ("x", "1;2", "-1", "9" * 40, ",,,", "٣"):
        client.post(f"/notices/{first.id}/read/", {"with": wrong, "next": "/today/"})
    assert count_unread_notices(stage.world.maria.pk) == 4


def test_two_are_no_storm(stage: Stage) -> None:
    stage.world.clock.set(stage.world.now + timedelta(hours=1))
    two = {problem.pk for problem in frown(stage, 2)}
    mine = [line for line in lines(stage) if line.newest.problem_id in two]
    assert len(mine) >= 2
    assert not any(line.problems for line in mine)


def test_what_is_late_stands_in_the_same_line_and_a_workers_answer_alone(
    stage: Stage, storm: list[Problem]
) -> None:
    world, ids = stage.world, {problem.pk for problem in storm}
    world.advance(minutes=20)
    (line,) = [line for line in lines(stage) if {problem.pk for problem in line.problems} & ids]
    assert len(line.notices) > 5, "each of them rang again when it was late"
    assert {problem.pk for problem in line.problems} == ids
    bring_to_proposal(world, storm[0])
    proposal = world.proposal(storm[0])
    record_verdict(
        proposal_id=proposal.pk, verdict=Verdict.NO, words="It is still dead", human=True, now=world.now
    )
    world.tick()
    newest = lines(stage)[0]
    assert (newest.newest.problem_id, newest.problems, len(newest.notices)) == (storm[0].pk, (), 1)


def test_problems_that_are_no_longer_ones_own_are_told_singly(stage: Stage, storm: list[Problem]) -> None:
    maria = User.objects.get(pk=stage.world.maria.pk)
    notices = told(stage)
    shown = bell_lines(notices, user=stage.world.otto, now=stage.world.now)
    assert [line.newest.id for line in shown] == [notice.id for notice in notices]
    assert bell_lines(notices, user=maria, now=stage.world.now) != shown


def test_a_big_storm_costs_no_more_queries_than_a_small_one(stage: Stage, storm: list[Problem]) -> None:
    def queries() -> int:
        notices = told(stage)
        with CaptureQueriesContext(connection) as seen:
            bell_lines(notices, user=stage.world.maria, now=stage.world.now)
        return len(seen)

    before = queries()
    frown(stage, 8, first=5)
    assert queries() == before
