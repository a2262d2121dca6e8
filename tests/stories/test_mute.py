"""Notices are muted for a test: they wait, visibly, and none is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sentinel.accounts.models import Worker
from sentinel.kernel.errors import Conflict, NotAllowed, Refused
from sentinel.outbox.mutes import current_mute
from sentinel.outbox.waiting import put_off
from sentinel.people.contacts import add_contact_method
from sentinel.people.rules import ContactChannel
from sentinel.timeline.models import Event
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.mute_notices import mute_notices, unmute_notices
from tests.world import World


def mute(world: World, *, minutes: float = 30, with_workers: bool = False) -> None:
    mute_notices(
        user=world.ada,
        length=timedelta(minutes=minutes),
        reason="a drill",
        with_workers=with_workers,
        now=world.now,
    )


def two_frowns(world: World) -> None:
    world.frown("first")
    world.frown("second", worker=world.joao)


def sent_to_maria(world: World) -> list[str]:
    return [
        m.kind for m in world.email.sent if (m.recipient_kind, m.recipient_id) == ("user", world.maria.pk)
    ]


def test_nothing_goes_out_while_the_loop_and_the_console_go_on(world: World) -> None:
    mute(world, minutes=90)
    two_frowns(world)
    world.advance(minutes=70)
    assert [m.recipient_kind for m in world.email.sent] == ["worker", "worker"]  # their receipts
    assert len(world.notices(world.maria)) >= 4  # the frowns, and that they are late
    assert world.notices(world.petra)  # the ladder climbed to her
    waiting = [one for one in put_off(user_id=world.maria.pk) if one.channel == "email"]
    assert [(one.why, one.count >= 4) for one in waiting] == [("mute", True)]


def test_after_the_mute_each_person_gets_one_message_with_everything(world: World) -> None:
    mute(world)
    two_frowns(world)
    world.advance(minutes=31)
    assert sent_to_maria(world) == ["duty.notices"]
    merged = next(m for m in world.email.sent if m.kind == "duty.notices")
    assert "a drill" in merged.payload["text"]
    assert "first" in merged.payload["text"]
    assert "second" in merged.payload["text"]
    assert not put_off()
    assert list(Event.objects.filter(verb__startswith="notices.").values_list("verb", flat=True)) == [
        "notices.muted",
        "notices.unmuted",
    ]


def test_ways_keep_their_distance_after_the_mute(world: World) -> None:
    method = add_contact_method(
        user=world.maria,
        channel=ContactChannel.PUSH,
        target="push://secret",
        shown="push://…",
        label="",
        now=world.now,
    )
    method.verified_at = world.now
    method.save(update_fields=["verified_at"])
    mute(world)
    two_frowns(world)
    end = current_mute(world.now)
    assert end is not None
    world.advance_to(end.until)
    assert (len(world.push.sent), sent_to_maria(world)) == (1, [])
    world.advance(seconds=61)
    assert (len(world.push.sent), sent_to_maria(world)) == (1, ["duty.notices"])


def test_whoever_acted_during_the_mute_is_not_told_again(world: World) -> None:
    mute(world)
    problem = world.frown("first")
    world.tick()
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    world.advance(minutes=31)
    assert sent_to_maria(world) == []


def test_an_administrator_ends_it_early(world: World) -> None:
    mute(world)
    world.frown("first")
    world.advance(minutes=1)
    assert unmute_notices(user=world.ada, now=world.now) == 1
    world.tick()
    assert sent_to_maria(world) == ["duty.notice"]
    with pytest.raises(Conflict):
        unmute_notices(user=world.ada, now=world.now)


def test_workers_hear_from_us_all_the_same_unless_they_are_muted_too(world: World) -> None:
    mute(world, with_workers=True)
    Worker.objects.filter(pk=world.olena.pk).update(telephone="")
    world.frown("first")
    world.advance(minutes=5)
    assert not world.email.sent
    world.advance(minutes=26)
    assert {m.recipient_kind for m in world.email.sent} == {"worker", "user"}


def test_it_is_short_has_a_reason_and_is_for_administrators(world: World) -> None:
    with pytest.raises(Refused, match="four hours"):
        mute(world, minutes=241)
    with pytest.raises(Refused, match="Say why"):
        mute_notices(user=world.ada, length=timedelta(minutes=5), reason=" ", now=world.now)
    with pytest.raises(NotAllowed):
        mute_notices(user=world.petra, length=timedelta(minutes=5), reason="x", now=world.now)
    mute(world)
    with pytest.raises(Conflict):
        mute(world)
