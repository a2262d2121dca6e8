"""What a mail sets in motion, through the door, the real engine and the real database."""

from __future__ import annotations

import pytest
from pytest_django.fixtures import Settings

from sentinel.accounts.models import Worker
from sentinel.checkins.models import PleaseCheck, Response
from sentinel.checkins.rules import Evidence, Face
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind
from sentinel.inbound.sealing import unseal
from sentinel.inbound.states import IncomingState, Outcome
from sentinel.kernel.links import Purpose
from sentinel.outbox.selectors import MessageView, messages_about_problem, messages_to
from sentinel.problems.models import Problem
from sentinel.problems.rules import CallOutcome, How, ProblemState, Verdict
from sentinel.timeline.verbs import Verb
from sentinel.workflows.log_call import log_call
from sentinel.workflows.telephone_verdict import record_verdict_by_telephone
from tests.stories.acts import bring_to_proposal, events, fresh, propose_again, state
from tests.stories.mail import (
    DOMAIN,
    box,
    deliver,
    drop,
    later,
    message_id_of,
    read,
    reply,
    reply_box,
    written,
)
from tests.world import World

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f64540"
    "0000000049454e44ae426082"
)


@pytest.fixture(autouse=True)
def _with_a_mailbox(settings: Settings) -> None:
    settings.INBOUND_DOMAIN = DOMAIN


def test_a_frown_by_reply_opens_the_problem_with_its_duty_and_notice(world: World) -> None:
    mail = reply(world, deliver(world), "The printer on floor 2 eats every page")
    problem = Problem.objects.get(pk=mail.problem_id or 0)
    assert (mail.state, mail.outcome, mail.thread) == (
        IncomingState.DONE.value,
        Outcome.PROBLEM_OPENED.value,
        "token",
    )
    assert problem.words == "The printer on floor 2 eats every page"
    assert Duty.objects.get(problem=problem).accountable == world.maria
    assert Response.objects.get(pk=mail.response_id or 0).evidence == Evidence.VERIFIED.value
    told = {(m.channel, m.recipient_id) for m in messages_about_problem(problem.pk)}
    assert {("console", world.maria.pk), ("email", world.maria.pk)} <= told


def test_no_by_reply_is_a_happy_answer(world: World) -> None:
    mail = reply(world, deliver(world), "No")
    response = Response.objects.get(pk=mail.response_id or 0)
    assert (response.face, response.evidence) == (Face.HAPPY.value, Evidence.VERIFIED.value)
    assert mail.outcome == Outcome.ANSWERED_HAPPY.value
    assert not Problem.objects.exists()


def open_and_propose(world: World) -> tuple[Problem, MessageView]:
    """A problem that was proposed as solved, and the mail that asks about it."""
    problem = world.frown()
    world.tick()
    bring_to_proposal(world, problem)
    world.tick()
    return problem, newest(world, "problem.ask")


def newest(world: World, kind: str, person: Worker | None = None) -> MessageView:
    return [
        m
        for m in messages_to(recipient_kind="worker", recipient_id=(person or world.olena).pk)
        if m.kind == kind
    ][-1]


def closed(world: World) -> tuple[Problem, MessageView]:
    """A problem the worker has confirmed, and the receipt they once got."""
    problem, asked = open_and_propose(world)
    reply(world, asked, "Yes")
    assert state(problem) is ProblemState.CONFIRMED
    return problem, newest(world, "problem.receipt")


# -- is it solved? ----------------------------------------------------------------------------------


def test_an_unmistakable_yes_from_the_workers_own_address_closes(world: World) -> None:
    problem, asked = open_and_propose(world)
    mail = reply(world, asked, "Yes")
    assert mail.outcome == Outcome.CONFIRMED.value
    assert state(problem) is ProblemState.CONFIRMED
    assert fresh(problem).closing_confirmation is not None
    assert fresh(problem).closing_confirmation.how == How.REPLY.value  # type: ignore[union-attr]


