"""Two workers of one account, an owner and a manager: what the worker's pages are tried on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.db import transaction

from sentinel.accounts.models import Account, Permission, Site, Worker
from sentinel.checkins.models import CheckIn, Programme
from sentinel.checkins.rules import Severity
from sentinel.escalation.rules import DutyKind
from sentinel.escalation.services import freeze_policy, set_duty
from sentinel.kernel.clock import FixedClock
from sentinel.kernel.links import Purpose
from sentinel.people.models import User, WorkCalendar
from sentinel.people.rules import Role
from sentinel.problems.models import Call, Confirmation, Problem, Proposal
from sentinel.problems.rules import CallOutcome, ProblemState, Verdict
from sentinel.ui.links import public_path
from sentinel.workflows.telephone_verdict import record_verdict_by_telephone

#: A Monday, 11:00 in Berlin.
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@dataclass
class Cast:
    """The cast of these tests. ``anna`` reports; ``bert`` is a colleague whose things she must never see."""

    clock: FixedClock
    owner: User
    manager: User
    account: Account
    anna: Worker
    bert: Worker
    programme: Programme

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def path(self, purpose: Purpose, subject_id: int, *parts: str) -> str:
        """A fresh signed path."""
        return public_path(purpose, subject_id, *parts, today=self.now.date())

    def check_in(self, worker: Worker) -> CheckIn:
        """A check-in that was sent an hour ago."""
        return CheckIn.objects.create(
            programme=self.programme,
            worker=worker,
            planned_for=self.now - timedelta(hours=1),
            sent_at=self.now - timedelta(hours=1),
            state="sent",
            reason="monthly",
            language=worker.spoken_language,
            created_at=self.now - timedelta(days=1),
        )

    def problem(self, worker: Worker, *, words: str = "The printer on floor 3 jams.") -> Problem:
        """A freshly reported problem; its owner owes the acknowledgement."""
        with transaction.atomic():
            return self._reported(worker, words)

    def _reported(self, worker: Worker, words: str) -> Problem:
        problem = Problem.objects.create(
            worker=worker,
            site=worker.site,
            account=self.account,
            owner=self.owner,
            words=words,
            language=worker.spoken_language,
            severity=Severity.HINDERS.value,
            call_number=worker.telephone,
            call_language=worker.spoken_language,
            opened_at=self.now,
        )
        freeze_policy(problem=problem, now=self.now)
        self._owe(problem, DutyKind.ACKNOWLEDGE, timedelta(minutes=15))
        return problem

    def proposal(self, problem: Problem, *, what_was_done: str = "We replaced the fuser.") -> Proposal:
        """The owner says that it is solved."""
        with transaction.atomic():
            return self._proposed(problem, what_was_done)

    def _proposed(self, problem: Problem, what_was_done: str) -> Proposal:
        Proposal.objects.filter(problem=problem, settled_at__isnull=True).update(settled_at=self.now)
        made = Proposal.objects.create(
            problem=problem,
            by=self.owner,
            at=self.now,
            what_was_done=what_was_done,
            root_cause="SECRET-ROOT-CAUSE worn part",
            asks=1,
            next_ask_at=self.now + timedelta(days=2),
        )
        self.set_state(problem, ProblemState.PROPOSED)
        self._owe(problem, DutyKind.ASK, timedelta(days=2))
        return made

    def confirmed_by_telephone(self, problem: Problem) -> Confirmation:
        """The owner notes that the worker said yes on the telephone."""
        self.proposal(problem)
        call = Call.objects.create(
            problem=problem,
            caller=self.owner,
            at=self.now,
            outcome=CallOutcome.REACHED.value,
            note="SECRET-NOTE",
        )
        return record_verdict_by_telephone(
            problem_id=problem.pk, user=self.owner, call_id=call.pk, verdict=Verdict.YES, now=self.now
        )

    def set_state(self, problem: Problem, state: ProblemState) -> None:
        """Put the problem into a state without walking there."""
        problem.state = state.value
        problem.acknowledged_at = problem.acknowledged_at or self.now
        problem.save()

    def _owe(self, problem: Problem, kind: DutyKind, within: timedelta) -> None:
        set_duty(problem=problem, kind=kind, accountable=self.owner, due_at=self.now + within, now=self.now)


def _user(name: str, *roles: Role, manager: User | None = None) -> User:
    email = f"{name.split()[0].lower()}@provider.example"
    return User.objects.create_user(
        email=email,
        name=name,
        telephone="+4930900100",
        zone="Europe/Berlin",
        calendar=WorkCalendar.objects.get(name="Office"),
        roles=[role.value for role in roles],
        manager=manager,
    )


def build_cast(at: FixedClock) -> Cast:
    calendar = WorkCalendar.objects.create(name="Office")
    manager = _user("Maria Boss", Role.MANAGER)
    owner = _user("Otto Berg", Role.OWNER, manager=manager)
    account = Account.objects.create(name="Acme", owner=owner, manager=manager, created_at=at.now())
    site = Site.objects.create(
        account=account, name="Berlin", zone="Europe/Berlin", calendar=calendar, language="en"
    )
    Permission.objects.create(
        account=account,
        given_by="Head of IT",
        given_on=at.now().date(),
        evidence="Contract, clause 7",
        recorded_by=manager,
        recorded_at=at.now(),
    )
    workers = [
        Worker.objects.create(
            site=site,
            name=name,
            email=f"{name.split()[0].lower()}@acme.example",
            telephone=number,
            joined_at=at.now(),
            department="Accounting",
        )
        for name, number in (("Anna Adler", "+493012345"), ("Bert Braun", "+493098765"))
    ]
    programme = Programme.objects.create(
        name="Everybody",
        provider_name="Copyworks",
        questions={"en": "Do you have any problem, comment or suggestion for us?"},
        sender_address="care@provider.example",
        window_days=[1, 2, 3],
        window_start=time(9),
        window_end=time(11),
        started_at=at.now(),
    )
    return Cast(
        clock=at,
        owner=owner,
        manager=manager,
        account=account,
        anna=workers[0],
        bert=workers[1],
        programme=programme,
    )
