"""Check-ins that did not arrive: taken back, told once, tried again; and why somebody was not asked."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sentinel.accounts.models import Permission, Worker
from sentinel.accounts.rules import MailState
from sentinel.accounts.services import unsubscribe_worker, worker_left
from sentinel.accounts.services.reachability import repair_address
from sentinel.bulk.models import Begun, Delivery, DomainLane, Run
from sentinel.bulk.refusals import codes_in, refuses_address
from sentinel.bulk.services import pause_all, pause_lane, pause_run, resume_all
from sentinel.bulk.states import DeliveryState
from sentinel.channels.base import Sent
from sentinel.checkins.models import CheckIn
from sentinel.checkins.rules import CheckInState
from sentinel.outbox.rules import Result
from sentinel.outbox.selectors import message_by_key
from sentinel.standing.services import suppress
from sentinel.standing.states import SuppressedBecause
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.plan_check_ins import plan_check_ins
from sentinel.workflows.report_deliveries import report_deliveries
from sentinel.workflows.retry_deliveries import retry_deliveries
from sentinel.workflows.why_not_asked import why_not_asked_words
from sentinel.workflows.withdraw_deliveries import judge_waiting_again
from tests.world import World

#: Tuesday, 10 March 2026, 09:30 in Kyiv.
IN_WINDOW = datetime(2026, 3, 10, 7, 30, tzinfo=UTC)
UNKNOWN = Sent(
    result=Result.PERMANENT, detail="RCPT TO: 550 5.1.1 nobody here", provider="fake", address_refused=True
)
POLICY = Sent(result=Result.PERMANENT, detail="RCPT TO: 550 5.7.1 we do not like you", provider="fake")
BUSY = Sent(result=Result.TRANSIENT, detail="RCPT TO: 451 4.7.1 greylisted", provider="fake")


@pytest.fixture
def due(world: World) -> CheckIn:
    """Olena's check-in, due in the window; nobody else has one."""
    world.clock.set(IN_WINDOW)
    Worker.objects.exclude(pk=world.olena.pk).update(unsubscribed_at=world.now)
    return plan(world, world.olena)


def plan(world: World, worker: Worker) -> CheckIn:
    return CheckIn.objects.create(
        programme=world.programme,
        worker=worker,
        planned_for=IN_WINDOW - timedelta(minutes=1),
        reason="monthly",
        language="en",
        created_at=IN_WINDOW - timedelta(days=20),
    )


def more_due(world: World, count: int) -> None:
    for n in range(count):
        worker = Worker.objects.create(
            site=world.kyiv, name=f"W {n}", email=f"w{n}@lindgren.example", joined_at=IN_WINDOW
        )
        plan(world, worker)


def words(world: World) -> str:
    worker = Worker.objects.select_related("site__account", "site__calendar").get(pk=world.olena.pk)
    return "\n".join(why_not_asked_words(worker, world.now))


def test_a_check_in_goes_out_as_the_mail_the_sender_would_send(world: World, due: CheckIn) -> None:
    world.tick()
    (mail,) = world.inbox(world.olena, "check_in")
    assert mail.payload["subject"] == "Do you have any problem, comment or suggestion for us?"
    assert "Hello Olena Kovalenko," in mail.payload["text"]
    assert mail.payload["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.check_in_id, delivery.attempts) == (DeliveryState.SENT, due.pk, 1)
    run = Run.objects.get()
    assert (run.day, run.total, run.sent) == (IN_WINDOW.date(), 1, 1)
    assert message_by_key(f"check_in:{due.pk}") is None
    world.tick()
    assert len(world.email.sent) == 1


def test_a_refused_address_takes_the_check_in_back_and_becomes_a_repair_task(
    world: World, due: CheckIn
) -> None:
    world.email.will(UNKNOWN)
    world.tick()
    due.refresh_from_db()
    assert (due.state, due.sent_at, due.reason) == (CheckInState.SKIPPED, None, "not_delivered")
    olena = Worker.objects.get(pk=world.olena.pk)
    assert olena.mail_state == MailState.BOUNCED
    assert "nobody here" in olena.mail_state_reason
    event = Event.objects.get(verb=Verb.DELIVERY_FAILED.value)
    assert event.data["answer"] == "550 5.1.1 nobody here"
    (notice,) = [m for m in world.notices(world.maria) if m.kind == "delivery.failed"]
    assert "Olena Kovalenko at Lindgren Logistics did not arrive" in notice.payload["title"]
    assert Run.objects.get().failed == 1


def test_a_refusal_of_us_leaves_the_address_alone(world: World, due: CheckIn) -> None:
    world.email.will(POLICY)
    world.tick()
    assert Worker.objects.get(pk=world.olena.pk).mail_state == MailState.GOOD
    due.refresh_from_db()
    assert due.state == CheckInState.SKIPPED


def test_many_failures_of_an_account_are_one_notice(world: World, due: CheckIn) -> None:
    more_due(world, 12)
    world.email.will(*[UNKNOWN] * 13)
    world.tick()
    (notice,) = [m for m in world.notices(world.maria) if m.kind == "delivery.failed"]
    assert notice.payload["title"] == "13 check-ins at Lindgren Logistics did not arrive"
    assert "and 8 more" in notice.payload["text"]
    assert Event.objects.filter(verb=Verb.DELIVERY_FAILED.value).count() == 13
    assert report_deliveries(now=world.now) == 0


def test_without_an_owner_at_work_the_administrators_hear_it(world: World, due: CheckIn) -> None:
    world.maria.is_active = False
    world.maria.save()
    world.email.will(UNKNOWN)
    world.tick()
    assert [m.kind for m in world.notices(world.ada)] == ["delivery.failed"]


def test_a_busy_server_is_asked_again(world: World, due: CheckIn) -> None:
    world.email.will(BUSY, BUSY)
    world.tick()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.next_at) == (DeliveryState.DEFERRED, IN_WINDOW + timedelta(minutes=5))
    assert "put off" in words(world)
    assert "4.7.1 greylisted" in words(world)
    world.advance(minutes=25)
    assert Delivery.objects.get().state == DeliveryState.SENT
    assert len({message.message_id for message in world.email.sent}) == 1
    assert len({message.payload["text"] for message in world.email.sent}) == 1


