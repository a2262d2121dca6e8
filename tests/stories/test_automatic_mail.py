"""Mail that no hand wrote: it can postpone and stop, and it never opens, reopens or confirms."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from django.urls import resolve
from pytest_django.fixtures import Settings

from sentinel.accounts.models import Worker
from sentinel.accounts.rules import MailState
from sentinel.bulk.models import Delivery, DomainLane
from sentinel.checkins.models import CheckIn
from sentinel.escalation.rules import DutyKind
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.states import IncomingState, Outcome
from sentinel.outbox.selectors import MessageView, messages_about_problem, messages_to
from sentinel.people.models import User
from sentinel.people.reach import without_way
from sentinel.problems.models import Problem
from sentinel.problems.rules import ProblemState
from sentinel.standing.models import MailComplaint, Suppression
from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.plan_check_ins import plan_check_ins
from tests.stories.acts import bring_to_proposal, fresh, state
from tests.stories.mail import (
    DOMAIN,
    bounce_box,
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

BACK = date(2026, 3, 16)  # a Monday


@pytest.fixture(autouse=True)
def _with_a_mailbox(settings: Settings) -> None:
    settings.INBOUND_DOMAIN = DOMAIN


def absence(world: World, to: Delivery | MessageView, text: str = "") -> IncomingMail:
    """Olena's mail program answers that she is away."""
    text = text or "I am out of the office until 15 March 2026. I will be back on 16 March 2026."
    address = reply_box(world, to)
    raw = written(
        world,
        text,
        to=address,
        sender=world.olena.email,
        subject="Automatic reply: Your question",
        Auto_Submitted="auto-replied",
        X_Auto_Response_Suppress="All",
    )
    return read(world, drop(world, raw, to=address, sender=""))


def report(
    world: World, to: Delivery | MessageView, status: str, diagnostic: str, action: str = "failed"
) -> IncomingMail:
    """A mail server reports what became of a mail of ours (RFC 3464)."""
    address = to.address
    box = bounce_box(world, to)
    lines = f"""From: MAILER-DAEMON@mx.lindgren.example
To: {box}
Subject: Undelivered Mail Returned to Sender
Message-ID: <{status}.{world.now.timestamp()}.{to.pk if isinstance(to, Delivery) else to.id}@mx.example>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

This is the mail system.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.lindgren.example

Final-Recipient: rfc822; {address}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {diagnostic}

--b--
"""
    raw = lines.replace("\n", "\r\n").encode()
    return read(world, drop(world, raw, to=box, sender=""))


def complaint(world: World, to: Delivery) -> IncomingMail:
    """A mail provider reports that the reader pressed "this is spam" (ARF)."""
    box = bounce_box(world, to)
    lines = f"""From: feedback@provider.example
To: {box}
Subject: complaint about message
Message-ID: <arf.{to.pk}@provider.example>
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: text/plain

This is an abuse report.

--b
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Feedback/1.0
Version: 1
Original-Rcpt-To: {to.address}

--b
Content-Type: message/rfc822

From: sentinel@example.com
To: {to.address}
Message-ID: <{message_id_of(world, to)}>
Subject: Your question

Hello
--b--
"""
    raw = lines.replace("\n", "\r\n").encode()
    return read(world, drop(world, raw, to=box, sender="feedback@provider.example"))


def nothing_happened_to(problem: Problem, was: ProblemState) -> bool:
    return state(problem) is was and Problem.objects.count() == 1


def olena(world: World) -> Worker:
    return Worker.objects.get(pk=world.olena.pk)


def receipt(world: World) -> MessageView:
    rows = messages_to(recipient_kind="worker", recipient_id=world.olena.pk, kind="problem.receipt")
    return rows[-1]


# -- absence ----------------------------------------------------------------------------------------


def test_an_absence_note_postpones_the_call_and_says_so(world: World) -> None:
    problem = world.frown()
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    world.tick()
    mail = absence(world, receipt(world))
    assert (mail.kind, mail.outcome, mail.back_on) == ("out_of_office", Outcome.AWAY.value, BACK)
    duty = world.duty(problem)
    # Kyiv begins work at 09:00, Berlin at 09:00 an hour later: both are there at 08:00 UTC.
    assert duty.kind == DutyKind.CALL.value
    assert duty.due_at == datetime(2026, 3, 16, 8, 0, tzinfo=UTC)
    assert duty.fire_at == duty.rung_at == duty.due_at
    assert olena(world).away_until == BACK
    assert any("away until 16 March" in m.payload["text"] for m in world.inbox(world.maria))
    reasons = Event.objects.filter(problem_id=problem.pk, verb=Verb.WORKER_AWAY.value)
    assert reasons.get().data["until"] == "2026-03-16"
    assert nothing_happened_to(problem, ProblemState.ACKNOWLEDGED)