def test_a_yes_from_another_address_confirms_nothing_and_the_worker_is_asked(world: World) -> None:
    problem, asked = open_and_propose(world)
    mail = reply(world, asked, "Yes", by="assistant@lindgren.example")
    assert (mail.is_from_worker, mail.outcome) == (False, Outcome.ASKED_ONCE_MORE.value)
    assert state(problem) is ProblemState.PROPOSED
    assert newest(world, "problem.ask_plainly").address == world.olena.email


def test_a_no_by_mail_reopens(world: World) -> None:
    problem, asked = open_and_propose(world)
    mail = reply(world, asked, "No, it still jams")
    assert mail.outcome == Outcome.REOPENED.value
    assert state(problem) is ProblemState.REOPENED
    assert world.duty(problem).kind == DutyKind.CALL.value


def test_an_unclear_answer_joins_and_is_asked_about_once_a_day(world: World) -> None:
    problem, asked = open_and_propose(world)
    first = reply(world, asked, "I will look at it tomorrow when I am in the office")
    second = reply(world, asked, "Somebody from your side was here, Anna says")
    assert first.outcome == Outcome.ASKED_ONCE_MORE.value
    assert second.outcome == Outcome.WORDS_JOINED.value
    assert [e.data["words"] for e in events(problem, Verb.WORKER_WROTE)] == [first.words, second.words]
    plain = messages_to(recipient_kind="worker", recipient_id=world.olena.pk, kind="problem.ask_plainly")
    assert len(plain) == 1
    assert state(problem) is ProblemState.PROPOSED


def test_the_answer_to_the_plain_question_closes(world: World) -> None:
    problem, asked = open_and_propose(world)
    reply(world, asked, "I will look at it tomorrow when I am in the office")
    reply(world, newest(world, "problem.ask_plainly"), "Yes")
    assert state(problem) is ProblemState.CONFIRMED


def test_a_check_in_about_a_problem_is_answered_like_the_question(world: World) -> None:
    problem, _ = open_and_propose(world)
    reply(world, deliver(world, about=problem.pk), "Yes")
    assert state(problem) is ProblemState.CONFIRMED


def test_thanks_confirm_nothing(world: World) -> None:
    problem, asked = open_and_propose(world)
    reply(world, asked, "Merci beaucoup")
    assert state(problem) is ProblemState.PROPOSED


def test_mail_reopens_three_times_a_day_at_most(world: World) -> None:
    problem, asked = open_and_propose(world)
    for round_ in range(4):
        reply(world, asked, f"No, it still jams, try {round_}")
        if round_ < 3:
            assert state(problem) is ProblemState.REOPENED
            log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
            propose_again(world, problem)
            world.tick()
            asked = newest(world, "problem.ask")
    assert state(problem) is ProblemState.PROPOSED
    assert len(events(problem, Verb.PROBLEM_REOPENED)) == 3


# -- closed problems --------------------------------------------------------------------------------


def test_merci_beaucoup_does_not_reopen(world: World) -> None:
    problem, receipt = closed(world)
    mail = reply(world, receipt, "Merci beaucoup")
    assert mail.outcome == Outcome.THANKED.value
    assert state(problem) is ProblemState.CONFIRMED
    assert [e.data["words"] for e in events(problem, Verb.MAIL_RECEIVED)] == ["Merci beaucoup"]


def test_merci_mais_cela_recommence_does(world: World) -> None:
    problem, receipt = closed(world)
    mail = reply(world, receipt, "Merci, mais cela recommence")
    assert mail.outcome == Outcome.CAME_BACK.value
    assert state(problem) is ProblemState.REOPENED
    assert world.duty(problem).kind == DutyKind.CALL.value


def test_other_words_about_a_closed_problem_reach_the_owner(world: World) -> None:
    problem, receipt = closed(world)
    mail = reply(world, receipt, "Could you tell me which toner you used?")
    assert mail.outcome == Outcome.WORDS_JOINED.value
    assert state(problem) is ProblemState.CONFIRMED
    assert any("which toner" in n.payload["text"] for n in world.notices(world.maria))


