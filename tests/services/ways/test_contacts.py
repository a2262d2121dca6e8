"""Ways to reach a user: entered, verified by a code that came through them, tested, switched, forgotten."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from sentinel.channels import registry
from sentinel.channels.base import Sent
from sentinel.channels.opening import opened
from sentinel.engine.passes import dispatch
from sentinel.kernel.errors import NotFound
from sentinel.outbox.rules import Result
from sentinel.outbox.selectors import messages_to
from sentinel.outbox.services import Claimed
from sentinel.people.contacts import (
    CODE_LIVES,
    CODE_TRIES,
    CODES_PER_METHOD,
    MOST_METHODS,
    prefer_contact_method,
    remove_contact_method,
    switch_contact_method,
    verify_contact_method,
)
from sentinel.people.errors import ContactRefused
from sentinel.people.models import ContactCode, ContactMethod
from sentinel.people.rules import ContactChannel
from sentinel.people.sealing import open_target
from sentinel.timeline.models import Event
from sentinel.workflows.ways import add_way, last_tests, send_code, send_test
from tests.fakes.sender import FakeSender
from tests.services.ways.conftest import TARGET
from tests.world import World


def opener(sealed: str) -> str:
    return open_target(sealed, channel="chat")


def delivered(world: World, answer: Sent | None = None) -> list[Claimed]:
    """Let the engine send what is due; what the chat service got."""
    fake = FakeSender(channel="chat")
    if answer is not None:
        fake.will(answer)
    with registry.using({"chat": fake, "console": world.console, "email": world.email}):
        dispatch.run(world.now)
    return fake.sent


def code_in(message: Claimed) -> str:
    return next(word for word in opened(message, opener).text.split() if word.isdigit() and len(word) == 6)


def verified(world: World, chat: ContactMethod) -> ContactMethod:
    (message,) = delivered(world)
    return verify_contact_method(method_id=chat.pk, user=world.maria, code=code_in(message), now=world.now)


def test_the_code_comes_through_the_way_itself_and_verifies_it(world: World, chat: ContactMethod) -> None:
    assert not chat.is_usable
    (message,) = delivered(world)
    assert opened(message, opener).target == TARGET
    code = code_in(message)
    spaced = f" {code[:3]} {code[3:]} "
    method = verify_contact_method(method_id=chat.pk, user=world.maria, code=spaced, now=world.now)
    assert method.is_usable
    assert not ContactCode.objects.exists()
    verbs = Event.objects.filter(user_id=world.maria.pk).values_list("verb", flat=True)
    assert {"contact.added", "contact.verified"} <= set(verbs)


def test_neither_target_nor_code_rests_readable(world: World, chat: ContactMethod) -> None:
    (message,) = delivered(world)
    rows = [
        *ContactMethod.objects.values("address", "sealed", "fingerprint", "label"),
        *ContactCode.objects.values("digest"),
        *Event.objects.values("data"),
        *(row.payload for row in messages_to(recipient_kind="user", recipient_id=world.maria.pk)),
    ]
    everything = json.dumps(rows, default=str)
    assert "hush" not in everything
    assert code_in(message) not in everything


def test_wrong_codes_are_counted_and_then_even_the_right_one_is_refused(
    world: World, chat: ContactMethod
) -> None:
    (message,) = delivered(world)
    code = code_in(message)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(CODE_TRIES):
        with pytest.raises(ContactRefused, match="not the code"):
            verify_contact_method(method_id=chat.pk, user=world.maria, code=wrong, now=world.now)
    with pytest.raises(ContactRefused, match="Too many"):
        verify_contact_method(method_id=chat.pk, user=world.maria, code=code, now=world.now)


def test_a_code_expires_and_a_new_one_voids_it(world: World, chat: ContactMethod) -> None:
    (first,) = delivered(world)
    later = world.now + CODE_LIVES
    with pytest.raises(ContactRefused, match="too old"):
        verify_contact_method(method_id=chat.pk, user=world.maria, code=code_in(first), now=later)
    for _ in range(CODES_PER_METHOD - 1):
        send_code(method_id=chat.pk, user=world.maria, now=world.now)
    with pytest.raises(ContactRefused, match="Too many codes"):
        send_code(method_id=chat.pk, user=world.maria, now=world.now)
    # All were due at the same instant, and nothing says which of those goes first.
    last = max(delivered(world), key=lambda message: message.id)
    if code_in(last) != code_in(first):
        with pytest.raises(ContactRefused, match="not the code"):
            verify_contact_method(method_id=chat.pk, user=world.maria, code=code_in(first), now=world.now)
    assert verify_contact_method(
        method_id=chat.pk, user=world.maria, code=code_in(last), now=world.now
    ).is_usable


def test_a_test_travels_through_the_outbox_and_shows_what_became_of_it(
    world: World, chat: ContactMethod
) -> None:
    with pytest.raises(ContactRefused, match="code first"):
        send_test(method_id=chat.pk, user=world.maria, now=world.now)
    verified(world, chat)
    send_test(method_id=chat.pk, user=world.maria, now=world.now)
    with pytest.raises(ContactRefused, match="just been sent"):
        send_test(method_id=chat.pk, user=world.maria, now=world.now)
    delivered(world, Sent(result=Result.PERMANENT, detail="tgram answered 403"))
    test = last_tests(world.maria)[chat.pk]
    assert (test.state, test.last_error) == ("failed", "tgram answered 403")
    # Nobody else is bothered with a test that failed.
    assert not messages_to(recipient_kind="user", recipient_id=world.ada.pk)


def test_a_test_by_mail_needs_no_code(world: World) -> None:
    send_test(method_id=None, user=world.maria, now=world.now)
    delivered(world)
    assert last_tests(world.maria)[None].state == "accepted"
    assert world.email.sent[-1].address == world.maria.email


def test_a_way_that_is_gone_is_switched_off_with_the_reason(world: World, chat: ContactMethod) -> None:
    verified(world, chat)
    send_test(method_id=chat.pk, user=world.maria, now=world.now)
    delivered(world, Sent(result=Result.PERMANENT, detail="tgram answered 404", address_refused=True))
    chat.refresh_from_db()
    assert (chat.is_enabled, chat.off_because) == (False, "tgram answered 404")
    assert Event.objects.filter(verb="contact.switched", actor_kind="engine").count() == 1
    again = switch_contact_method(method_id=chat.pk, user=world.maria, is_enabled=True, now=world.now)
    assert (again.is_usable, again.off_because) == (True, "")


def test_nobody_touches_the_way_of_another(world: World, chat: ContactMethod) -> None:
    for act in (
        lambda: send_code(method_id=chat.pk, user=world.ada, now=world.now),
        lambda: send_test(method_id=chat.pk, user=world.ada, now=world.now),
        lambda: verify_contact_method(method_id=chat.pk, user=world.ada, code="1", now=world.now),
        lambda: remove_contact_method(method_id=chat.pk, user=world.ada, now=world.now),
        lambda: prefer_contact_method(method_id=chat.pk, user=world.ada),
    ):
        with pytest.raises(NotFound):
            act()


def test_the_same_way_twice_and_too_many_are_refused(world: World, chat: ContactMethod) -> None:
    def add(target: str) -> ContactMethod:
        return add_way(
            user=world.maria,
            channel=ContactChannel.CHAT,
            target=target,
            shown="tgram://…",
            label="",
            now=world.now + timedelta(seconds=1),
        )

    with pytest.raises(ContactRefused, match="already"):
        add(TARGET)
    for number in range(MOST_METHODS - 1):
        add(f"{TARGET}{number}")
    with pytest.raises(ContactRefused, match="enough"):
        add(f"{TARGET}x")
    last = ContactMethod.objects.filter(user=world.maria).last()
    assert last is not None
    prefer_contact_method(method_id=last.pk, user=world.maria)
    assert ContactMethod.objects.filter(user=world.maria).first() == last
    remove_contact_method(method_id=last.pk, user=world.maria, now=world.now)
    assert not ContactMethod.objects.filter(pk=last.pk).exists()
