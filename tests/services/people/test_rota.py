"""Officers among themselves: who takes whose day, and what is left to the next one."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from sentinel.kernel.errors import NotAllowed, NotFound
from sentinel.people.errors import ShiftRefused
from sentinel.people.models import OfficerShift, User
from sentinel.people.reach import mark_mail_refused
from sentinel.people.rota import days_away, leave_note, note_before, open_swaps, put_on_rota
from sentinel.people.rules import Role
from sentinel.people.services import set_absence
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.swap_day import answer_for_day, ask_for_day, take_back_question
from tests.world import World

pytestmark = pytest.mark.django_db

DAY = date(2026, 3, 16)


def officer_of(day: date) -> User:
    return OfficerShift.objects.select_related("officer").get(on=day).officer


def lose(world: World, user: User) -> None:
    mark_mail_refused(user_id=user.pk, address=user.email, reason="550", now=world.now)


def ask(world: World, on: date = DAY) -> int:
    swap = ask_for_day(on=on, of_id=world.henrik.pk, note="School", actor=world.ines, now=world.now)
    return swap.pk


def titles(world: World, user: User) -> list[str]:
    return [str(n.payload["title"]) for n in world.notices(user) if n.kind == "rota.swap"]


def test_a_day_changes_hands_when_the_other_accepts_and_both_and_their_managers_hear(world: World) -> None:
    world.ines.manager = world.petra
    world.ines.save(update_fields=["manager"])
    number = ask(world)
    world.tick()
    assert officer_of(DAY) == world.ines
    assert titles(world, world.henrik) == [
        "Ines Moreau asks Henrik Vogel to be officer of the day on Monday 16 March."
    ]
    assert titles(world, world.henrik) == titles(world, world.petra) == titles(world, world.ines)
    assert "School" in world.inbox(world.henrik, "rota.swap")[0].payload["text"]
    answer_for_day(swap_id=number, accept=True, actor=world.henrik, now=world.now)
    world.tick()
    assert officer_of(DAY) == world.henrik
    assert "in place of Ines Moreau" in titles(world, world.ines)[-1]
    assert "in place of Ines Moreau" in titles(world, world.petra)[-1]
    verbs = Event.objects.filter(verb__startswith="shift.").order_by("id").values_list("verb", flat=True)
    assert list(verbs) == [Verb.SWAP_ASKED.value, Verb.SWAP_ACCEPTED.value]


def test_no_and_never_mind_leave_the_rota_as_it_is(world: World) -> None:
    answer_for_day(swap_id=ask(world), accept=False, actor=world.henrik, now=world.now)
    take_back_question(swap_id=ask(world), actor=world.ines, now=world.now)
    assert officer_of(DAY) == world.ines
    assert not open_swaps(world.ines)


def test_only_who_was_asked_answers_and_only_who_asked_takes_it_back(world: World) -> None:
    number = ask(world)
    with pytest.raises(NotAllowed):
        answer_for_day(swap_id=number, accept=True, actor=world.ines, now=world.now)
    with pytest.raises(NotAllowed):
        take_back_question(swap_id=number, actor=world.henrik, now=world.now)
    with pytest.raises(NotFound):
        answer_for_day(swap_id=number, accept=True, actor=world.petra, now=world.now)


def test_a_day_is_given_by_its_officer_to_an_officer_and_never_after_it(world: World) -> None:
    with pytest.raises(NotAllowed):
        ask_for_day(on=DAY, of_id=world.ines.pk, note="", actor=world.henrik, now=world.now)
    for other in (world.maria, world.ines):
        with pytest.raises(ShiftRefused):
            ask_for_day(on=DAY, of_id=other.pk, note="", actor=world.ines, now=world.now)
    OfficerShift.objects.create(on=world.now.date() - timedelta(days=1), officer=world.ines)
    with pytest.raises(ShiftRefused, match="over"):
        ask(world, world.now.date() - timedelta(days=1))


def test_one_question_per_day_at_a_time(world: World) -> None:
    ask(world)
    with pytest.raises(ShiftRefused, match="already"):
        ask(world)


def test_a_yes_is_judged_again(world: World) -> None:
    number = ask(world)
    put_on_rota(on=DAY, officer_id=world.henrik.pk, now=world.now)
    with pytest.raises(ShiftRefused, match="settled"):
        answer_for_day(swap_id=number, accept=True, actor=world.henrik, now=world.now)


def test_each_reads_in_their_own_language_on_every_way(world: World) -> None:
    User.objects.filter(pk=world.henrik.pk).update(language="de")
    User.objects.filter(pk=world.ines.pk).update(language="fr")
    number = ask(world)
    world.tick()
    assert titles(world, world.henrik) == [
        "Ines Moreau bittet Henrik Vogel, am Montag, 16. März den Tagesdienst zu übernehmen."
    ]
    (mail,) = world.inbox(world.henrik, "rota.swap")
    assert mail.payload["subject"] == titles(world, world.henrik)[0]
    assert "Dienstplan öffnen" in mail.payload["text"]
    answer_for_day(swap_id=number, accept=False, actor=User.objects.get(pk=world.henrik.pk), now=world.now)
    world.tick()
    assert titles(world, world.ines)[-1].endswith("Ines Moreau reste responsable du jour.")


def test_who_is_away_or_out_of_reach_by_then_cannot_take_it(world: World) -> None:
    number = ask(world)
    begins = world.now + timedelta(days=9)
    absence = set_absence(
        user_id=world.henrik.pk,
        starts_at=begins,
        ends_at=begins + timedelta(days=3),
        deputy_id=None,
        reason="",
        actor=None,
        now=world.now,
    )
    with pytest.raises(ShiftRefused, match="away on that day"):
        answer_for_day(swap_id=number, accept=True, actor=world.henrik, now=world.now)
    absence.delete()
    lose(world, world.henrik)
    with pytest.raises(ShiftRefused, match="no way that works"):
        answer_for_day(swap_id=number, accept=True, actor=world.henrik, now=world.now)
    assert officer_of(DAY) == world.ines
    world.clock.set(world.now + timedelta(days=30))
    with pytest.raises(ShiftRefused, match="over"):
        answer_for_day(swap_id=number, accept=True, actor=world.henrik, now=world.now)


def test_nobody_out_of_reach_is_put_on_the_rota(world: World) -> None:
    lose(world, world.henrik)
    with pytest.raises(ShiftRefused, match="no way that works"):
        put_on_rota(on=DAY, officer_id=world.henrik.pk, now=world.now)
    assert officer_of(DAY) == world.ines


def test_a_day_on_which_its_officer_is_away_is_marked(world: World) -> None:
    first, zone = world.now.date() + timedelta(days=10), ZoneInfo(world.ines.zone)
    for n in range(3):
        put_on_rota(on=first + timedelta(days=n), officer_id=world.ines.pk, actor=world.ines, now=world.now)
    noon = datetime.combine(first + timedelta(days=1), time(12), zone)
    set_absence(
        user_id=world.ines.pk,
        starts_at=noon,
        ends_at=noon + timedelta(hours=12),
        deputy_id=None,
        reason="",
        actor=None,
        now=world.now,
    )
    shifts = OfficerShift.objects.filter(on__gte=first).select_related("officer")
    assert days_away(shifts) == {first + timedelta(days=1)}


def test_a_note_is_left_during_the_shift_or_the_day_after_and_the_next_officer_finds_it(
    world: World,
) -> None:
    today = world.now.date()
    leave_note(on=today, text="Watch gate 4.", actor=world.ines, now=world.now)
    found = note_before(today + timedelta(days=1))
    assert found is not None
    assert (found.left_note, found.left_by) == ("Watch gate 4.", world.ines)
    assert note_before(today) is None
    leave_note(on=today, text="Gate 4 is fine.", actor=world.ines, now=world.now + timedelta(days=1))
    with pytest.raises(ShiftRefused):
        leave_note(on=today, text="Late", actor=world.ines, now=world.now + timedelta(days=2))
    assert note_before(today + timedelta(days=8)) is None


def test_a_note_is_left_by_the_officer_or_whoever_stands_in(world: World) -> None:
    today = world.now.date()
    with pytest.raises(NotAllowed):
        leave_note(on=today, text="x", actor=world.henrik, now=world.now)
    set_absence(
        user_id=world.ines.pk,
        starts_at=world.now,
        ends_at=world.now + timedelta(days=1),
        deputy_id=world.henrik.pk,
        reason="",
        actor=None,
        now=world.now,
    )
    leave_note(on=today, text="x", actor=world.henrik, now=world.now)


def test_a_role_that_was_taken_away_takes_the_day_no_more(world: World) -> None:
    number = ask(world)
    world.henrik.roles = [Role.ANALYST.value]
    world.henrik.save(update_fields=["roles"])
    with pytest.raises(ShiftRefused, match="active officer"):
        answer_for_day(swap_id=number, accept=True, actor=world.henrik, now=world.now)