def test_a_server_that_is_always_busy_is_given_up_and_reported(world: World, due: CheckIn) -> None:
    world.email.will(*[BUSY] * 40)
    world.advance(days=2)
    assert Delivery.objects.get().state == DeliveryState.FAILED
    due.refresh_from_db()
    assert due.reason == "not_delivered"
    assert Worker.objects.get(pk=world.olena.pk).mail_state == MailState.GOOD


def test_a_stopped_domain_is_told_to_the_administrators_once(world: World, due: CheckIn) -> None:
    DomainLane.objects.create(
        domain="lindgren.example",
        paused_at=world.now,
        paused_reason="550 5.7.1 blocked",
        changed_at=world.now,
    )
    world.tick()
    world.tick()
    (notice,) = [m for m in world.notices(world.ada) if m.kind == "lane.paused"]
    assert "blocked" in notice.payload["text"]
    assert not world.email.sent
    assert "Nothing goes to lindgren.example: 550 5.7.1 blocked." in words(world)


def test_a_domain_stopped_by_hand_is_no_news(world: World, due: CheckIn) -> None:
    pause_lane(domain="lindgren.example", reason="moving", user_id=world.ada.pk, now=world.now)
    world.tick()
    assert not world.notices(world.ada)


def test_after_a_repair_the_check_in_is_tried_again_there(world: World, due: CheckIn) -> None:
    more_due(world, 1)
    world.email.will(UNKNOWN, UNKNOWN)
    world.tick()
    world.clock.advance(hours=1)
    repair_address(worker_id=world.olena.pk, email="olena.k@lindgren.example", now=world.now)
    run = Run.objects.get()
    assert retry_deliveries(run_id=run.pk, now=world.now, user_id=world.ada.pk) == 1
    due.refresh_from_db()
    assert (due.state, due.sent_at) == (CheckInState.SENT, world.now)
    world.tick()
    run.refresh_from_db()
    assert (run.sent, run.failed, run.total) == (1, 1, 2)
    assert world.email.sent[-1].address == "olena.k@lindgren.example"


def test_who_must_not_be_asked_any_more_is_not_retried(world: World, due: CheckIn) -> None:
    world.email.will(POLICY)
    world.tick()
    Worker.objects.filter(pk=world.olena.pk).update(unsubscribed_at=world.now)
    assert retry_deliveries(run_id=Run.objects.get().pk, now=world.now) == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda world: unsubscribe_worker(worker_id=world.olena.pk, how="page", now=world.now),
            "unsubscribed",
        ),
        (lambda world: worker_left(worker_id=world.olena.pk, now=world.now), "left"),
        (lambda world: world.frown(), "open_problem"),
        (lambda world: Permission.objects.update(withdrawn_at=world.now), "no_permission"),
        (
            lambda world: suppress(
                address="@lindgren.example", because=SuppressedBecause.REQUEST, now=world.now
            ),
            "suppressed",
        ),
    ],
)
def test_whoever_must_not_be_asked_meanwhile_is_not(
    world: World, due: CheckIn, change: Callable[[World], object], reason: str
) -> None:
    pause_all(reason="storm", now=world.now)
    world.tick()
    world.clock.advance(hours=1)
    world.tick()
    assert Delivery.objects.get().state == DeliveryState.PENDING
    change(world)
    world.tick()
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == (DeliveryState.SKIPPED, reason)
    due.refresh_from_db()
    assert (due.state, due.reason, due.sent_at) == (CheckInState.SKIPPED, reason, None)
    assert Run.objects.get().skipped == 1
    resume_all(now=world.now)
    world.tick()
    assert not world.inbox(world.olena, "check_in")


