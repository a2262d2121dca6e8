"""One complaint silences us for one worker; a few silence us for an account, until somebody has looked."""

from datetime import timedelta

import pytest

from sentinel.accounts.models import Worker
from sentinel.accounts.services import repair_address
from sentinel.bulk.models import Delivery, Edition, Run, Template
from sentinel.kernel.errors import NotFound
from sentinel.outbox.selectors import messages_to
from sentinel.people.models import User
from sentinel.standing.errors import BrakeRefused, BrakeReleased
from sentinel.standing.models import MailComplaint
from sentinel.standing.rules import Complaints
from sentinel.standing.selectors import brake_of, braked_account_ids, complaints_of, suppressed_among
from sentinel.standing.services import release_brake
from sentinel.timeline.models import Event
from sentinel.workflows.complaints import Taken, worker_complained
from tests.world import World


def deliver(world: World, count: int, *, days_ago: int = 1) -> None:
    """So many check-ins arrived at the account."""
    at = world.now - timedelta(days=days_ago)
    run, _ = Run.objects.get_or_create(
        programme_id=world.programme.pk, day=at.date(), defaults={"name": "Run", "created_at": at}
    )
    template, _ = Template.objects.get_or_create(
        key="k", defaults={"language": "en", "compiled": b"", "created_at": at}
    )
    edition, _ = Edition.objects.get_or_create(
        run=run, key="k", defaults={"template": template, "sender": "care@provider.example", "shared": {}}
    )
    first = Delivery.objects.count() + 1_000_000
    Delivery.objects.bulk_create(
        Delivery(
            run=run,
            edition=edition,
            check_in_id=number,
            worker_id=number,
            account_id=world.account.pk,
            name="Somebody",
            address=f"w{number}@lindgren.example",
            domain="lindgren.example",
            issued_at=at,
            state="sent",
            next_at=at,
            attempts=1,
            settled_at=at,
        )
        for number in range(first, first + count)
    )


def colleague(world: World, number: int) -> Worker:
    return Worker.objects.create(
        site=world.kyiv,
        name=f"Colleague {number}",
        email=f"c{number}@lindgren.example",
        joined_at=world.now - timedelta(days=90),
    )


def complain(world: World, worker: Worker, incoming_id: int | None = None) -> Taken:
    return worker_complained(
        worker_id=worker.pk, incoming_id=incoming_id, source="Example Mail", now=world.now
    )


def titles(user: User) -> list[str]:
    rows = messages_to(recipient_kind="user", recipient_id=user.pk)
    return [str(row.payload["title"]) for row in rows if row.channel == "console"]


def mails(user: User) -> list[str]:
    rows = messages_to(recipient_kind="user", recipient_id=user.pk)
    return [str(row.payload["subject"]) for row in rows if row.channel == "email"]


def test_a_single_complaint_silences_us_for_this_worker_and_tells_the_owner(world: World) -> None:
    deliver(world, 50)
    taken = complain(world, world.olena)
    assert (taken.verdict, taken.brake) == (Complaints.FEW, None)
    world.olena.refresh_from_db()
    assert world.olena.unsubscribed_at == world.now
    assert world.olena.mail_state == "complained"
    assert suppressed_among([world.olena.email])
    (title,) = titles(world.maria)
    assert "Olena" in title
    assert mails(world.maria) == [title]
    assert titles(world.petra) == titles(world.ada) == []
    verbs = set(Event.objects.filter(worker_id=world.olena.pk).values_list("verb", flat=True))
    assert verbs >= {"worker.complained_of_mail", "worker.unsubscribed", "address.suppressed"}


def test_the_suppression_outlives_a_repaired_address(world: World) -> None:
    complain(world, world.olena)
    repair_address(worker_id=world.olena.pk, email=world.olena.email, now=world.now)
    assert suppressed_among([world.olena.email])


def test_the_same_report_counts_once(world: World) -> None:
    assert complain(world, world.olena, incoming_id=5).is_new
    assert not complain(world, world.olena, incoming_id=5).is_new
    assert MailComplaint.objects.count() == 1
    assert len(titles(world.maria)) == 1


def test_two_raise_the_alarm_and_three_set_the_brake(world: World) -> None:
    deliver(world, 1_000)
    deliver(world, 5_000, days_ago=40)
    assert complain(world, world.olena).verdict is Complaints.FEW
    assert complain(world, world.joao).verdict is Complaints.ALARM
    for user in (world.maria, world.petra, world.ada):
        assert "Complaints at Lindgren Logistics rise" in titles(user)
        assert "Complaints at Lindgren Logistics rise" in mails(user)
    assert not braked_account_ids()
    taken = complain(world, colleague(world, 1))
    assert taken.brake is not None
    assert (taken.brake.complaints, taken.brake.delivered) == (3, 1_000)
    assert braked_account_ids() == {world.account.pk}
    for user in (world.maria, world.petra, world.ada):
        assert "Check-ins to Lindgren Logistics stand still: too many complaints" in titles(user)
    assert titles(world.otto) == []
    assert Event.objects.filter(verb="brake.set", account_id=world.account.pk).count() == 1


def test_three_of_many_are_few(world: World) -> None:
    deliver(world, 1_600)
    for number in range(3):
        assert complain(world, colleague(world, number)).verdict is Complaints.FEW
    assert not braked_account_ids()


def test_old_complaints_do_not_count(world: World) -> None:
    deliver(world, 100)
    complain(world, world.olena)
    complain(world, world.joao)
    world.clock.advance(days=31)
    assert complaints_of(world.account.pk, world.now) == 0
    assert complain(world, colleague(world, 1)).verdict is Complaints.FEW


def test_while_the_brake_is_on_further_complaints_repeat_nothing(world: World) -> None:
    deliver(world, 100)
    for number in range(3):
        complain(world, colleague(world, number))
    told = len(titles(world.petra))
    assert complain(world, colleague(world, 9)).brake is None
    assert len(titles(world.petra)) == told
    assert Event.objects.filter(verb="brake.set").count() == 1


def test_releasing_needs_a_reason_and_settles_what_was_counted(world: World) -> None:
    deliver(world, 100)
    for number in range(3):
        complain(world, colleague(world, number))
    brake = brake_of(world.account.pk)
    assert brake is not None
    with pytest.raises(BrakeRefused):
        release_brake(brake_id=brake.pk, reason=" ", user_id=world.ada.pk, now=world.now)
    world.clock.advance(hours=1)
    release_brake(
        brake_id=brake.pk,
        reason="The works council was told.",
        user_id=world.ada.pk,
        user_name="Ada",
        now=world.now,
    )
    assert not braked_account_ids()
    with pytest.raises(BrakeReleased):
        release_brake(brake_id=brake.pk, reason="again", user_id=world.ada.pk, now=world.now)
    world.clock.advance(hours=1)
    assert complain(world, colleague(world, 8)).verdict is Complaints.FEW
    assert not braked_account_ids()
    event = Event.objects.get(verb="brake.released")
    assert (event.actor_name, event.data["reason"]) == ("Ada", "The works council was told.")


def test_an_unknown_worker_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        worker_complained(worker_id=0, incoming_id=None, source="x", now=world.now)