def test_an_absence_note_leaves_the_duties_of_our_own_people_where_they_are(world: World) -> None:
    problem = world.frown()
    world.tick()
    before = world.duty(problem)
    absence(world, receipt(world))
    duty = world.duty(problem)
    assert duty.kind == DutyKind.ACKNOWLEDGE.value
    assert (duty.due_at, duty.fire_at) == (before.due_at, before.fire_at)
    acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
    assert world.duty(problem).due_at >= datetime(2026, 3, 16, 7, 0, tzinfo=UTC)


def test_an_absence_note_postpones_the_next_question(world: World) -> None:
    problem = world.frown()
    world.tick()
    bring_to_proposal(world, problem)
    world.tick()
    asked = messages_to(recipient_kind="worker", recipient_id=world.olena.pk, kind="problem.ask")[-1]
    absence(world, asked)
    first_instant = datetime(2026, 3, 16, 7, 0, tzinfo=UTC)
    assert world.proposal(problem).next_ask_at == first_instant
    assert world.duty(problem).fire_at == first_instant
    assert state(problem) is ProblemState.PROPOSED


def test_an_absence_note_moves_the_next_check_in(world: World) -> None:
    delivery = deliver(world)
    later(world, days=8)
    plan_check_ins(now=world.now)
    planned = CheckIn.objects.get(worker=world.olena, state="planned")
    back = (planned.planned_for + timedelta(days=20)).date()
    later(world, minutes=1)
    absence(world, delivery, f"I am out of the office. I will be back on {back:%d %B %Y}.")
    plan_check_ins(now=world.now)
    moved = CheckIn.objects.get(worker=world.olena, state="planned")
    assert moved.planned_for.date() >= back


@pytest.mark.parametrize(
    "text",
    [
        "I am out of the office until 15 March 2027. I will be back on 16 March 2027.",
        "I am out of the office. I was back on 2 February 2026.",
        "I am out of the office and read mail rarely.",
    ],
)
def test_an_absence_note_without_a_believable_day_is_only_noted(world: World, text: str) -> None:
    mail = absence(world, deliver(world), text)
    assert mail.outcome == Outcome.AUTOMATIC.value
    assert olena(world).away_until is None


def test_an_absence_note_outside_our_threads_postpones_nothing(world: World) -> None:
    to = f"help@{DOMAIN}"
    raw = written(
        world,
        "I am out of the office. I will be back on 16 March 2026.",
        to=to,
        sender=world.olena.email,
        subject="Automatic reply",
        Auto_Submitted="auto-replied",
    )
    read(world, drop(world, raw, to=to, sender=""))
    assert olena(world).away_until is None


def test_the_absence_of_whoever_our_mail_was_forwarded_to_is_not_the_workers(world: World) -> None:
    delivery = deliver(world)
    to = reply_box(world, delivery)
    raw = written(
        world,
        "I am out of the office. I will be back on 16 March 2026.",
        to=to,
        sender="assistant@lindgren.example",
        subject="Automatic reply",
        Auto_Submitted="auto-replied",
    )
    mail = read(world, drop(world, raw, to=to, sender=""))
    assert mail.outcome == Outcome.AUTOMATIC.value
    assert olena(world).away_until is None


def test_whoever_writes_is_back(world: World) -> None:
    delivery = deliver(world)
    absence(world, delivery)
    reply(world, delivery, "The scanner is broken")
    assert olena(world).away_until is None


def test_an_automatic_answer_to_the_question_confirms_nothing(world: World) -> None:
    problem = world.frown()
    world.tick()
    bring_to_proposal(world, problem)
    world.tick()
    asked = messages_to(recipient_kind="worker", recipient_id=world.olena.pk, kind="problem.ask")[-1]
    mail = reply(world, asked, "Yes", Auto_Submitted="auto-replied")
    assert mail.outcome == Outcome.AUTOMATIC.value
    assert state(problem) is ProblemState.PROPOSED
    assert not messages_to(recipient_kind="worker", recipient_id=world.olena.pk, kind="problem.ask_plainly")


# -- delivery reports -------------------------------------------------------------------------------


def test_an_address_that_does_not_exist_becomes_a_repair_task(world: World) -> None:
    mail = report(world, deliver(world), "5.1.1", "550 5.1.1 no such user")
    assert mail.outcome == Outcome.BOUNCED_HARD.value
    assert olena(world).mail_state == MailState.BOUNCED.value
    assert not Suppression.objects.exists()
    assert any("comes back" in n.payload["title"] for n in world.notices(world.maria))


def test_a_report_about_an_address_repaired_since_blames_nobody(world: World) -> None:
    delivery = deliver(world)
    Worker.objects.filter(pk=world.olena.pk).update(email="olena.k@lindgren.example")
    report(world, delivery, "5.1.1", "550 5.1.1 no such user")
    assert olena(world).mail_state == MailState.GOOD.value


def test_three_temporary_failures_in_two_weeks_are_a_permanent_one(world: World) -> None:
    delivery = deliver(world)
    for day in range(3):
        assert olena(world).mail_state == MailState.GOOD.value
        mail = report(world, delivery, "4.2.2", f"452 4.2.2 mailbox full {day}")
        assert mail.outcome == Outcome.BOUNCED_SOFT.value
        later(world, days=4)
    assert olena(world).mail_state == MailState.BOUNCED.value


