"""One event, one notice per person: on the best way at once, on the next one only when it is needed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sentinel.channels.base import Sent
from sentinel.outbox.rules import Result
from sentinel.outbox.selectors import MessageView, messages_about_problem
from sentinel.outbox.services import mark_read
from sentinel.people.contacts import add_contact_method, prefer_contact_method
from sentinel.people.models import ContactMethod
from sentinel.people.rules import ContactChannel
from sentinel.problems.models import Problem
from sentinel.workflows.acknowledge import acknowledge
from tests.world import World

DOWN = Sent(result=Result.TRANSIENT, detail="the service answered 503")
GONE = Sent(result=Result.PERMANENT, detail="the service answered 410", address_refused=True)


def a_way(world: World, channel: ContactChannel) -> ContactMethod:
    method = add_contact_method(
        user=world.maria,
        channel=channel,
        target=f"{channel.value}://secret",
        shown=f"{channel.value}://…",
        label="",
        now=world.now,
    )
    method.verified_at = world.now
    method.save(update_fields=["verified_at"])
    return method


@pytest.fixture
def push(world: World) -> ContactMethod:
    return a_way(world, ContactChannel.PUSH)


@pytest.fixture
def chat(world: World) -> ContactMethod:
    return a_way(world, ContactChannel.CHAT)


def first_notice(world: World, problem: Problem) -> dict[str, MessageView]:
    """Maria's notice of the frown, by channel."""
    rows = [
        m
        for m in messages_about_problem(problem.pk)
        if (m.recipient_kind, m.recipient_id) == ("user", world.maria.pk) and m.kind == "duty.notice"
    ]
    found: dict[str, MessageView] = {}
    for row in rows:
        found.setdefault(row.channel, row)
    return found


def states(world: World, problem: Problem) -> dict[str, str]:
    return {channel: row.state for channel, row in first_notice(world, problem).items()}


def test_the_best_way_rings_at_once_and_the_others_wait(
    world: World, push: ContactMethod, chat: ContactMethod
) -> None:
    problem = world.frown()
    world.tick()
    assert states(world, problem) == {
        "console": "accepted",
        "push": "accepted",
        "chat": "pending",
        "email": "pending",
    }
    assert problem.words in world.push.sent[0].payload["text"]
    assert "secret" not in str(world.push.sent[0])


def test_an_unread_alarm_goes_on_after_a_minute_and_by_mail_after_another(
    world: World, push: ContactMethod, chat: ContactMethod
) -> None:
    problem = world.frown()
    world.tick()
    world.advance(seconds=59)
    assert (len(world.push.sent), len(world.chat.sent)) == (1, 0)
    world.advance(seconds=1)
    assert (len(world.push.sent), len(world.chat.sent)) == (1, 1)
    assert states(world, problem)["email"] == "pending"
    world.advance(seconds=60)
    assert states(world, problem)["email"] == "accepted"
    assert len(world.push.sent) == len(world.chat.sent) == 1


def test_a_notice_that_was_read_goes_no_further(
    world: World, push: ContactMethod, chat: ContactMethod
) -> None:
    problem = world.frown()
    world.tick()
    on_console = first_notice(world, problem)["console"]
    mark_read(user_id=world.maria.pk, now=world.now, message_ids=[on_console.id])
    world.advance(minutes=5)
    assert states(world, problem)["chat"] == states(world, problem)["email"] == "cancelled"


def test_whoever_acts_has_read_it(world: World, push: ContactMethod) -> None:
    problem = world.frown()
    world.tick()
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    world.advance(minutes=5)
    assert states(world, problem)["email"] == "cancelled"


def test_a_way_that_failed_twice_lets_the_next_one_go_at_once(
    world: World, push: ContactMethod, chat: ContactMethod
) -> None:
    world.push.will(DOWN, DOWN, DOWN)
    problem = world.frown()
    world.advance(seconds=4)
    assert len(world.chat.sent) == 0
    world.advance(seconds=3)
    assert len(world.chat.sent) == 1
    assert states(world, problem)["push"] == "pending"


def test_a_way_that_is_gone_is_switched_off_and_the_next_one_goes_in_the_same_second(
    world: World, push: ContactMethod, chat: ContactMethod
) -> None:
    world.push.will(GONE)
    problem = world.frown()
    world.tick()
    assert states(world, problem)["push"] == "failed"
    assert len(world.chat.sent) == 1
    push.refresh_from_db()
    assert not push.is_enabled
    # The person is told another way already: nobody else needs to hear of it.
    told = [m for m in world.notices(world.petra) if m.kind == "message.failed"]
    assert told == []
    world.advance(hours=3)
    assert len(world.push.sent) == 1


def test_mail_stays_the_last_way_of_everybody(world: World, push: ContactMethod, chat: ContactMethod) -> None:
    world.push.will(GONE)
    world.chat.will(GONE)
    problem = world.frown()
    world.tick()
    assert states(world, problem)["email"] == "accepted"


def test_the_user_says_which_way_is_first(world: World, push: ContactMethod, chat: ContactMethod) -> None:
    prefer_contact_method(method_id=chat.pk, user=world.maria)
    world.frown()
    world.tick()
    assert (len(world.chat.sent), len(world.push.sent)) == (1, 0)


def test_a_way_that_is_not_verified_or_off_carries_nothing(
    world: World, push: ContactMethod, chat: ContactMethod
) -> None:
    ContactMethod.objects.filter(pk=push.pk).update(verified_at=None)
    ContactMethod.objects.filter(pk=chat.pk).update(is_enabled=False)
    problem = world.frown()
    world.tick()
    assert states(world, problem) == {"console": "accepted", "email": "accepted"}


def test_ways_keep_quiet_hours_like_mail(world: World, push: ContactMethod) -> None:
    world.advance_to(world.now.replace(hour=20))
    problem = world.frown()
    world.tick()
    assert states(world, problem) == {"console": "accepted", "push": "pending", "email": "pending"}
    rows = first_notice(world, problem)
    assert rows["email"].visible_at - rows["push"].visible_at == timedelta(seconds=60)


def test_a_frown_at_night_says_when_to_call(world: World) -> None:
    world.advance_to(datetime(2026, 3, 10, 3, 0, tzinfo=UTC))
    world.frown("The toner is empty", worker=world.joao)
    world.tick()
    assert world.notices(world.maria)[-1].payload["title"].startswith("Call João Reis at 09:00 (Lisbon): ")
    world.advance_to(datetime(2026, 3, 10, 10, 0, tzinfo=UTC))
    world.frown("The toner is empty", worker=world.joao)
    world.tick()
    assert world.notices(world.maria)[-1].payload["title"].startswith("Call João Reis now: ")