def test_what_is_gone_is_not_taken_back(world: World, due: CheckIn) -> None:
    world.tick()
    world.clock.advance(hours=1)
    unsubscribe_worker(worker_id=world.olena.pk, how="page", now=world.now)
    world.tick()
    assert Delivery.objects.get().state == DeliveryState.SENT
    due.refresh_from_db()
    assert due.state == CheckInState.SENT


def test_who_is_held_behind_a_slow_domain_is_taken_back_and_who_is_on_the_wire_is_not(
    world: World, due: CheckIn
) -> None:
    pause_all(reason="storm", now=world.now)
    world.tick()
    held = Delivery.objects.get()
    Delivery.objects.filter(pk=held.pk).update(state=DeliveryState.CLAIMED.value)
    unsubscribe_worker(worker_id=world.olena.pk, how="page", now=world.now)
    Begun.objects.create(id=1, deliveries=[held.pk])
    world.clock.advance(seconds=1)
    assert judge_waiting_again(now=world.now) == 0, "its body is on the wire"
    Begun.objects.all().delete()
    assert judge_waiting_again(now=world.now) == 1
    held.refresh_from_db()
    assert (held.state, held.reason) == (DeliveryState.SKIPPED, "unsubscribed")
    assert (Run.objects.get().skipped, Run.objects.get().deferred) == (1, 0)


def test_an_odd_address_goes_through_the_outbox(world: World, due: CheckIn) -> None:
    Worker.objects.filter(pk=world.olena.pk).update(email="olenä@lindgren.example")
    world.tick()
    assert not Delivery.objects.exists()
    assert message_by_key(f"check_in:{due.pk}") is not None


def test_an_impossible_sender_keeps_nobody_else_from_being_asked(world: World, due: CheckIn) -> None:
    world.maria.email = "maria\u00e4@\u00e4\u00e4..example"
    world.maria.save()
    other = Worker.objects.get(pk=world.other_worker.pk)
    Worker.objects.filter(pk=other.pk).update(unsubscribed_at=None)
    CheckIn.objects.filter(worker=other).delete()
    world.other_account.sites.update(zone="Europe/Kyiv")
    theirs = plan(world, other)
    world.tick()
    assert Delivery.objects.get().check_in_id == theirs.pk
    message = message_by_key(f"check_in:{due.pk}")
    assert message is not None
    assert message.kind == "check_in.question"


def test_why_not_asked_is_answered_all_along(world: World, due: CheckIn) -> None:
    said = words(world)
    assert "never asked yet" in said
    assert "The next check-in is due" in said
    pause_all(reason="storm", now=world.now)
    world.tick()
    assert "on its way and waits for its turn.\nAll check-ins stand still: storm." in words(world)
    resume_all(now=world.now)
    pause_run(run_id=Run.objects.get().pk, reason="typo", now=world.now)
    assert "Its run was stopped: typo." in words(world)
    Run.objects.update(state="running")
    world.tick()
    assert "taken by the worker's mail server at 10 March 2026, 09:30" in words(world)
    assert "The worker was written to less than a week ago." in words(world)
    plan_check_ins(now=world.now)
    assert "The next check-in is planned for" in words(world)


def test_why_not_asked_names_the_reason_of_a_skipped_one(world: World, due: CheckIn) -> None:
    Worker.objects.filter(pk=world.olena.pk).update(unsubscribed_at=world.now)
    world.tick()
    assert "was let pass: the worker does not want to be asked." in words(world)
    delivery = Delivery.objects.get()
    assert (delivery.state, delivery.reason) == (DeliveryState.SKIPPED, "unsubscribed")
    assert "No check-in is planned." in words(world)


def test_why_not_asked_gives_the_mail_server_s_words(world: World, due: CheckIn) -> None:
    world.email.will(UNKNOWN)
    world.tick()
    said = words(world)
    assert "Mail to this address came back." in said
    assert "refused for good after one try. The mail server said: 550 5.1.1 nobody here." in said


@pytest.mark.parametrize(
    ("detail", "about_address"),
    [
        ("RCPT TO: 550 5.1.1 user unknown", True),
        ("550 5.1.10 recipient not found", True),
        ("550 5.2.1 mailbox disabled", True),
        ("552 5.2.2 mailbox full", False),
        ("550 5.7.1 blocked", False),
        ("RCPT TO: 550 no such user", True),
        ("550 rejected as spam", False),
        ("end of data: 554 refused", False),
        ("connect: timed out", False),
    ],
)
def test_a_server_s_words_are_about_the_address_or_about_us(detail: str, about_address: bool) -> None:
    code, enhanced, answer = codes_in(detail)
    assert refuses_address(code=code, enhanced=enhanced, answer=answer) is about_address
