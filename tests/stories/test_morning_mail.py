"""One mail each working morning: what is owed, what waits, what is new; once, and never an empty one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sentinel.checkins.rules import Face, ResponseKind
from sentinel.outbox.digests import set_digest_wish
from sentinel.outbox.services import Claimed
from sentinel.people.models import User
from sentinel.people.services import set_absence
from sentinel.problems.rules import CallOutcome
from sentinel.workflows.log_call import log_call
from sentinel.workflows.make_commitment import make_commitment
from tests.stories.acts import bring_to_proposal
from tests.world import World

MONDAY_NINE = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)  # 09:00 in Berlin


def wants(world: World, user: User, *, only: bool = False) -> None:
    set_digest_wish(user_id=user.pk, wanted=True, only_digest=only, now=world.now)


def mornings(world: World, user: User) -> list[Claimed]:
    return [m for m in world.email.sent if m.kind == "digest.morning" and m.recipient_id == user.pk]


def test_it_says_what_is_owed_what_waits_and_what_is_new(world: World) -> None:
    wants(world, world.maria)
    proposed = world.frown("The feeder jams")
    bring_to_proposal(world, proposed)
    late = world.frown("No toner", worker=world.joao)
    log_call(problem_id=late.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    make_commitment(problem_id=late.pk, user=world.maria, due_on=MONDAY_NINE.date(), now=world.now)
    world.sleep_until(MONDAY_NINE - timedelta(seconds=1))
    world.tick()
    assert not mornings(world, world.maria)
    world.advance(seconds=1)
    (mail,) = mornings(world, world.maria)
    assert mail.payload["subject"].startswith("Your morning: ")
    text = mail.payload["text"]
    assert "solve it: João Reis (Lindgren Logistics, Lisbon), “No toner”" in text
    assert "Olena Kovalenko (Lindgren Logistics, Kyiv), “The feeder jams”" in text.partition("not said so")[2]
    assert f"/problems/{late.pk}/" in text
    world.advance(hours=5)
    assert len(mornings(world, world.maria)) == 1


def test_nobody_gets_it_unasked_and_no_mail_says_nothing(world: World) -> None:
    wants(world, world.tom)
    world.advance_to(MONDAY_NINE + timedelta(hours=1))
    assert not [m for m in world.email.sent if m.kind == "digest.morning"]


def test_an_engine_that_was_down_in_the_morning_sends_it_later_that_day(world: World) -> None:
    wants(world, world.maria)
    world.frown("No toner")
    world.sleep_until(MONDAY_NINE + timedelta(hours=3))
    world.tick()
    assert len(mornings(world, world.maria)) == 1


def test_whoever_is_away_gets_none(world: World) -> None:
    wants(world, world.maria)
    world.frown("No toner")
    set_absence(
        user_id=world.maria.pk,
        starts_at=world.now + timedelta(hours=1),
        ends_at=world.now + timedelta(days=10),
        deputy_id=None,
        reason="",
        actor=world.maria,
        now=world.now,
    )
    world.sleep_until(MONDAY_NINE + timedelta(hours=1))
    world.tick()
    assert not mornings(world, world.maria)


def test_whoever_has_left_gets_none(world: World) -> None:
    wants(world, world.maria)
    world.frown("No toner")
    User.objects.filter(pk=world.maria.pk).update(is_active=False)
    world.sleep_until(MONDAY_NINE + timedelta(hours=1))
    world.tick()
    assert not mornings(world, world.maria)


@pytest.mark.parametrize("only", [True, False])
def test_news_comes_in_it_alone_for_whoever_wants_that_and_an_alarm_at_once(world: World, only: bool) -> None:
    wants(world, world.maria, only=only)
    world.answer(Face.HAPPY, "The courier is friendly", worker=world.joao, kind=ResponseKind.PRAISE)
    world.frown("No toner")
    world.tick()
    kinds = [
        m.kind for m in world.email.sent if m.recipient_id == world.maria.pk and m.recipient_kind == "user"
    ]
    assert ("problem.news" in kinds) is not only
    assert "duty.notice" in kinds
    assert "problem.news" in [notice.kind for notice in world.notices(world.maria)]
    world.sleep_until(MONDAY_NINE)
    world.tick()
    assert "has praise for you" in mornings(world, world.maria)[0].payload["text"]


@pytest.mark.parametrize("language", ["de", "fr", "es", "ja"])
def test_it_speaks_the_language_of_its_reader(world: World, language: str) -> None:
    User.objects.filter(pk=world.maria.pk).update(language=language)
    wants(world, world.maria)
    world.frown("No toner")
    world.sleep_until(MONDAY_NINE)
    world.tick()
    (mail,) = mornings(world, world.maria)
    assert "Your morning" not in mail.payload["subject"]
    assert mail.payload["language"] == language
