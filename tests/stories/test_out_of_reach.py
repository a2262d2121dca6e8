"""Somebody whom nothing reaches is not the end of a notice: the next person hears of it, at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import transaction

from sentinel.accounts.models import Worker
from sentinel.channels.base import Sent
from sentinel.checkins.rules import Severity
from sentinel.escalation.messages import Reason
from sentinel.outbox.models import Message
from sentinel.outbox.rules import Result
from sentinel.people.contacts import add_contact_method
from sentinel.people.models import ContactMethod, User
from sentinel.people.quiet import set_quiet_hours
from sentinel.people.reach import mark_mail_refused, people_out_of_reach
from sentinel.people.rules import ContactChannel
from sentinel.people.services import set_absence
from sentinel.timeline.verbs import Verb
from sentinel.workflows.notices import News, tell_users
from tests.stories.acts import events
from tests.world import World

pytestmark = pytest.mark.django_db

NOBODY = Sent(result=Result.PERMANENT, detail="RCPT TO: 550 5.1.1 nobody here", address_refused=True)
GONE = Sent(result=Result.PERMANENT, detail="the service answered 410", address_refused=True)


def lose(world: World, *users: User) -> None:
    """Their mail servers refuse the addresses, and nobody has another way."""
    for user in users:
        mark_mail_refused(user_id=user.pk, address=user.email, reason="550 5.1.1 no such user", now=world.now)
        user.refresh_from_db()


def test_the_manager_hears_in_the_same_second_and_is_told_why(world: World) -> None:
    lose(world, world.maria)
    problem = world.frown()
    world.tick()
    (mail,) = world.inbox(world.petra, "duty.notice")
    sentence = "Maria Schulz cannot be reached, so this comes to you."
    assert sentence in mail.payload["text"]
    assert "550 5.1.1 no such user" in mail.payload["text"]
    (notice,) = [n for n in world.notices(world.petra) if n.kind == "duty.notice"]
    assert notice.payload["text"].startswith(sentence)
    # Maria still sees it on the console, and answers for it; no mail is wasted on her address.
    assert [n.kind for n in world.notices(world.maria)] == ["duty.notice"]
    assert not world.inbox(world.maria)
    assert world.duty(problem).accountable == world.maria
    (event,) = events(problem, Verb.NOTICE_PASSED_ON)
    assert (event.data["from"], event.data["to"]) == ("Maria Schulz", "Petra Lang")


def test_whoever_hears_instead_reads_why_in_their_own_language(world: World) -> None:
    User.objects.filter(pk=world.petra.pk).update(language="de")
    User.objects.filter(pk=world.ada.pk).update(language="es")
    lose(world, world.maria)
    problem = world.frown()
    world.tick()
    (mail,) = world.inbox(world.petra, "duty.notice")
    assert "Maria Schulz ist nicht erreichbar, darum kommt dies zu Ihnen." in mail.payload["text"]
    assert "E-Mail vom Mailserver abgewiesen (550 5.1.1 no such user)" in mail.payload["text"]
    (asked,) = [n for n in world.notices(world.ada) if n.kind == "people.out_of_reach"]
    assert asked.payload["title"] == "No se puede contactar con Maria Schulz"
    (event,) = events(problem, Verb.NOTICE_PASSED_ON)
    assert event.data["why"].startswith("Maria Schulz has no way that works"), "the timeline has one language"


def test_a_refused_mail_is_explained_in_the_language_of_the_next_person(world: World) -> None:
    User.objects.filter(pk=world.petra.pk).update(language="ja")
    world.email.will(NOBODY)
    world.frown()
    world.tick()
    (mail,) = world.inbox(world.petra, "duty.notice")
    assert "maria@example.comへのメールが失敗しました" in mail.payload["text"]


def test_who_stands_in_reads_why_in_their_own_language(world: World) -> None:
    User.objects.filter(pk=world.tom.pk).update(language="fr")
    world.frown()
    set_absence(
        user_id=world.maria.pk,
        starts_at=world.now,
        ends_at=world.now + timedelta(days=1),
        deputy_id=world.tom.pk,
        reason="",
        actor=None,
        now=world.now,
    )
    world.tick()
    assert any("Maria Schulz est en absence." in mail.payload["text"] for mail in world.inbox(world.tom))


def test_without_a_manager_within_reach_it_is_the_officer(world: World) -> None:
    lose(world, world.maria, world.petra)
    world.frown()
    world.tick()
    assert len(world.inbox(world.ines, "duty.notice")) == 1
    assert not world.inbox(world.petra)


def test_administrators_are_asked_to_look_once_a_day(world: World) -> None:
    lose(world, world.maria)
    world.frown()
    world.frown("Again", worker=world.joao)
    world.tick()
    asked = [n for n in world.notices(world.ada) if n.kind == "people.out_of_reach"]
    assert [n.payload["title"] for n in asked] == ["Maria Schulz cannot be reached"]
    assert "Petra Lang" in asked[0].payload["text"]
    assert [reach.name for reach in people_out_of_reach(world.now)] == ["Maria Schulz"]


def test_somebody_of_a_rung_is_replaced_like_the_owner(world: World) -> None:
    lose(world, world.petra)
    world.frown()
    world.advance(hours=1)  # the rung that tells owner and manager
    assert any("Petra Lang cannot be reached" in n.payload["text"] for n in world.notices(world.ines))


def test_the_ladder_climbs_all_the_same(world: World) -> None:
    lose(world, world.maria)
    problem = world.frown()
    world.advance(hours=4)
    assert world.duty(problem).accountable == world.ines


def test_a_refused_mail_hands_its_notice_on_and_the_next_frown_needs_no_try(world: World) -> None:
    world.email.will(NOBODY)
    problem = world.frown()
    world.tick()
    (mail,) = world.inbox(world.petra, "duty.notice")
    assert "Maria Schulz was not reached, so this comes to you." in mail.payload["text"]
    assert "Mail to maria@example.com failed: RCPT TO: 550 5.1.1 nobody here" in mail.payload["text"]
    assert [e.data["to"] for e in events(problem, Verb.NOTICE_PASSED_ON)] == ["Petra Lang"]
    world.frown("The scanner, too", worker=world.joao)
    world.tick()
    assert not world.inbox(world.maria)
    assert len(world.inbox(world.petra, "duty.notice")) == 2


def test_the_last_way_that_is_lost_hands_the_notice_on(world: World) -> None:
    lose(world, world.maria)
    chat = add_contact_method(
        user=world.maria,
        channel=ContactChannel.CHAT,
        target="chat://secret",
        shown="chat://…",
        label="",
        now=world.now,
    )
    ContactMethod.objects.filter(pk=chat.pk).update(verified_at=world.now)
    world.frown("It reaches her by chat")
    world.tick()
    assert not world.inbox(world.petra)
    world.chat.will(GONE)
    world.frown("The chat is gone", worker=world.joao)
    world.tick()
    assert len(world.inbox(world.petra, "duty.notice")) == 1


def test_good_news_wait_on_the_console_and_bother_nobody(world: World) -> None:
    problem = world.frown()
    world.tick()
    before = len(world.inbox(world.petra))
    lose(world, world.maria)
    news = News(reason=Reason.CONFIRMED, key="k")
    with transaction.atomic():
        told = tell_users(problem, users=[world.maria], duty=None, news=news, now=world.now)
    world.tick()
    assert told == [world.maria]
    assert len(world.inbox(world.petra)) == before


def test_another_address_or_a_mail_that_was_taken_brings_e_mail_back(world: World) -> None:
    lose(world, world.maria)
    world.maria.email = "maria.schulz@example.com"
    world.maria.save(update_fields=["email"])
    world.frown()
    world.tick()
    assert len(world.inbox(world.maria)) == 1
    assert not world.inbox(world.petra)


def test_quiet_hours_of_ones_own_hold_back_the_ringing_but_not_the_loop(world: World) -> None:
    early = {day: [["08:00", "12:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    set_quiet_hours(user_id=world.maria.pk, week=early, zone="", now=world.now)
    world.advance_to(datetime(2026, 3, 6, 12, 30, tzinfo=UTC))  # 13:30 in Berlin, at work
    problem = world.frown()
    world.tick()
    assert [n.kind for n in world.notices(world.maria)] == ["duty.notice"]
    assert not world.inbox(world.maria)
    # The ladder goes by working hours: the rung after 15 minutes comes although her telephone is still.
    world.advance(minutes=15)
    assert world.duty(problem).rung == 1
    world.advance_to(datetime(2026, 3, 9, 7, 0, tzinfo=UTC) - timedelta(seconds=1))
    assert not world.inbox(world.maria)
    world.advance(seconds=1)  # Monday, 08:00 in Berlin
    assert world.inbox(world.maria)


def test_work_stopped_breaks_through_quiet_hours(world: World) -> None:
    early = {day: [["08:00", "12:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}
    set_quiet_hours(user_id=world.maria.pk, week=early, zone="", now=world.now)
    world.advance_to(datetime(2026, 3, 6, 12, 30, tzinfo=UTC))
    world.frown(severity=Severity.STOPPED)
    world.tick()
    assert len(world.inbox(world.maria)) == 1


@pytest.mark.parametrize(("count", "kind"), [(1, "duty.notices"), (3, "duty.picture")])
def test_a_mail_that_stood_for_several_notices_hands_each_of_them_on(
    world: World, count: int, kind: str
) -> None:
    world.frown("The first goes alone")
    world.tick()
    others = [
        Worker.objects.create(
            site=world.kyiv, name=f"Worker {n}", email=f"w{n}@lindgren.example", joined_at=world.now
        )
        for n in range(count)
    ]
    together = [world.frown("They come together", worker=worker) for worker in (world.joao, *others)]
    world.email.will(*[NOBODY] * (1 if kind == "duty.notices" else 2))
    world.tick()
    assert Message.objects.filter(kind=kind, state="failed").exists()
    to = [e.data["to"] for problem in together for e in events(problem, Verb.NOTICE_PASSED_ON)]
    assert to == ["Petra Lang"] * len(together)
    told = "".join(mail.payload["text"] for mail in world.inbox(world.petra))
    assert all(problem.worker.name in told for problem in together)


def test_a_relay_that_refuses_everything_sends_no_notice_round_in_circles(world: World) -> None:
    problem = world.frown()
    world.email.will(*[Sent(result=Result.PERMANENT, detail="554 5.7.1 blocked by policy")] * 60)
    world.tick()
    passed_on = [(e.data["from"], e.data["to"]) for e in events(problem, Verb.NOTICE_PASSED_ON)]
    assert len(passed_on) == len(set(passed_on)) <= 6
    lost = [one for one, _ in passed_on]
    assert len(lost) == len(set(lost)), "nobody is asked twice"
