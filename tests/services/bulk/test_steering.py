"""People stop mail and let it go on, with a reason on record; progress says what the rows say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sentinel.bulk.errors import LaneUnknown, LimitRefused, ReasonMissing, RunUnknown
from sentinel.bulk.models import Delivery, DomainLane, Run, SenderState
from sentinel.bulk.selectors import (
    delivered_since,
    deliveries,
    deliveries_of_worker,
    delivery_for,
    export_rows,
    lanes_of,
    lanes_paused,
    progress_of,
    recent_runs,
    sendable,
    sender_state,
)
from sentinel.bulk.services import (
    Retry,
    begin_next,
    pause_all,
    pause_lane,
    pause_run,
    resume_all,
    resume_lane,
    resume_run,
    retry_failed,
    set_lane_limit,
    settle_one,
)
from sentinel.bulk.services.settling import DeliveryLost
from sentinel.bulk.states import DeliveryState
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from tests.services.bulk.rows import launched
from tests.world import World


def the_run() -> Run:
    return Run.objects.get()


def verbs() -> list[str]:
    return list(Event.objects.order_by("id").values_list("verb", flat=True))


def settle_next(world: World, state: DeliveryState, **fields: object) -> Delivery:
    delivery = begin_next(world.now)
    assert delivery is not None
    settle_one(delivery, state=state, now=world.now, **fields)  # type: ignore[arg-type]
    return Delivery.objects.get(pk=delivery.pk)


def test_a_paused_run_lets_nothing_begin(world: World) -> None:
    launched(world)
    pause_run(run_id=the_run().pk, reason=" wrong  question ", user_id=world.ada.pk, now=world.now)
    assert begin_next(world.now) is None
    progress = progress_of(the_run().pk, world.now)
    assert (progress.paused, progress.paused_reason) == (True, "wrong question")
    resume_run(run_id=the_run().pk, user_id=world.ada.pk, now=world.now)
    assert begin_next(world.now) is not None
    assert verbs()[-2:] == [Verb.RUN_PAUSED, Verb.RUN_RESUMED]
    assert Event.objects.last().actor_id == world.ada.pk  # type: ignore[union-attr]


def test_everything_stops_at_once(world: World) -> None:
    launched(world)
    pause_all(reason="storm", now=world.now)
    assert not sendable(world.now).exists()
    assert sender_state().paused_reason == "storm"
    resume_all(now=world.now)
    resume_all(now=world.now)
    assert sendable(world.now).exists()
    assert verbs().count(Verb.RUN_RESUMED) == 1


@pytest.mark.parametrize("reason", ["", "   ", "\n"])
def test_whoever_stops_mail_says_why(world: World, reason: str) -> None:
    launched(world)
    for stop in (
        lambda: pause_run(run_id=the_run().pk, reason=reason, now=world.now),
        lambda: pause_all(reason=reason, now=world.now),
        lambda: pause_lane(domain="x.example", reason=reason, now=world.now),
    ):
        with pytest.raises(ReasonMissing):
            stop()


def test_what_does_not_exist_is_refused(world: World) -> None:
    for act in (
        lambda: pause_run(run_id=1, reason="x", now=world.now),
        lambda: resume_run(run_id=1, now=world.now),
        lambda: retry_failed(run_id=1, now=world.now),
    ):
        with pytest.raises(RunUnknown):
            act()
    with pytest.raises(LaneUnknown):
        resume_lane(domain="never.example", now=world.now)
    with pytest.raises(LimitRefused):
        set_lane_limit(domain="x.example", limit_per_minute=-1, now=world.now)


def test_a_paused_domain_waits_alone(world: World) -> None:
    launched(world, 1)
    launched(world, 1, domain="slow.example", first=6_000_000)
    pause_lane(domain="Slow.Example", reason="they asked us to", now=world.now)
    assert {row.domain for row in sendable(world.now)} == {"lindgren.example"}
    assert [lane.domain for lane in lanes_paused()] == ["slow.example"]
    resume_lane(domain="slow.example", now=world.now)
    assert sendable(world.now).count() == 2
    assert verbs() == [Verb.LANE_PAUSED, Verb.LANE_RESUMED]


def test_a_limit_is_set_and_taken_away(world: World) -> None:
    set_lane_limit(domain="slow.example", limit_per_minute=30, now=world.now)
    assert DomainLane.objects.get().limit_per_minute == 30
    set_lane_limit(domain="slow.example", limit_per_minute=0, now=world.now)
    assert DomainLane.objects.get().limit_per_minute is None
    changed = Event.objects.filter(verb=Verb.LANE_CHANGED).latest("id")
    assert changed.data["limit_per_minute"] == [30, None]


def test_progress_says_what_became_of_each(world: World) -> None:
    launched(world, 5)
    settle_next(world, DeliveryState.SENT, code=250)
    settle_next(world, DeliveryState.FAILED, code=550, enhanced="5.1.1", answer="unknown")
    again = world.now + timedelta(minutes=5)
    settle_next(world, DeliveryState.DEFERRED, code=451, next_at=again)
    progress = progress_of(the_run().pk, world.now)
    assert (progress.total, progress.sent, progress.failed, progress.deferred) == (5, 1, 1, 1)
    assert (progress.settled, progress.waiting, progress.is_over) == (2, 3, False)
    assert progress.rate_per_minute is None
    assert progress.finished_at_estimate is None
    (lane,) = lanes_of(the_run().pk, 10)
    assert (lane.total, lane.sent, lane.waiting, lane.deferred, lane.failed) == (5, 1, 3, 1, 1)


def test_the_time_left_follows_the_sender_and_the_deferred(world: World) -> None:
    launched(world, 11)
    settle_next(world, DeliveryState.SENT)
    SenderState.objects.create(pk=1, alive_at=world.now, rate_per_minute=5)
    progress = progress_of(the_run().pk, world.now)
    assert progress.rate_per_minute == 5
    assert progress.finished_at_estimate == world.now + timedelta(minutes=2)
    later = world.now + timedelta(hours=1)
    settle_next(world, DeliveryState.DEFERRED, next_at=later)
    assert progress_of(the_run().pk, world.now).finished_at_estimate == later
    silent = progress_of(the_run().pk, world.now + timedelta(minutes=5))
    assert silent.rate_per_minute is None


def test_a_deferred_one_comes_back_and_is_counted_once(world: World) -> None:
    launched(world, 1)
    settle_next(world, DeliveryState.DEFERRED, next_at=world.now + timedelta(minutes=5))
    assert begin_next(world.now) is None
    world.clock.advance(minutes=5)
    delivery = settle_next(world, DeliveryState.SENT)
    assert delivery.attempts == 2
    run = the_run()
    assert (run.sent, run.deferred, run.first_sent_at) == (1, 0, world.now)


def test_an_outcome_is_written_once(world: World) -> None:
    launched(world, 1)
    delivery = begin_next(world.now)
    assert delivery is not None
    settle_one(delivery, state=DeliveryState.SENT, now=world.now)
    with pytest.raises(DeliveryLost):
        settle_one(delivery, state=DeliveryState.FAILED, now=world.now)
    assert the_run().failed == 0


def test_failed_ones_go_out_again_as_the_same_mail(world: World) -> None:
    launched(world, 2)
    failed = settle_next(world, DeliveryState.FAILED, code=550)
    settle_next(world, DeliveryState.SENT)
    world.clock.advance(days=1)
    only = [Retry(delivery_id=failed.pk, name="New Name", address="new@Other.example")]
    assert retry_failed(run_id=the_run().pk, only=only, user_id=world.ada.pk, now=world.now) == 1
    again = Delivery.objects.get(pk=failed.pk)
    assert (again.state, again.attempts, again.settled_at) == (DeliveryState.PENDING, 0, None)
    assert again.issued_at == failed.issued_at
    assert (again.name, again.address, again.domain) == ("New Name", "new@Other.example", "other.example")
    assert (the_run().failed, the_run().sent) == (0, 1)
    assert verbs()[-1] == Verb.RUN_RETRIED
    assert retry_failed(run_id=the_run().pk, now=world.now) == 0


def test_all_failed_ones_of_a_run_can_be_retried(world: World) -> None:
    launched(world, 3)
    settle_next(world, DeliveryState.FAILED)
    settle_next(world, DeliveryState.FAILED)
    assert retry_failed(run_id=the_run().pk, now=world.now) == 2
    assert the_run().failed == 0


def test_every_recipient_is_exported_exactly(world: World) -> None:
    launched(world, 3)
    settle_next(world, DeliveryState.FAILED, code=550, enhanced="5.1.1", answer="=cmd()", relay="r1")
    settle_next(world, DeliveryState.SENT, code=250, answer="2.0.0 ok")
    headings, *rows = export_rows(the_run().pk)
    assert len(rows) == 3
    found = [dict(zip(headings, row, strict=True)) for row in rows]
    assert [row["state"] for row in found] == ["failed", "sent", "pending"]
    assert (found[0]["code"], found[0]["enhanced"], found[0]["answer"]) == ("550", "5.1.1", "'=cmd()")
    assert (found[0]["next_try_at"], found[2]["next_try_at"]) == ("", world.now.isoformat())


def test_a_delivery_is_found_from_every_side(world: World) -> None:
    first, *_ = launched(world)
    settle_next(world, DeliveryState.SENT)
    assert delivery_for(first.pk) == first
    assert delivery_for(0) is None
    assert len(deliveries_of_worker(world.olena.pk)) == 3
    assert list(deliveries(the_run().pk, DeliveryState.SENT)) == [first]
    assert delivered_since(world.account.pk, world.now - timedelta(days=1)) == 1
    assert delivered_since(world.account.pk, world.now) == 0
    assert recent_runs(5) == [the_run()]
