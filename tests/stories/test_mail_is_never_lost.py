"""Doubles act once, a crash leaves a mail whole, a poisoned one waits for a person, who settles it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from pytest_django.fixtures import Settings

from sentinel.engine.passes import read_mail
from sentinel.inbound.errors import MailSettled, MailUnknown
from sentinel.inbound.models import Attachment, IncomingMail
from sentinel.inbound.states import IncomingState, Outcome
from sentinel.kernel.errors import NotAllowed, Refused
from sentinel.outbox.selectors import messages_about_problem, messages_to
from sentinel.problems.models import Problem
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from sentinel.workflows import receive_mail as receiving
from sentinel.workflows.mail_access import count_waiting_for_person, incoming_visible_to
from sentinel.workflows.mail_thread import find_thread
from sentinel.workflows.settle_mail import settle_mail
from tests.stories.acts import events
from tests.stories.mail import DOMAIN, bounce_box, deliver, drop, later, read, reply, reply_box, written
from tests.world import World

WORDS = "The printer on floor 2 eats every page"


@pytest.fixture(autouse=True)
def _with_a_mailbox(settings: Settings) -> None:
    settings.INBOUND_DOMAIN = DOMAIN


def frown_mail(world: World) -> IncomingMail:
    """Olena's frown, kept and not read yet."""
    to = reply_box(world, deliver(world))
    return drop(
        world, written(world, WORDS, to=to, sender=world.olena.email), to=to, sender=world.olena.email
    )


def unplaced(world: World, text: str = WORDS) -> IncomingMail:
    """A mail from nobody we know, after the engine has looked at it."""
    to = f"postmaster@{DOMAIN}"
    raw = written(world, text, to=to, sender="olena.private@mail.example")
    return read(world, drop(world, raw, to=to, sender="olena.private@mail.example"))


# -- doubles ----------------------------------------------------------------------------------------


def test_the_same_mail_given_twice_is_one_mail(world: World) -> None:
    to = reply_box(world, deliver(world))
    raw = written(world, WORDS, to=to, sender=world.olena.email)
    first = drop(world, raw, to=to, sender=world.olena.email)
    second = drop(world, raw, to=to, sender=world.olena.email, source="imap")
    world.tick()
    assert first.pk == second.pk
    assert Problem.objects.count() == 1


def test_the_same_mail_through_two_doors_acts_once(world: World) -> None:
    delivery = deliver(world)
    to, other = reply_box(world, delivery), bounce_box(world, delivery)
    raw = written(world, WORDS, to=f"{to}, {other}", sender=world.olena.email)
    first = drop(world, raw, to=to, sender=world.olena.email)
    second = drop(world, b"Received: by another door\r\n" + raw, to=other, sender=world.olena.email)
    world.tick()
    outcomes = sorted(IncomingMail.objects.values_list("outcome", flat=True))
    assert first.pk != second.pk
    assert outcomes == [Outcome.PROBLEM_OPENED.value, Outcome.TWICE.value]
    assert Problem.objects.count() == 1
    assert not events(Problem.objects.get(), Verb.WORKER_WROTE)


def test_other_words_under_the_same_message_id_are_another_mail(world: World) -> None:
    delivery = deliver(world)
    reply(world, delivery, WORDS, Message_ID="<same@client.example>")
    reply(world, delivery, "And the scanner is broken", Message_ID="<same@client.example>")
    problem = Problem.objects.get()
    assert [e.data["words"] for e in events(problem, Verb.WORKER_WROTE)] == ["And the scanner is broken"]


# -- one transaction --------------------------------------------------------------------------------


