"""Due check-ins go out once, in the window, after everything was judged again; or say why not."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sentinel.accounts.models import Permission, Worker
from sentinel.accounts.rules import MailState
from sentinel.bulk.models import Delivery
from sentinel.bulk.states import DeliveryState
from sentinel.checkins.messages import ProofFacts
from sentinel.checkins.models import CheckIn, Response
from sentinel.checkins.rules import CheckInState, WhyNot
from sentinel.outbox.selectors import MessageView, message_by_key
from sentinel.problems.rules import CallOutcome
from sentinel.standing.services import record_complaint, suppress
from sentinel.standing.states import SuppressedBecause
from sentinel.workflows.check_in_facts import problem_facts, proof_facts, why_not_asked_now
from sentinel.workflows.log_call import log_call
from sentinel.workflows.make_commitment import make_commitment
from sentinel.workflows.plan_check_ins import plan_check_ins
from sentinel.workflows.propose_solution import propose_solution
from sentinel.workflows.send_check_ins import send_check_ins
from tests.world import World, delivered

#: Tuesday, 10 March 2026, 09:30 in Kyiv.
IN_WINDOW = datetime(2026, 3, 10, 7, 30, tzinfo=UTC)


@pytest.fixture
def due(world: World) -> CheckIn:
    """Olena's check-in, due in the window."""
    world.clock.set(IN_WINDOW)
    return CheckIn.objects.create(
        programme=world.programme,
        worker=world.olena,
        planned_for=IN_WINDOW - timedelta(minutes=1),
        reason="monthly",
        language="en",
        created_at=IN_WINDOW - timedelta(days=20),
    )


def sent_mail(check_in: CheckIn) -> MessageView | None:
    row = Delivery.objects.filter(check_in_id=check_in.pk).exclude(state=DeliveryState.SKIPPED.value).first()
    return delivered(row) if row else message_by_key(f"check_in:{check_in.pk}")


def test_it_is_sent_once_by_the_owner_in_the_workers_language(world: World, due: CheckIn) -> None:
    Worker.objects.filter(pk=world.olena.pk).update(language="de")
    assert send_check_ins(now=world.now) == 1
    assert send_check_ins(now=world.now) == 0
    due.refresh_from_db()
    assert (due.state, due.sent_at, due.language) == (CheckInState.SENT, IN_WINDOW, "de")
    mail = sent_mail(due)
    assert mail is not None
    assert (mail.kind, mail.channel, mail.address) == ("check_in.question", "email", world.olena.email)
    assert mail.payload["from_name"] == "Maria Schulz"
    assert mail.payload["language"] == "de"
    assert "/frown/" in mail.payload["text"]
    assert "List-Unsubscribe" in mail.payload["headers"]


def test_after_it_was_sent_the_next_is_planned_a_week_later(world: World, due: CheckIn) -> None:
    send_check_ins(now=world.now)
    plan_check_ins(now=world.now)
    following = CheckIn.objects.get(worker=world.olena, state=CheckInState.PLANNED.value)
    assert following.planned_for.date() >= date(2026, 3, 17)


def test_not_yet_due_stays(world: World, due: CheckIn) -> None:
    CheckIn.objects.update(planned_for=IN_WINDOW + timedelta(seconds=1))
    assert send_check_ins(now=world.now) == 0


@pytest.mark.parametrize("hours", [2, 10, 24 * 3])
def test_a_missed_window_waits_for_the_next(world: World, due: CheckIn, hours: int) -> None:
    world.clock.advance(hours=hours)
    assert send_check_ins(now=world.now) == 1
    due.refresh_from_db()
    assert due.state == CheckInState.PLANNED
    assert due.planned_for > world.now
    assert sent_mail(due) is None
    world.clock.set(due.planned_for)
    send_check_ins(now=world.now)
    due.refresh_from_db()
    assert due.state == CheckInState.SENT


def test_on_a_holiday_of_the_site_nothing_goes_out(world: World, due: CheckIn) -> None:
    world.kyiv.calendar.extra_holidays = [IN_WINDOW.date()]
    world.kyiv.calendar.save()
    send_check_ins(now=world.now)
    due.refresh_from_db()
    assert due.state == CheckInState.PLANNED
    assert due.planned_for.date() == date(2026, 3, 11)


def withdraw(world: World) -> None:
    Permission.objects.filter(account=world.account).update(withdrawn_at=world.now)


def unsubscribe(world: World) -> None:
    Worker.objects.filter(pk=world.olena.pk).update(unsubscribed_at=world.now)


def bounce(world: World) -> None:
    Worker.objects.filter(pk=world.olena.pk).update(mail_state=MailState.BOUNCED.value)


def report_a_problem(world: World) -> None:
    world.clock.advance(days=-10)
    world.frown()
    world.clock.set(IN_WINDOW)


