"""Twenty workers of one site frown within ten minutes: one clear picture, and twenty loops."""

from __future__ import annotations

from datetime import timedelta

from sentinel.accounts.models import Worker
from sentinel.checkins.rules import Severity
from sentinel.escalation.models import Duty
from sentinel.outbox.selectors import messages_about_problem
from sentinel.outbox.services import Claimed
from sentinel.people.contacts import add_contact_method
from sentinel.people.models import User
from sentinel.people.rules import ContactChannel
from sentinel.problems.models import Problem
from sentinel.problems.rules import ProblemState, Verdict
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.record_verdict import record_verdict
from tests.stories.acts import bring_to_proposal, state
from tests.world import World

NOTICE, PICTURE = "duty.notice", "duty.picture"


def reach_by(user: User, channel: ContactChannel, world: World) -> None:
    method = add_contact_method(
        user=user,
        channel=channel,
        target=f"{channel}://secret",
        shown=f"{channel}://…",
        label="",
        now=world.now,
    )
    method.verified_at = world.now
    method.save(update_fields=["verified_at"])


def workers(world: World, count: int) -> list[Worker]:
    return [
        Worker.objects.create(
            site=world.kyiv,
            name=f"Worker {n}",
            email=f"worker{n}@lindgren.example",
            telephone=f"+3804455502{n:02}",
            joined_at=world.now - timedelta(days=90),
        )
        for n in range(count)
    ]


def storm(world: World, count: int = 20, *, every: float = 30) -> list[Problem]:
    """One frown every so many seconds, the engine awake."""
    found = []
    for n, worker in enumerate(workers(world, count)):
        found.append(world.frown(f"The network is down, says {n}", worker=worker))
        world.advance(seconds=every)
    return found


def to(user: User, sent: list[Claimed]) -> list[Claimed]:
    return [
        message for message in sent if (message.recipient_kind, message.recipient_id) == ("user", user.pk)
    ]


def series(message: Claimed) -> str:
    reports = message.payload.get("reports") or [message.payload.get("crowd", {})]
    return str(reports[0].get("series"))


def test_twenty_frowns_in_ten_minutes_are_six_notices_on_each_way(world: World) -> None:
    reach_by(world.maria, ContactChannel.PUSH, world)
    reach_by(world.maria, ContactChannel.CHAT, world)
    problems = storm(world)
    world.advance(minutes=4, seconds=30)
    for sender in (world.push, world.chat, world.email):
        sent = to(world.maria, sender.sent)
        first = [message for message in sent if series(message) == "new"]
        assert [message.kind for message in first[:3]] == ["duty.notice", "duty.notice", PICTURE]
        assert len(first) <= 6
    # The last picture holds everybody, and each of them is one click away.
    last = [message for message in to(world.maria, world.push.sent) if message.kind == PICTURE][-1]
    assert {report["about"] for report in last.payload["reports"]} == {problem.pk for problem in problems}
    assert f"/storms/{problems[0].pk}/" in last.payload["url"]
    assert last.payload["title"] == "20 people at Lindgren Logistics, Kyiv report problems since 10:00"


def test_every_merged_notice_points_to_the_picture_that_tells_of_it(world: World) -> None:
    problems = storm(world, 4, every=20)
    third = [m for m in messages_about_problem(problems[2].pk) if m.channel == "email" and m.kind == NOTICE]
    assert [m.state for m in third] == ["bundled"]
    fourth = [m for m in messages_about_problem(problems[3].pk) if m.channel == "email" and m.kind == NOTICE]
    assert [(m.state, m.waits_for) for m in fourth] == [("pending", "crowd")]
    world.advance(minutes=5)
    fourth = [m for m in messages_about_problem(problems[3].pk) if m.channel == "email" and m.kind == NOTICE]
    assert [m.state for m in fourth] == ["bundled"]
    assert fourth[0].bundle_id != third[0].bundle_id


def test_whoever_acted_on_a_problem_gets_no_picture_for_it_alone(world: World) -> None:
    problems = storm(world, 4, every=20)
    acknowledge(problem_id=problems[3].pk, user=world.maria, now=world.now)
    world.advance(minutes=6)
    assert len([m for m in to(world.maria, world.email.sent) if m.kind == PICTURE]) == 1


def test_work_stopped_gets_through_at_once_when_the_others_only_hinder(world: World) -> None:
    storm(world, 4, every=20)
    before = len(to(world.maria, world.email.sent))
    worse = world.frown("Everything stands still", severity=Severity.STOPPED)
    world.tick()
    sent = to(world.maria, world.email.sent)[before:]
    assert [message.problem_id for message in sent] == [worse.pk]
    assert sent[0].payload["subject"].startswith("Work stopped. Call Olena Kovalenko now")


def test_when_the_ladder_climbs_for_all_of_them_the_manager_gets_one_notice(world: World) -> None:
    for worker in workers(world, 20):
        world.frown("The network is down", worker=worker)
    world.advance(minutes=61)
    for sent in (to(world.petra, world.email.sent), to(world.tom, world.email.sent)):
        assert [message.kind for message in sent] == [PICTURE]
        assert "20 people at Lindgren Logistics, Kyiv still wait" in sent[0].payload["subject"]
    # Told together, owed one by one.
    assert Duty.objects.filter(rung=2).count() == 20


def test_each_worker_keeps_a_loop_of_their_own(world: World) -> None:
    problems = storm(world, 5, every=1)
    bring_to_proposal(world, problems[0])
    record_verdict(
        proposal_id=world.proposal(problems[0]).pk, verdict=Verdict.YES, words="", human=True, now=world.now
    )
    world.tick()
    assert state(problems[0]) is ProblemState.CONFIRMED
    assert {state(problem) for problem in problems[1:]} == {ProblemState.REPORTED}
    assert Duty.objects.filter(problem__in=problems).count() == 4


def test_two_sites_are_two_storms(world: World) -> None:
    world.frown("a")
    world.frown("b", worker=world.joao)
    for worker in workers(world, 1):
        world.frown("c", worker=worker)
    world.tick()
    assert PICTURE not in [message.kind for message in world.email.sent]


def test_a_storm_of_the_evening_is_one_picture_in_the_morning(world: World) -> None:
    world.advance_to(world.now.replace(hour=19))
    for worker in workers(world, 4):
        world.frown("The network is down", worker=worker)
    world.advance_to(world.now + timedelta(days=3))
    (picture,) = [m for m in to(world.maria, world.email.sent) if series(m) == "new"]
    assert picture.kind == PICTURE
    assert "since Friday 6 March, 20:00" in picture.payload["subject"]
