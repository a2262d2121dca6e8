"""What one mail must not reach: others' links, later questions, colleagues' names, everybody's attention."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from psycopg.errors import DeadlockDetected, OutOfMemory
from pytest_django.fixtures import Settings

from sentinel.accounts.services.reachability import mark_away
from sentinel.checkins.models import PleaseCheck
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.states import IncomingState, Outcome
from sentinel.outbox.selectors import MessageView, messages_about_problem, messages_to
from sentinel.problems.models import Problem
from sentinel.problems.rules import CallOutcome, ProblemState
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from sentinel.workflows import mail_from_worker, mail_thread, receive_mail
from sentinel.workflows.log_call import log_call
from tests.stories.acts import bring_to_proposal, events, propose_again, state
from tests.stories.mail import DOMAIN, deliver, drop, later, read, reply, reply_box, written
from tests.world import World

TOKEN = re.compile(r"\b[a-z2-7]{44}\b")


@pytest.fixture(autouse=True)
def _with_a_mailbox(settings: Settings) -> None:
    settings.INBOUND_DOMAIN = DOMAIN


def newest(world: World, kind: str) -> MessageView:
    return messages_to(recipient_kind="worker", recipient_id=world.olena.pk, kind=kind)[-1]


def proposed(world: World) -> Problem:
    problem = world.frown()
    world.tick()
    bring_to_proposal(world, problem)
    world.tick()
    return problem


def quoted(message: MessageView) -> str:
    lines = str(message.payload["text"]).splitlines()
    return "On Fri, 6 Mar 2026 Maria Schulz wrote:\n" + "\n".join(f"> {line}" for line in lines)


def to_postmaster(world: World, words: str) -> IncomingMail:
    """Anybody writes Olena's address into From."""
    to = f"postmaster@{DOMAIN}"
    raw = written(world, words, to=to, sender=world.olena.email)
    return drop(world, raw, to=to, sender="anybody@elsewhere.example")


# -- links ------------------------------------------------------------------------------------------


def test_nobody_reads_the_workers_links_in_a_mail_that_quotes_them(world: World) -> None:
    proposed(world)
    asked = newest(world, "problem.ask")
    assert TOKEN.search(str(asked.payload["text"])), "there is something to hide"
    mail = reply(world, asked, "I am on the road until Friday.\n\n" + quoted(asked))
    client = Client()
    client.force_login(world.maria)
    page = client.get(f"/mail/incoming/{mail.pk}/").content.decode()
    assert "on the road" in page
    assert not TOKEN.search(page)


def test_a_link_among_the_workers_own_words_reaches_no_notice_and_no_timeline(world: World) -> None:
    problem = proposed(world)
    asked = newest(world, "problem.ask")
    link = re.search(r"https?://\S+/c/[a-z2-7]{44}/\S*", str(asked.payload["text"]))
    assert link is not None
    reply(world, asked, f"I pressed {link[0]} and nothing happens")
    told = [m for m in messages_about_problem(problem.pk) if m.recipient_kind == "user"]
    assert any("nothing happens" in str(m.payload) for m in told)
    assert not any(f"/{link[0].split('/')[4]}" in str(m.payload) for m in told)
    assert not any(TOKEN.search(str(event.data)) for event in Event.objects.all())


# -- later questions --------------------------------------------------------------------------------


def test_a_yes_to_an_older_question_confirms_no_later_proposal(world: World) -> None:
    problem = proposed(world)
    delivery = deliver(world, about=problem.pk)
    later(world, minutes=5)
    reply(world, newest(world, "problem.ask"), "No, it still jams")
    later(world, hours=3)
    log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    propose_again(world, problem)
    world.tick()
    mail = reply(world, delivery, "Yes")
    assert mail.outcome == Outcome.WORDS_JOINED.value
    assert state(problem) is ProblemState.PROPOSED


# -- names ------------------------------------------------------------------------------------------


def test_nobody_writes_a_note_in_a_colleagues_name_by_their_from_address(world: World) -> None:
    problem = world.frown()
    world.tick()
    mail = reply(world, newest(world, "problem.receipt"), "You get a discount of 50 %", by=world.maria)
    assert (mail.state, mail.outcome) == (IncomingState.PERSON.value, Outcome.UNPLACED.value)
    assert not events(problem, Verb.PROBLEM_NOTED)