def test_a_yes_by_telephone_is_objected_to_by_mail(world: World) -> None:
    problem, _ = open_and_propose(world)
    later(world, minutes=5)
    call = log_call(problem_id=problem.pk, user=world.maria, outcome=CallOutcome.REACHED, now=world.now)
    record_verdict_by_telephone(
        problem_id=problem.pk, user=world.maria, call_id=call.pk, verdict=Verdict.YES, now=world.now
    )
    world.tick()
    reply(world, newest(world, "problem.confirmed_by_telephone"), "No, I never said that, it still jams")
    assert state(problem) is ProblemState.REOPENED
    assert len(events(problem, Verb.CONFIRMATION_OBJECTED)) == 1


# -- words, pictures, who wrote ---------------------------------------------------------------------


def test_a_reply_to_the_receipt_joins_the_problem(world: World) -> None:
    problem = world.frown()
    world.tick()
    mail = reply(world, newest(world, "problem.receipt"), "It also smells of ozone")
    assert (mail.outcome, mail.problem_id) == (Outcome.WORDS_JOINED.value, problem.pk)
    assert [e.data["words"] for e in events(problem, Verb.WORKER_WROTE)] == ["It also smells of ozone"]
    assert Problem.objects.count() == 1


def test_a_picture_is_kept_and_named_in_the_notice(world: World) -> None:
    mail = reply(world, deliver(world), "The fuser looks like this", files=(("fuser.png", "image/png", PNG),))
    file = mail.attachments.get()
    assert (file.name, file.sniffed_type) == ("fuser.png", "image/png")
    assert unseal(bytes(file.content), digest=file.digest) == PNG
    assert bytes(file.content) != PNG
    alarm = [
        m
        for m in messages_about_problem(mail.problem_id or 0)
        if m.channel == "email" and m.recipient_id == world.maria.pk
    ]
    assert "With 1 picture" in alarm[0].payload["text"]


def test_a_picture_without_words_is_a_frown(world: World) -> None:
    mail = reply(world, deliver(world), "", files=(("fuser.png", "image/png", PNG),))
    assert mail.outcome == Outcome.PROBLEM_OPENED.value


def test_a_forwarded_check_in_counts_and_says_who_wrote(world: World) -> None:
    mail = reply(world, deliver(world), "Our scanner on floor 3 is broken", by="boss@lindgren.example")
    assert (mail.is_from_worker, mail.outcome) == (False, Outcome.PROBLEM_OPENED.value)
    alarm = [
        m
        for m in messages_about_problem(mail.problem_id or 0)
        if m.channel == "email" and m.recipient_id == world.maria.pk
    ]
    assert "boss@lindgren.example" in alarm[0].payload["text"]


def test_a_mail_without_our_token_opens_nothing_and_asks_the_owner_to_check(world: World) -> None:
    deliver(world)
    raw = written(world, "The printer is broken", to="help@in.sentinel.example", sender=world.olena.email)
    mail = read(world, drop(world, raw, to="help@in.sentinel.example", sender=world.olena.email))
    assert (mail.thread, mail.outcome) == ("sender", Outcome.PROVISIONAL.value)
    assert not Problem.objects.exists()
    later(world, minutes=16)
    world.tick()
    assert PleaseCheck.objects.get().response_id == mail.response_id


def test_a_forged_token_is_worth_nothing(world: World) -> None:
    _, asked = open_and_propose(world)
    real = reply_box(world, asked)
    forged = real.replace(real[3:7], "aaaa", 1)
    raw = written(world, "Yes", to=forged, sender=world.olena.email)
    mail = read(world, drop(world, raw, to=forged, sender=world.olena.email))
    assert mail.thread == "sender"
    assert Problem.objects.get().state == ProblemState.PROPOSED.value


def test_only_the_name_of_our_mail_and_the_address_let_words_join_but_never_confirm(world: World) -> None:
    problem, asked = open_and_propose(world)
    to = "help@in.sentinel.example"
    raw = written(
        world, "Yes", to=to, sender=world.olena.email, In_Reply_To=f"<{asked.message_id}@example.com>"
    )
    mail = read(world, drop(world, raw, to=to, sender=world.olena.email))
    assert (mail.thread, mail.outcome) == ("references", Outcome.ASKED_ONCE_MORE.value)
    assert state(problem) is ProblemState.PROPOSED