def go_away(world: World) -> None:
    Worker.objects.filter(pk=world.olena.pk).update(away_until=IN_WINDOW.date() + timedelta(days=1))


def suppress_the_address(world: World) -> None:
    suppress(address="Olena@Lindgren.example", because=SuppressedBecause.REQUEST, now=world.now)


def suppress_the_domain(world: World) -> None:
    suppress(address="@lindgren.example", because=SuppressedBecause.REQUEST, now=world.now)


def complain_much(world: World) -> None:
    for _ in range(3):
        record_complaint(
            account_id=world.account.pk,
            worker_id=None,
            incoming_id=None,
            source="a test",
            delivered=1000,
            now=world.now,
        )


def be_asked_yesterday(world: World) -> None:
    world.clock.advance(days=-1)
    world.check_in()
    world.clock.set(IN_WINDOW)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (withdraw, WhyNot.NO_PERMISSION),
        (unsubscribe, WhyNot.UNSUBSCRIBED),
        (bounce, WhyNot.BOUNCED),
        (report_a_problem, WhyNot.OPEN_PROBLEM),
        (go_away, WhyNot.AWAY),
        (suppress_the_address, WhyNot.SUPPRESSED),
        (suppress_the_domain, WhyNot.SUPPRESSED),
        (complain_much, WhyNot.COMPLAINT_BRAKE),
        (be_asked_yesterday, WhyNot.FATIGUE),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_everything_is_judged_again_at_the_moment_of_sending(
    world: World, due: CheckIn, change: object, reason: WhyNot
) -> None:
    assert callable(change)
    change(world)
    assert send_check_ins(now=world.now) == 1
    due.refresh_from_db()
    assert (due.state, due.reason) == (CheckInState.SKIPPED, reason.value)
    assert sent_mail(due) is None
    worker = Worker.objects.select_related("site__account").get(pk=world.olena.pk)
    assert why_not_asked_now([worker], world.now)[worker.pk] == (reason,)


def test_a_skipped_check_in_is_not_planned_again_at_once(world: World, due: CheckIn) -> None:
    report_a_problem(world)
    send_check_ins(now=world.now)
    plan_check_ins(now=world.now)
    following = CheckIn.objects.get(worker=world.olena, state=CheckInState.PLANNED.value)
    assert following.planned_for - IN_WINDOW > timedelta(days=6)


def propose(world: World) -> int:
    problem = world.frown()
    log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    proposal = propose_solution(
        problem_id=problem.pk,
        user=world.maria,
        what_was_done="Replaced the rollers",
        root_cause="Worn out",
        now=world.now,
    )
    return proposal.pk


def test_an_unconfirmed_problem_is_asked_about_once_its_reminders_are_through(
    world: World, due: CheckIn
) -> None:
    world.clock.advance(days=-40)
    proposal_id = propose(world)
    world.clock.set(IN_WINDOW)
    assert problem_facts([world.olena.pk])[world.olena.pk].about_problem_id is None
    proposal = world.proposal(world.olena.problems.get())
    proposal.asks = 4
    proposal.save()
    send_check_ins(now=world.now)
    due.refresh_from_db()
    assert due.state == CheckInState.SENT
    assert due.about_problem_id == proposal.problem_id
    mail = sent_mail(due)
    assert mail is not None
    assert "/c/" in mail.payload["text"]
    assert "/yes/" in mail.payload["text"]
    assert "/a/" not in mail.payload["html"]
    assert proposal.pk == proposal_id


def test_many_cost_as_many_queries_as_one(world: World, due: CheckIn) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            send_check_ins(now=world.now)
        return len(seen)

    few = queries()
    for n in range(40):
        worker = Worker.objects.create(
            site=world.kyiv, name=f"W {n}", email=f"w{n}@lindgren.example", joined_at=IN_WINDOW
        )
        CheckIn.objects.create(
            programme=world.programme,
            worker=worker,
            planned_for=IN_WINDOW,
            reason="new",
            language="en",
            created_at=IN_WINDOW,
        )
    assert queries() <= few  # the first ones find the run, template and edition missing
    assert Delivery.objects.filter(worker_id=worker.pk).count() == 1


def test_the_proof_counts_what_last_month_came_to(world: World) -> None:
    world.clock.set(datetime(2026, 2, 10, 9, 0, tzinfo=UTC))
    for _ in range(3):
        world.frown()
    promised = world.frown()
    log_call(problem_id=promised.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    make_commitment(problem_id=promised.pk, user=world.maria, due_on=date(2026, 3, 20), now=world.now)
    world.clock.set(IN_WINDOW)
    world.frown()
    found = proof_facts([world.kyiv, world.lisbon], world.now)
    assert found == {
        world.kyiv.pk: ProofFacts(
            reported=4, confirmed=0, promised=1, open_count=3, next_promise=date(2026, 3, 20)
        )
    }
    assert Response.objects.count() == 5
