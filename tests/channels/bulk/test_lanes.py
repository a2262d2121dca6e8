"""Who is next: turns, paces, and a slow domain that holds nobody; on a clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime

from sentinel.bulk.rules import Pace
from sentinel.channels.email.bulk.jobs import Job
from sentinel.channels.email.bulk.lanes import STALLED_SECONDS, Lanes

NOW = 1000.0


def add(lanes: Lanes, domain: str, many: int, *, run: int = 1) -> list[Job]:
    jobs = [
        Job(
            delivery_id=number, run_id=run, edition_id=1, check_in_id=number, worker_id=number, name="W",
            address=f"w{number}@{domain}", issued_at=datetime(2026, 3, 6, tzinfo=UTC), attempts=0,
            first_tried_at=None, lane=lanes.lane(domain),
        )
        for number in range(many)
    ]  # fmt: skip
    for job in jobs:
        lanes.add(job)
    return jobs


def take(lanes: Lanes, now: float = NOW) -> list[Job]:
    """Everything that may go now."""
    taken = []
    while (job := lanes.next(now)) is not None:
        taken.append(job)
    return taken


def domains(jobs: list[Job]) -> list[str]:
    return [job.lane.domain for job in jobs]


def test_domains_take_turns() -> None:
    lanes = Lanes(connections=100)
    add(lanes, "a", 3)
    add(lanes, "b", 3)
    assert domains(take(lanes)) == ["a", "b", "a", "b", "a", "b"]


def test_a_paced_domain_keeps_only_itself_waiting() -> None:
    lanes = Lanes(connections=100)
    lanes.lane("slow").pace = Pace(2, 1.0)
    add(lanes, "slow", 5)
    add(lanes, "fast", 5)
    assert domains(take(lanes)).count("fast") == 5
    assert lanes.next_at(NOW) is not None
    assert (lanes.queued, lanes.waiting) == (4, 4)
    sent, now = 1, NOW
    while lanes.queued:
        now = lanes.next_at(now) or now
        found = take(lanes, now)
        for job in found:
            lanes.done(job, now)
        sent += len(found)
    assert sent == 5
    assert 1.99 < now - NOW < 2.01


def test_a_limit_per_minute_holds_whatever_is_queued() -> None:
    lanes = Lanes(connections=100)
    lane = lanes.lane("a")
    lane.limit = 30
    lane.set_pace()
    add(lanes, "a", 200)
    instants: list[float] = []
    now = NOW
    while now < NOW + 120:
        for job in take(lanes, now):
            instants.append(now)
            lanes.done(job, now)
        now = lanes.next_at(now) or now
    assert len(instants) == 60
    for at, one_too_many in zip(instants, instants[30:], strict=False):
        assert one_too_many >= at + 60


def test_one_domain_never_takes_every_connection_from_another() -> None:
    lanes = Lanes(connections=20)
    add(lanes, "slow", 50)
    held = take(lanes)
    assert len(held) == 18
    add(lanes, "other", 50)
    assert domains(take(lanes))[:2] == ["other", "other"]


def test_a_domain_that_answers_nothing_gets_no_further_connection() -> None:
    lanes = Lanes(connections=20)
    add(lanes, "slow", 50)
    add(lanes, "other", 50)
    first = lanes.next(NOW)
    assert first is not None
    later = NOW + STALLED_SECONDS + 0.1
    assert set(domains(take(lanes, later))) == {"other"}
    lanes.done(first, later)
    assert "slow" in domains(take(lanes, later))


def test_a_domain_whose_mails_were_taken_back_wakes_nobody_for_nothing() -> None:
    lanes = Lanes(connections=10)
    lanes.lane("slow").pace = Pace(1, 1.0)
    add(lanes, "slow", 3)
    take(lanes)
    lanes.withdraw(lanes.lane("slow"))
    assert lanes.next_at(NOW + 2) is None
    assert (lanes.queued, lanes.waiting) == (0, 0)


def test_what_was_under_way_goes_first() -> None:
    lanes = Lanes(connections=10)
    add(lanes, "a", 3)
    job = lanes.next(NOW)
    assert job is not None
    lanes.done(job, NOW)
    lanes.add(job, first=True)
    assert lanes.next(NOW) is job


def test_a_paused_domain_waits_until_it_is_resumed() -> None:
    lanes = Lanes(connections=10)
    lane = lanes.lane("a")
    add(lanes, "a", 2)
    lane.is_paused = True
    assert lanes.next(NOW) is None
    lanes.resume(lane)
    assert len(take(lanes)) == 2


def test_a_paused_run_leaves_the_queues_and_the_counts_stay_right() -> None:
    lanes = Lanes(connections=100)
    lanes.lane("b").pace = Pace(1, 1.0)
    for domain in "ab":
        add(lanes, domain, 5, run=1)
        add(lanes, domain, 5, run=2)
    started = take(lanes)
    assert domains(started).count("b") == 1
    assert len(lanes.withdraw_runs({1})) == 4
    for job in started:
        lanes.done(job, NOW)
    left: list[Job] = []
    now = NOW
    while lanes.queued:
        now += 1.0
        found = take(lanes, now)
        for job in found:
            lanes.done(job, now)
        left += found
    assert {job.run_id for job in left} <= {2}
    assert (lanes.queued, lanes.waiting, lanes.in_flight) == (0, 0, 0)


def test_no_more_is_claimed_of_a_domain_that_does_not_get_on() -> None:
    lanes = Lanes(connections=10)
    lanes.lane("paused").is_paused = True
    lanes.lane("slow").pace = Pace(1, 1.0)
    add(lanes, "slow", 30)
    add(lanes, "fast", 30)
    first = lanes.next(NOW)
    second = lanes.next(NOW)
    assert {first and first.lane.domain, second and second.lane.domain} == {"slow", "fast"}
    lanes.next(NOW)
    lanes.next(NOW)
    assert set(lanes.with_backlog(NOW, 20)) == {"paused", "slow"}
    left_in = {lane.domain: len(lane.queue) for lane in lanes}
    assert len(lanes.trim(10)) == left_in["slow"] + left_in["fast"] - 20


def test_idle_domains_are_forgotten_but_not_what_is_known_of_them() -> None:
    lanes = Lanes(connections=10)
    lanes.lane("paused").is_paused = True
    lanes.lane("limited").limit = 5
    lanes.lane("idle")
    lanes.forget_idle(2)
    assert {lane.domain for lane in lanes} == {"paused", "limited"}