def fail_at(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """Let the last step of handling a mail fail, when everything else is written."""

    def broken(**_: Any) -> None:
        raise error

    monkeypatch.setattr(receiving, "settle_reading", broken)


def test_a_crash_in_the_middle_leaves_the_mail_waiting_and_whole(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail = frown_mail(world)
    with monkeypatch.context() as patch:
        fail_at(patch, OperationalError("server closed the connection unexpectedly"))
        with pytest.raises(OperationalError):
            read_mail.run(world.now)
    left = IncomingMail.objects.get(pk=mail.pk)
    assert (left.state, left.attempts, left.words) == (IncomingState.WAITING.value, 0, "")
    assert not Problem.objects.exists()
    assert not messages_to(recipient_kind="user", recipient_id=world.maria.pk)
    assert read(world, mail).outcome == Outcome.PROBLEM_OPENED.value


def test_a_poisoned_mail_is_tried_three_times_and_holds_up_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned = frown_mail(world)
    real = find_thread

    def poison(reading: Any, **others: Any) -> Any:
        if reading.words == WORDS:
            raise ZeroDivisionError("a mistake of ours")
        return real(reading, **others)

    monkeypatch.setattr(receiving, "find_thread", poison)
    healthy = reply(world, deliver(world), "The scanner is broken")
    assert healthy.outcome == Outcome.PROBLEM_OPENED.value
    tries = [IncomingMail.objects.get(pk=poisoned.pk).attempts]
    for pause in (31, 301):
        later(world, seconds=pause)
        tries.append(read(world, poisoned).attempts)
    assert tries == [1, 2, 3]
    left = IncomingMail.objects.get(pk=poisoned.pk)
    assert (left.state, left.outcome) == (IncomingState.PERSON.value, Outcome.FAILED.value)
    assert "a mistake of ours" in left.last_error
    assert bytes(left.raw)
    assert any("cannot be handled" in n.payload["title"] for n in world.notices(world.ada))


def test_a_mail_that_failed_once_is_handled_whole_the_next_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = reply_box(world, deliver(world))
    raw = written(world, WORDS, to=to, sender=world.olena.email, files=(("a.txt", "text/plain", b"hello"),))
    mail = drop(world, raw, to=to, sender=world.olena.email)
    with monkeypatch.context() as patch:
        fail_at(patch, RuntimeError("once"))
        world.tick()
    later(world, seconds=31)
    assert read(world, mail).outcome == Outcome.PROBLEM_OPENED.value
    assert Attachment.objects.count() == 1


def test_what_is_refused_waits_for_a_person_with_the_reason(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> None:
        raise Refused("not_now", "That is not possible.")

    monkeypatch.setattr("sentinel.workflows.mail_from_worker.record_response", refuse)
    mail = read(world, frown_mail(world))
    assert (mail.state, mail.outcome) == (IncomingState.PERSON.value, Outcome.REFUSED.value)
    assert mail.outcome_note == "That is not possible."
    assert mail.words == WORDS


# -- who sees it, and who settles it ----------------------------------------------------------------


def test_owners_see_their_workers_mail_and_only_administrators_what_nobody_could_place(world: World) -> None:
    placed = read(world, frown_mail(world))
    nowhere = unplaced(world)

    def seen(user: Any) -> set[int]:
        return set(incoming_visible_to(user, world.now).values_list("pk", flat=True))

    assert seen(world.maria) == {placed.pk}
    assert seen(world.otto) == set()
    assert seen(world.ada) == {placed.pk, nowhere.pk}
    assert count_waiting_for_person(world.ada, world.now) == 1
    assert count_waiting_for_person(world.maria, world.now) == 0


def test_a_person_gives_a_mail_to_a_problem(world: World) -> None:
    problem = world.frown()
    mail = unplaced(world, "It smells of ozone, too")
    settle_mail(incoming_id=mail.pk, user=world.ada, problem_id=problem.pk, now=world.now)
    found = IncomingMail.objects.get(pk=mail.pk)
    assert (found.state, found.outcome) == (IncomingState.DONE.value, Outcome.ATTACHED.value)
    assert (found.problem_id, found.worker_id) == (problem.pk, world.olena.pk)
    wrote = events(problem, Verb.WORKER_WROTE)[0]
    assert wrote.data["words"] == "It smells of ozone, too"
    assert wrote.actor_name == "Ada Admin"
    assert len(events(problem, Verb.MAIL_SETTLED)) == 1
    assert any("ozone" in str(m.payload) for m in messages_about_problem(problem.pk))


def test_a_person_opens_a_problem_from_a_mail(world: World) -> None:
    mail = unplaced(world)
    problem = settle_mail(incoming_id=mail.pk, user=world.ada, worker_id=world.olena.pk, now=world.now)
    assert problem is not None
    assert problem.words == WORDS
    assert world.duty(problem).due_at > world.now
    assert IncomingMail.objects.get(pk=mail.pk).outcome == Outcome.OPENED_BY_PERSON.value


def test_a_person_says_what_was_done_instead(world: World) -> None:
    mail = unplaced(world, "Buy our toner!")
    with pytest.raises(Refused):
        settle_mail(incoming_id=mail.pk, user=world.ada, now=world.now)
    settle_mail(incoming_id=mail.pk, user=world.ada, note="An advertisement.", now=world.now)
    found = IncomingMail.objects.get(pk=mail.pk)
    assert (found.outcome, found.outcome_note, found.settled_by_id) == (
        Outcome.ANSWERED_OTHERWISE.value,
        "An advertisement.",
        world.ada.pk,
    )
    assert Event.objects.get(verb=Verb.MAIL_SETTLED.value).data["note"] == "An advertisement."
    with pytest.raises(MailSettled):
        settle_mail(incoming_id=mail.pk, user=world.ada, note="Again.", now=world.now)


def test_nobody_settles_what_they_may_not_see(world: World) -> None:
    mail = unplaced(world)
    with pytest.raises(MailUnknown):
        settle_mail(incoming_id=mail.pk, user=world.maria, note="Mine?", now=world.now)


def test_who_only_reads_settles_nothing(world: World) -> None:
    mail = read(world, empty_reply(world))
    assert mail.state == IncomingState.PERSON.value
    with pytest.raises(NotAllowed):
        settle_mail(incoming_id=mail.pk, user=world.alan, note="Looks fine.", now=world.now)


def empty_reply(world: World) -> IncomingMail:
    """A reply of Olena's in which nothing new is written."""
    to = reply_box(world, deliver(world))
    return drop(world, written(world, "", to=to, sender=world.olena.email), to=to, sender=world.olena.email)


def test_an_empty_reply_reaches_the_owner(world: World) -> None:
    mail = read(world, empty_reply(world))
    assert (mail.outcome, mail.account_id) == (Outcome.EMPTY.value, world.account.pk)
    assert any("no new words" in n.payload["title"] for n in world.notices(world.maria))


def test_the_frown_is_in_the_owners_outbox_within_the_same_second(world: World) -> None:
    mail = read(world, frown_mail(world))
    told = [m for m in messages_about_problem(mail.problem_id or 0) if m.recipient_id == world.maria.pk]
    assert all(m.created_at - mail.received_at < timedelta(seconds=1) for m in told)
    assert told
