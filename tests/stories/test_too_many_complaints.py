"""Workers call our mail spam: those workers are left alone at once, and the account before it harms all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sentinel.accounts.models import Worker
from sentinel.checkins.models import CheckIn
from sentinel.checkins.rules import CheckInState, WhyNot
from sentinel.people.models import User
from sentinel.standing.selectors import brake_of
from sentinel.standing.services import release_brake
from sentinel.workflows.complaints import worker_complained
from tests.world import World

#: Tuesday, 10 March 2026, 10:10 in Kyiv, and everybody at work in Berlin.
IN_WINDOW = datetime(2026, 3, 10, 8, 10, tzinfo=UTC)


def ask(world: World, worker: Worker) -> CheckIn:
    """A check-in that is due now, whatever was planned, and the engine awake."""
    CheckIn.objects.filter(worker=worker, state=CheckInState.PLANNED.value).delete()
    check_in = CheckIn.objects.create(
        programme=world.programme,
        worker=worker,
        planned_for=world.now,
        reason="monthly",
        language="en",
        created_at=world.now - timedelta(days=20),
    )
    world.tick()
    check_in.refresh_from_db()
    return check_in


def colleagues(world: World, count: int) -> list[Worker]:
    return [
        Worker.objects.create(
            site=world.kyiv,
            name=f"Colleague {number}",
            email=f"c{number}@lindgren.example",
            joined_at=world.now - timedelta(days=200),
        )
        for number in range(count)
    ]


def told(world: World, person: User, words: str) -> bool:
    return any(words in str(notice.payload["title"]) for notice in world.notices(person)) and any(
        words in str(mail.payload["subject"]) for mail in world.inbox(person)
    )


def test_from_the_first_complaint_to_the_released_brake(world: World) -> None:
    world.clock.set(IN_WINDOW)
    angry = colleagues(world, 3)
    for worker in angry:
        assert ask(world, worker).state == CheckInState.SENT
    world.frown(worker=world.joao)

    for number, worker in enumerate(angry):
        worker_complained(worker_id=worker.pk, incoming_id=number + 1, source="Example Mail", now=world.now)
        world.tick()
    assert told(world, world.maria, "marked our mail as unwanted")
    for person in (world.maria, world.petra, world.ada):
        assert told(world, person, "stand still: too many complaints")

    # Nobody at this account is asked; elsewhere, and about open problems, everything goes on.
    skipped = ask(world, world.olena)
    assert (skipped.state, skipped.reason) == (CheckInState.SKIPPED, WhyNot.COMPLAINT_BRAKE.value)
    assert world.inbox(world.joao, "problem.receipt")

    brake = brake_of(world.account.pk)
    assert brake is not None
    release_brake(
        brake_id=brake.pk, reason="The works council announced it now.", user_id=world.ada.pk, now=world.now
    )
    assert ask(world, world.olena).state == CheckInState.SENT
    # Those who complained stay unasked, brake or not.
    left_alone = ask(world, angry[0])
    assert left_alone.state == CheckInState.SKIPPED
    assert WhyNot.SUPPRESSED.value in left_alone.reason