# -- attention --------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["The lift {} is broken", "Great work {}, thank you all so much"])
def test_strangers_with_a_workers_address_cannot_bury_its_owner(world: World, words: str) -> None:
    deliver(world)
    before = len(messages_to(recipient_kind="user", recipient_id=world.maria.pk))
    mails = [to_postmaster(world, words.format(number)) for number in range(12)]
    world.tick()
    told = len(messages_to(recipient_kind="user", recipient_id=world.maria.pk)) - before
    later(world, hours=2)
    world.tick()
    assert PleaseCheck.objects.count() <= 3
    assert told <= 6, "three of them, by console and mail"
    rest = IncomingMail.objects.filter(pk__in=[mail.pk for mail in mails[3:]])
    assert {mail.state for mail in rest} == {IncomingState.PERSON.value}, "but none is lost"


def test_a_mail_program_that_went_astray_alarms_nobody_without_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_from_worker, "WRITTEN_A_DAY", 3)
    delivery = deliver(world)
    address = reply_box(world, delivery)
    before = len(messages_to(recipient_kind="user", recipient_id=world.maria.pk))
    for number in range(8):
        raw = written(world, f"Great work {number}, thank you all", to=address, sender=world.olena.email)
        drop(world, raw, to=address, sender=world.olena.email)
    world.tick()
    assert len(messages_to(recipient_kind="user", recipient_id=world.maria.pk)) - before <= 6
    assert IncomingMail.objects.filter(state=IncomingState.PERSON.value).count() == 5
    later(world, days=2)
    assert reply(world, delivery, "The lift is broken").outcome == Outcome.PROBLEM_OPENED.value


def test_a_strangers_mail_reads_the_one_worker_and_not_all(world: World) -> None:
    address = "O.K@lindgren.example"
    type(world.olena).objects.filter(pk=world.olena.pk).update(email=address)
    with connection.cursor() as cursor, CaptureQueriesContext(connection) as asked:
        found = mail_thread._by_sender(address.lower())
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {asked.captured_queries[0]['sql']}")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert found is not None
    assert found.worker == world.olena
    assert "worker_email_once" in plan


def test_whoever_writes_is_back_before_anything_else_is_written(world: World) -> None:
    """A worker's row that is locked after the stream would wait in a circle with one who unsubscribes."""
    delivery = deliver(world)
    mark_away(worker_id=world.olena.pk, until=world.now.date() + timedelta(days=9), now=world.now)
    with CaptureQueriesContext(connection) as asked:
        reply(world, delivery, "The lift is broken")
    queries = [query["sql"] for query in asked.captured_queries]
    back = next(n for n, sql in enumerate(queries) if 'UPDATE "accounts_worker" SET "away_until"' in sql)
    stream = next(n for n, sql in enumerate(queries) if "20050303" in sql)
    assert back < stream


# -- everybody behind it ----------------------------------------------------------------------------


def _fails(cause: Exception) -> Callable[..., None]:
    def handle(mail: IncomingMail, *, now: object) -> None:
        if mail.subject == "" and mail.size > 2000:
            raise OperationalError("the database could not") from cause
        original(mail, now=now)  # type: ignore[arg-type]

    original = receive_mail._handle
    return handle


def test_a_mail_the_database_cannot_carry_now_lets_the_others_pass(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    heavy = to_postmaster(world, "x" * 5000)
    light = to_postmaster(world, "The lift is broken")
    with monkeypatch.context() as patch:
        patch.setattr(receive_mail, "_handle", _fails(OutOfMemory("out of memory")))
        with pytest.raises(OperationalError):
            receive_mail.receive_next_mail(now=world.now)
        assert receive_mail.receive_next_mail(now=world.now) == light.pk
        assert receive_mail.receive_next_mail(now=world.now) is None
    heavy.refresh_from_db()
    assert (heavy.state, heavy.attempts) == (IncomingState.WAITING.value, 0)
    later(world, minutes=1)
    assert read(world, heavy).state != IncomingState.WAITING.value


def test_a_mail_that_met_another_engine_is_tried_again_at_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    heavy = to_postmaster(world, "x" * 5000)
    with monkeypatch.context() as patch:
        patch.setattr(receive_mail, "_handle", _fails(DeadlockDetected("deadlock detected")))
        with pytest.raises(OperationalError):
            receive_mail.receive_next_mail(now=world.now)
    assert receive_mail.receive_next_mail(now=world.now) == heavy.pk
