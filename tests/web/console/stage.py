"""The console's stage: the fixed cast with a problem in every state and something on every screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage

from sentinel.accounts.models import RosterImport, Worker
from sentinel.accounts.services import mark_bounced, preview_roster
from sentinel.checkins.models import PleaseCheck, Response
from sentinel.checkins.rules import Face, ResponseKind, Severity
from sentinel.demonstration.models import CaughtMail
from sentinel.people.models import Absence, OfficerShift, ShiftSwap, User
from sentinel.people.reach import mark_mail_refused
from sentinel.people.rota import ask_swap
from sentinel.people.rules import Role
from sentinel.people.services import set_absence
from sentinel.problems.models import Problem
from sentinel.problems.rules import CallOutcome, Verdict
from sentinel.workflows.acknowledge import acknowledge
from sentinel.workflows.log_call import log_call
from sentinel.workflows.make_commitment import make_commitment
from sentinel.workflows.propose_solution import propose_solution
from sentinel.workflows.record_verdict import record_verdict
from tests.web.console.mail_stage import MailStage, set_mail_stage
from tests.world import SCRIPT, World

ROSTER = (
    "Name;E-Mail;Site;Telephone\n"
    "Olena Kovalenko;olena@lindgren.example;Kyiv;+380445550199\n"
    "Bohdan Melnyk;bohdan@lindgren.example;Kyiv;\n"
    "Nobody;not-an-address;Kyiv;\n"
)
WORKERS = (
    ("Iryna Shevchenko", "kyiv", "The scanner at gate 4 forgets every third parcel."),
    ("Petro Bondar", "kyiv", "Invoices come with the wrong cost centre, every month since autumn."),
    ("Beatriz Nunes", "lisbon", "A impressora do armazém parou outra vez e ninguém veio."),
    ("Rui Carvalho", "lisbon", "Toner was promised for Monday. It is Thursday."),
    ("Sofia Antunes", "lisbon", "Nobody tells us when the technician comes."),
)


@dataclass(kw_only=True)
class Stage:
    """The world and what was put on its screens."""

    world: World
    at: datetime
    reported: Problem
    talked: Problem
    promised: Problem
    proposed: Problem
    confirmed: Problem
    reopened: Problem
    foreign: Problem
    comment: Response
    foreign_comment: Response
    check: PleaseCheck
    roster: RosterImport
    absence: Absence
    swap: ShiftSwap
    lost: User
    mail: CaughtMail
    post: MailStage


def set_stage(world: World) -> Stage:
    """Play the first two hours with everybody on the stage."""
    workers = [_worker(world, *row[:2]) for row in WORKERS]
    words = [row[2] for row in WORKERS]
    talked, promised, proposed, confirmed, reopened = (
        world.frown(text, worker=worker) for worker, text in zip(workers, words, strict=True)
    )
    world.tick()
    _handle(world, talked, promised, proposed, confirmed, reopened)
    world.advance(minutes=30)
    reported = world.frown(severity=Severity.STOPPED, call_when="before 16:00")
    foreign = world.frown("印刷がずれます。", worker=world.other_worker)
    world.advance(minutes=20)
    return Stage(
        world=world,
        at=world.now,
        reported=reported,
        talked=talked,
        promised=promised,
        proposed=proposed,
        confirmed=Problem.objects.get(pk=confirmed.pk),
        reopened=Problem.objects.get(pk=reopened.pk),
        foreign=foreign,
        comment=_comment(world),
        foreign_comment=_comment(world, foreign=True),
        check=_please_check(world),
        roster=_roster(world),
        absence=_absence(world),
        swap=_swap(world),
        lost=_lost(world),
        mail=_mail(world),
        post=set_mail_stage(world),
    )


def _handle(
    world: World, talked: Problem, promised: Problem, proposed: Problem, confirmed: Problem, reopened: Problem
) -> None:
    """Maria calls everybody and brings each problem as far as its name says."""
    for problem in (talked, promised, proposed, confirmed, reopened):
        acknowledge(problem_id=problem.pk, user=world.maria, now=world.now)
        log_call(
            problem_id=problem.pk,
            user=world.maria,
            outcome=CallOutcome.REACHED,
            note="Happens since the move",
            now=world.now,
        )
    world.advance(minutes=20)
    for problem in (promised, proposed, confirmed, reopened):
        due = world.now.date() + timedelta(days=4)
        make_commitment(
            problem_id=problem.pk, user=world.maria, due_on=due, what="A technician comes", now=world.now
        )
    for problem in (proposed, confirmed, reopened):
        proposal = propose_solution(
            problem_id=problem.pk,
            user=world.maria,
            what_was_done="The feeder was replaced and tested with you.",
            root_cause="The part was beyond its service interval.",
            now=world.now,
        )
        if problem == confirmed:
            record_verdict(
                proposal_id=proposal.pk, verdict=Verdict.YES, words="Works!", human=True, now=world.now
            )
        if problem == reopened:
            record_verdict(
                proposal_id=proposal.pk, verdict=Verdict.NO, words="Same again.", human=True, now=world.now
            )


def _worker(world: World, name: str, site: str) -> Worker:
    address = name.split()[0].lower()
    return Worker.objects.create(
        site=getattr(world, site),
        name=name,
        email=f"{address}@lindgren.example",
        telephone="+380445550103",
        department="Goods in",
        joined_at=world.now - timedelta(days=90),
    )


def _comment(world: World, *, foreign: bool = False) -> Response:
    worker = world.other_worker if foreign else world.joao
    recorded = world.answer(
        Face.HAPPY, "The new courier is always friendly, thank you.", worker=worker, kind=ResponseKind.PRAISE
    )
    return Response.objects.get(pk=recorded.response_id)


def _please_check(world: World) -> PleaseCheck:
    bounced = _worker(world, "Vasyl Koval", "kyiv")
    mark_bounced(worker_id=bounced.pk, reason="550 5.1.1 no such mailbox", now=world.now)
    recorded = world.answer(Face.FROWN, worker=world.joao, kind=ResponseKind.PROBLEM, signals=SCRIPT)
    return PleaseCheck.objects.create(response_id=recorded.response_id, raised_at=world.now)


def _roster(world: World) -> RosterImport:
    return preview_roster(
        account_id=world.account.pk,
        file_name="workers.csv",
        content=ROSTER.encode(),
        is_complete_list=True,
        user=world.maria,
        now=world.now,
    )


def _absence(world: World) -> Absence:
    return set_absence(
        user_id=world.tom.pk,
        starts_at=world.now + timedelta(days=3),
        ends_at=world.now + timedelta(days=8),
        deputy_id=world.maria.pk,
        reason="Holiday",
        actor=world.tom,
        now=world.now,
    )


def _swap(world: World) -> ShiftSwap:
    """Ines asks Henrik for a day; whoever was officer yesterday left her a note."""
    yesterday = OfficerShift.objects.create(
        on=world.now.date() - timedelta(days=1), officer=world.ines, left_by=world.ines, left_at=world.now
    )
    yesterday.left_note = "Kyiv had no power until six.\nWatch the printers at gate 4."
    yesterday.save(update_fields=["left_note"])
    return ask_swap(
        on=world.now.date() + timedelta(days=10),
        of_id=world.henrik.pk,
        note="My daughter's first day at school.",
        actor=world.ines,
        now=world.now,
    )


def _lost(world: World) -> User:
    """A colleague whom nothing reaches."""
    lost = User.objects.create_user(
        email="lena@example.com", name="Lena Weit", roles=[Role.OWNER.value], zone="Europe/Berlin"
    )
    reason = "550 5.1.1 no such user"
    mark_mail_refused(user_id=lost.pk, address=lost.email, reason=reason, now=world.now)
    lost.refresh_from_db()
    return lost


def _mail(world: World) -> CaughtMail:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = (
        "Maria Schulz <s@example.com>",
        "olena@lindgren.example",
        "Do you have any problem?",
    )
    mail.set_content("Do you have any problem?\n\nhttps://sentinel.example/a/token/frown/\n")
    mail.add_alternative(
        '<html lang="en"><head><title>m</title></head><body><p>Do you have any problem?</p>'
        '<p><a href="https://sentinel.example/a/token/frown/">I have a problem</a></p></body></html>',
        subtype="html",
    )
    return CaughtMail.objects.create(
        received_at=world.now,
        sender="s@example.com",
        recipient="olena@lindgren.example",
        subject=str(mail["Subject"]),
        message_id="<m@example.com>",
        kind="check_in.question",
        raw=mail.as_bytes(),
    )