def test_temporary_failures_far_apart_are_forgiven(world: World) -> None:
    delivery = deliver(world)
    for day in range(4):
        report(world, delivery, "4.2.2", f"452 4.2.2 mailbox full {day}")
        later(world, days=8)
    assert olena(world).mail_state == MailState.GOOD.value


def test_blocks_of_several_workers_pause_the_domain_and_never_blame_a_worker(world: World) -> None:
    others = [
        Worker.objects.create(
            site=world.olena.site,
            name=name,
            email=f"{name}@lindgren.example",
            joined_at=world.olena.joined_at,
        )
        for name in ("lars", "mia")
    ]
    for number, worker in enumerate((world.olena, *others), start=1):
        assert not DomainLane.objects.filter(paused_at__isnull=False).exists()
        mail = report(world, deliver(world, worker), "5.7.1", f"550 5.7.1 rejected as spam {number}")
        assert mail.outcome == Outcome.BLOCKED.value
    assert olena(world).mail_state == MailState.GOOD.value
    assert DomainLane.objects.get(domain="lindgren.example").paused_at is not None
    notices = [n for n in world.notices(world.ada) if "refuses our mail" in n.payload["title"]]
    assert ["wait until" in n.payload["text"] for n in notices] in ([False, True], [True, False])


def test_one_worker_cannot_stop_the_mail_of_everybody_else_at_a_provider(world: World) -> None:
    delivery = deliver(world)
    for number in range(4):
        report(world, delivery, "5.7.1", f"550 5.7.1 message rejected as spam {number}")
        later(world, minutes=1)
    assert not DomainLane.objects.filter(paused_at__isnull=False).exists()
    assert any("refuses our mail" in n.payload["title"] for n in world.notices(world.ada))


def test_a_delay_is_only_noted(world: World) -> None:
    mail = report(world, deliver(world), "4.4.1", "451 4.4.1 still trying", action="delayed")
    assert mail.outcome == Outcome.DELAYED.value
    assert olena(world).mail_state == MailState.GOOD.value


def test_a_notice_that_comes_back_is_told_to_the_administrators(world: World) -> None:
    problem = world.frown()
    world.tick()
    notice = next(
        m
        for m in messages_about_problem(problem.pk)
        if m.channel == "email" and m.recipient_id == world.maria.pk and m.recipient_kind == "user"
    )
    world.advance(seconds=5)
    report(world, notice, "5.1.1", "550 5.1.1 no such user")
    told = next(n for n in world.notices(world.ada) if "Notices to Maria" in n.payload["title"])
    assert resolve(urlsplit(told.payload["url"]).path), "it leads to where her address is mended"
    world.tick()
    (passed_on,) = world.inbox(world.petra, "duty.notice")
    assert "Maria Schulz was not reached, so this comes to you." in passed_on.payload["text"]
    assert without_way([User.objects.get(pk=world.maria.pk)])
    assert nothing_happened_to(problem, ProblemState.REPORTED)


def test_a_report_about_the_ask_leaves_the_loop_alone(world: World) -> None:
    problem = world.frown()
    world.tick()
    bring_to_proposal(world, problem)
    world.tick()
    asked = messages_to(recipient_kind="worker", recipient_id=world.olena.pk, kind="problem.ask")[-1]
    report(world, asked, "5.1.1", "550 5.1.1 no such user")
    assert nothing_happened_to(problem, ProblemState.PROPOSED)
    assert fresh(problem).is_open
    assert world.duty(problem).fire_at > world.now


def test_a_report_that_belongs_to_nothing_waits_for_a_person(world: World) -> None:
    raw = b"From: MAILER-DAEMON@x.example\r\nSubject: failure\r\n\r\nsomething bounced\r\n"
    mail = read(world, drop(world, raw, to=f"postmaster@{DOMAIN}", sender=""))
    assert mail.state == IncomingState.PERSON.value


# -- complaints and loops ---------------------------------------------------------------------------


def test_a_complaint_stops_check_ins_for_good_and_is_counted(world: World) -> None:
    mail = complaint(world, deliver(world))
    assert mail.outcome == Outcome.COMPLAINED.value
    found = olena(world)
    assert found.unsubscribed_at is not None
    assert found.mail_state == MailState.COMPLAINED.value
    assert Suppression.objects.get().address == world.olena.email
    assert MailComplaint.objects.get().account_id == world.account.pk


def test_our_own_mail_coming_back_does_nothing(world: World) -> None:
    delivery = deliver(world)
    to = reply_box(world, delivery)
    raw = written(
        world,
        "Do you have any problem?",
        to=to,
        sender="sentinel@example.com",
        Message_ID=f"<{message_id_of(world, delivery)}>",
        X_Sentinel_Kind="check_in.question",
    )
    mail = read(world, drop(world, raw, to=to, sender="sentinel@example.com"))
    assert mail.outcome == Outcome.LOOP.value
    assert not Problem.objects.exists()
