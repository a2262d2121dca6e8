"""Everybody who may be asked has exactly one next check-in, and nobody else has any."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from sentinel.accounts.models import Permission, Worker
from sentinel.accounts.rules import MailState, Rhythm, WorkerStatus
from sentinel.accounts.services import set_preferences
from sentinel.checkins.models import CheckIn
from sentinel.checkins.rules import Beat, CheckInState, Face
from sentinel.people.models import WorkCalendar
from sentinel.problems.rules import CallOutcome, Verdict
from sentinel.standing.models import Brake
from sentinel.standing.services import lift_suppression, release_brake, suppress
from sentinel.standing.states import SuppressedBecause
from sentinel.timeline.services import ENGINE, About, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.log_call import log_call
from sentinel.workflows.plan_check_ins import plan_check_ins
from sentinel.workflows.propose_solution import propose_solution
from sentinel.workflows.telephone_verdict import record_verdict_by_telephone
from tests.world import World

PLANNED = CheckInState.PLANNED.value


def planned(worker: Worker) -> list[CheckIn]:
    return list(CheckIn.objects.filter(worker=worker, state=PLANNED))


def test_everybody_gets_one_and_planning_again_changes_nothing(world: World) -> None:
    assert plan_check_ins(now=world.now) == 3
    assert plan_check_ins(now=world.now) == 0
    for worker in (world.olena, world.joao, world.other_worker):
        (check_in,) = planned(worker)
        assert check_in.reason == Beat.NEW
        assert world.now <= check_in.planned_for < world.now + timedelta(days=8)


def test_a_second_planned_check_in_is_impossible(world: World) -> None:
    plan_check_ins(now=world.now)
    (first,) = planned(world.olena)
    first.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        first.save(force_insert=True)


@pytest.mark.parametrize(
    "columns",
    [
        {"status": WorkerStatus.LEFT.value, "left_at": "2026-03-01T00:00Z"},
        {"unsubscribed_at": "2026-03-01T00:00Z"},
        {"mail_state": MailState.BOUNCED.value},
        {"mail_state": MailState.COMPLAINED.value},
        {"rhythm": Rhythm.PAUSE.value},
    ],
    ids=lambda columns: ",".join(columns),
)
def test_who_cannot_be_asked_is_not_planned(world: World, columns: dict[str, Any]) -> None:
    Worker.objects.filter(pk=world.olena.pk).update(**columns)
    plan_check_ins(now=world.now)
    assert planned(world.olena) == []
    assert len(planned(world.joao)) == 1


def test_no_permission_no_plan(world: World) -> None:
    Permission.objects.filter(account=world.account).update(withdrawn_at=world.now)
    assert plan_check_ins(now=world.now) == 1
    assert planned(world.olena) == []


def test_a_permission_for_one_site_covers_no_other(world: World) -> None:
    Permission.objects.get(account=world.account).sites.set([world.lisbon])
    plan_check_ins(now=world.now)
    assert planned(world.olena) == []
    assert len(planned(world.joao)) == 1


def test_no_programme_no_plan(world: World) -> None:
    world.programme.is_active = False
    world.programme.save()
    assert plan_check_ins(now=world.now) == 0


def test_a_pause_with_an_end_is_planned_for_after_it(world: World) -> None:
    Worker.objects.filter(pk=world.olena.pk).update(paused_until=date(2026, 6, 1))
    plan_check_ins(now=world.now)
    assert planned(world.olena)[0].planned_for.date() >= date(2026, 6, 1)


def test_a_worker_who_chooses_another_rhythm_is_planned_afresh(world: World) -> None:
    plan_check_ins(now=world.now)
    world.clock.advance(minutes=5)
    set_preferences(
        worker_id=world.olena.pk,
        rhythm=Rhythm.QUARTERLY,
        paused_until=None,
        language="de",
        telephone="",
        now=world.now,
    )
    world.clock.advance(minutes=5)
    assert plan_check_ins(now=world.now) == 1
    (check_in,) = planned(world.olena)
    assert (check_in.reason, check_in.language) == (Beat.CHOSEN, "de")
    assert plan_check_ins(now=world.now) == 0


def test_an_answer_after_silence_is_planned_afresh(world: World) -> None:
    check_in = world.check_in()
    plan_check_ins(now=world.now)
    world.clock.advance(minutes=5)
    world.answer(Face.HAPPY, check_in=check_in)
    world.clock.advance(minutes=5)
    assert plan_check_ins(now=world.now) == 1


def test_a_yes_by_telephone_is_followed_up_like_any_other(world: World) -> None:
    # Asked for the first time two months ago: otherwise the weekly question would come even earlier.
    first = world.check_in()
    CheckIn.objects.filter(pk=first.pk).update(sent_at=world.now - timedelta(days=60))
    problem = world.frown()
    acting: dict[str, Any] = {"problem_id": problem.pk, "user": world.maria}
    acknowledge(**acting, now=world.now)
    log_call(**acting, outcome=CallOutcome.REACHED, now=world.now)
    propose_solution(**acting, what_was_done="Fuser replaced", root_cause="wear", now=world.now)
    world.clock.advance(minutes=5)
    plan_check_ins(now=world.now)
    world.clock.advance(minutes=5)
    call = log_call(**acting, outcome=CallOutcome.REACHED, now=world.now)
    record_verdict_by_telephone(**acting, call_id=call.pk, verdict=Verdict.YES, now=world.now)
    world.clock.advance(minutes=5)
    assert plan_check_ins(now=world.now) == 1
    (check_in,) = planned(world.olena)
    assert check_in.reason == Beat.FOLLOW_UP
    assert timedelta(days=13) < check_in.planned_for - world.now < timedelta(days=21)


def test_a_site_without_any_sending_day_holds_nobody_up(world: World) -> None:
    world.kyiv.calendar = WorkCalendar.objects.create(name="Never", week={})
    world.kyiv.save()
    assert plan_check_ins(now=world.now) == 3
    assert plan_check_ins(now=world.now) == 0
    assert planned(world.olena)[0].planned_for > world.now + timedelta(days=29)


def test_many_workers_cost_as_many_queries_as_one(world: World) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            plan_check_ins(now=world.now)
        return len(seen)

    CheckIn.objects.all().delete()
    few = queries()
    Worker.objects.bulk_create(
        Worker(site=world.kyiv, name=f"W {n}", email=f"w{n}@lindgren.example", joined_at=world.now)
        for n in range(60)
    )
    assert queries() == few
    assert CheckIn.objects.filter(state=PLANNED).count() == 63


def test_who_is_suppressed_or_at_a_braked_account_is_not_planned(world: World) -> None:
    entry = suppress(address="OLENA@lindgren.example", because=SuppressedBecause.REQUEST, now=world.now)
    suppress(address="@other.example", because=SuppressedBecause.REQUEST, now=world.now)
    assert plan_check_ins(now=world.now) == 1
    assert not planned(world.olena)
    assert not planned(world.other_worker)
    lift_suppression(suppression_id=entry.pk, reason="they asked for it", now=world.now)
    brake = Brake.objects.create(account_id=world.account.pk, set_at=world.now, complaints=3, delivered=500)
    assert plan_check_ins(now=world.now) == 0
    release_brake(brake_id=brake.pk, reason="talked to them", now=world.now)
    assert plan_check_ins(now=world.now) == 1
    assert planned(world.olena)


def test_a_plan_made_before_the_worker_went_away_is_made_anew_for_their_return(world: World) -> None:
    plan_check_ins(now=world.now)
    world.clock.advance(minutes=5)
    back = world.now.date() + timedelta(days=24)
    Worker.objects.filter(pk=world.olena.pk).update(away_until=back)
    with transaction.atomic():
        record_event(
            verb=Verb.WORKER_AWAY,
            at=world.now,
            actor=ENGINE,
            about=About(account_id=world.account.pk, worker_id=world.olena.pk),
        )
    assert plan_check_ins(now=world.now) == 1
    (check_in,) = planned(world.olena)
    assert check_in.planned_for.date() >= back