def test_a_signed_link_in_the_quoted_text_proves_the_thread(world: World) -> None:
    problem, asked = open_and_propose(world)
    to = world.maria.email
    quoted = "\n".join(f"> {line}" for line in asked.payload["text"].splitlines())
    text = f"Yes\n\nOn Friday, Maria Schulz <sentinel@example.com> wrote:\n{quoted}\n"
    raw = written(
        world, text, to=to, sender=world.olena.email, In_Reply_To=f"<{asked.message_id}@example.com>"
    )
    mail = read(world, drop(world, raw, to="inbox@elsewhere.example", sender=world.olena.email))
    assert (mail.words, mail.outcome) == ("Yes", Outcome.CONFIRMED.value)
    assert state(problem) is ProblemState.CONFIRMED


def test_a_stranger_who_guesses_a_message_id_is_only_read_by_the_owner(world: World) -> None:
    problem, asked = open_and_propose(world)
    to = f"help@{DOMAIN}"
    raw = written(
        world, "No, it still jams", to=to, sender="x@y.example", In_Reply_To=f"<{asked.message_id}@e.x>"
    )
    mail = read(world, drop(world, raw, to=to, sender="x@y.example"))
    assert (mail.state, mail.outcome) == (IncomingState.PERSON.value, Outcome.OWNER_TOLD.value)
    assert state(problem) is ProblemState.PROPOSED
    assert not PleaseCheck.objects.exists()


def test_the_signed_message_id_of_a_check_in_is_enough(world: World) -> None:
    delivery = deliver(world)
    raw = written(
        world,
        "The scanner is broken",
        to=world.maria.email,
        sender=world.olena.email,
        In_Reply_To=f"<{message_id_of(world, delivery)}>",
    )
    mail = read(
        world, drop(world, raw, to="inbox@elsewhere.example", sender=world.olena.email, source="imap")
    )
    assert (mail.thread, mail.outcome) == ("references", Outcome.PROBLEM_OPENED.value)


def test_a_users_reply_to_a_notice_becomes_a_note_and_nothing_else(world: World) -> None:
    problem = world.frown()
    world.tick()
    notice = next(
        m
        for m in messages_about_problem(problem.pk)
        if m.channel == "email" and m.recipient_id == world.maria.pk
    )
    mail = reply(world, notice, "I know the site, it is the fuser again. Solved!", by=world.maria)
    assert (mail.outcome, mail.user_id) == (Outcome.NOTED.value, world.maria.pk)
    assert [e.data["text"] for e in events(problem, Verb.PROBLEM_NOTED)] == [mail.words]
    assert state(problem) is ProblemState.REPORTED


def test_a_user_who_answers_in_a_workers_thread_says_nothing_for_the_worker(world: World) -> None:
    problem, asked = open_and_propose(world)
    mail = reply(world, asked, "Yes", by=world.maria)
    assert state(problem) is ProblemState.PROPOSED
    assert mail.state == IncomingState.PERSON.value


def test_stop_alone_unsubscribes(world: World) -> None:
    mail = reply(world, deliver(world), "stop")
    assert mail.outcome == Outcome.UNSUBSCRIBED.value
    assert Worker.objects.get(pk=world.olena.pk).unsubscribed_at is not None


def test_the_unsubscribe_mailbox_unsubscribes(world: World) -> None:
    to = box(world, Purpose.UNSUBSCRIBE, world.olena.pk)
    raw = written(world, "unsubscribe", to=to, sender=world.olena.email)
    mail = read(world, drop(world, raw, to=to, sender=world.olena.email))
    assert mail.outcome == Outcome.UNSUBSCRIBED.value


def test_mail_to_the_postmaster_waits_for_a_person(world: World) -> None:
    raw = written(world, "Your server is misconfigured", to=f"postmaster@{DOMAIN}", sender="x@y.example")
    mail = read(world, drop(world, raw, to=f"postmaster@{DOMAIN}", sender="x@y.example"))
    assert (mail.state, mail.outcome) == (IncomingState.PERSON.value, Outcome.UNPLACED.value)
    assert any("nobody could place" in n.payload["title"] for n in world.notices(world.ada))
