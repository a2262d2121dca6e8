"""The fixed cast of every story, on a clock of its own, with the real engine and fake telephones.

Account *Lindgren Logistics* with the sites Kyiv and Lisbon; worker Olena (Kyiv) and Joao (Lisbon);
owner Maria, deputy Tom, manager Petra, executive Henrik, officer Ines (all Berlin, Ines Paris); and
Otto, who owns another account and must see nothing of this one. It starts on Friday, 6 March 2026,
10:00 in Berlin.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sentinel.accounts.models import Account, Permission, Site, Worker
from sentinel.bulk.models import Delivery
from sentinel.bulk.selectors import next_delivery_at
from sentinel.bulk.states import DeliveryState
from sentinel.channels import registry
from sentinel.channels.base import Sender
from sentinel.channels.canary.sender import CanarySender
from sentinel.checkins.models import CheckIn, Programme
from sentinel.checkins.rules import CheckInState, Face, ResponseKind, Severity
from sentinel.engine.loop import run_once
from sentinel.engine.passes.send_deliveries import claimed
from sentinel.escalation.models import Duty
from sentinel.escalation.services import ensure_default_ladder
from sentinel.kernel import clock
from sentinel.kernel.clock import FixedClock
from sentinel.outbox.selectors import MessageView, messages_to, next_visible_at
from sentinel.people.models import OfficerShift, User, WorkCalendar
from sentinel.people.rules import Role
from sentinel.problems.models import Problem, Proposal
from sentinel.workflows.record_response import Answer, Recorded, Signals, record_response
from tests.fakes.sender import FakeSender

START = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
HUMAN = Signals(trusted_event=True, script_ran=True, plain_step_passed=False)
BARE = Signals(trusted_event=False, script_ran=False, plain_step_passed=False)
SCRIPT = Signals(trusted_event=False, script_ran=True, plain_step_passed=False)


@dataclass
class World:
    """The cast; see the module. ``clock`` is the only time there is."""

    clock: FixedClock
    maria: User
    tom: User
    petra: User
    henrik: User
    ines: User
    otto: User
    ada: User
    alan: User
    account: Account
    kyiv: Site
    lisbon: Site
    olena: Worker
    joao: Worker
    other_account: Account
    other_worker: Worker
    programme: Programme
    email: FakeSender = field(default_factory=lambda: FakeSender(channel="email"))
    console: FakeSender = field(default_factory=lambda: FakeSender(channel="console"))
    chat: FakeSender = field(default_factory=lambda: FakeSender(channel="chat"))
    push: FakeSender = field(default_factory=lambda: FakeSender(channel="push"))
    voice: Sender | None = None

    @property
    def now(self) -> datetime:
        """The world's present."""
        return self.clock.now()

    # -- time -------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Let the engine do everything that is due now."""
        fakes = {fake.channel: fake for fake in (self.email, self.console, self.chat, self.push)}
        calls = {"voice": self.voice} if self.voice is not None else {}
        with registry.using({**fakes, **calls, "canary": CanarySender()}):
            run_once(self.now)

    def advance(self, **delta: float) -> None:
        """Let time pass, with the engine awake all the while: it acts at each due instant."""
        self.advance_to(self.now + timedelta(**delta))

    def advance_to(self, target: datetime) -> None:
        """Let time pass until an instant, the engine awake."""
        self.tick()
        while (due := self._next_due()) is not None and due <= target:
            self.clock.set(max(due, self.now))
            self.tick()
        self.clock.set(target)
        self.tick()

    def sleep_until(self, target: datetime) -> None:
        """Let time pass with the engine down."""
        self.clock.set(target)

    def _next_due(self) -> datetime | None:
        duty = Duty.objects.filter(quarantined_at__isnull=True).order_by("fire_at").first()
        found = (duty.fire_at if duty else None, next_visible_at(), next_delivery_at())
        known = [at for at in found if at is not None]
        later = [at for at in known if at > self.now]
        return min(later) if later else None

    # -- the worker -------------------------------------------------------------------------------

    def check_in(self, worker: Worker | None = None) -> CheckIn:
        """A check-in that was sent to a worker now."""
        worker = worker or self.olena
        return CheckIn.objects.create(
            programme=self.programme,
            worker=worker,
            planned_for=self.now,
            state=CheckInState.SENT.value,
            reason="monthly",
            language=worker.spoken_language,
            sent_at=self.now,
            created_at=self.now,
        )

    def answer(
        self,
        face: Face,
        text: str = "",
        *,
        worker: Worker | None = None,
        check_in: CheckIn | None = None,
        signals: Signals = HUMAN,
        **fields: Any,
    ) -> Recorded:
        """The worker presses a face."""
        check_in = check_in or self.check_in(worker)
        return record_response(
            check_in_id=check_in.pk,
            answer=Answer(face=face, text=text, **fields),
            signals=signals,
            now=self.now,
        )

    def frown(
        self,
        text: str = "The printer on floor 2 eats every page",
        *,
        worker: Worker | None = None,
        severity: Severity = Severity.HINDERS,
        **fields: Any,
    ) -> Problem:
        """The worker frowns; the problem it opened."""
        recorded = self.answer(
            Face.FROWN, text, worker=worker, kind=ResponseKind.PROBLEM, severity=severity, **fields
        )
        return Problem.objects.get(pk=recorded.problem_id or 0)

    # -- what to look at --------------------------------------------------------------------------

    def duty(self, problem: Problem) -> Duty:
        """The problem's one duty."""
        return Duty.objects.select_related("accountable").get(problem=problem)

    def proposal(self, problem: Problem) -> Proposal:
        """The newest proposal."""
        return Proposal.objects.filter(problem=problem).latest("id")

    def inbox(self, person: User | Worker, kind: str = "") -> list[MessageView]:
        """E-mails the fakes delivered to a person, oldest first; check-ins of a run among them."""
        who = "user" if isinstance(person, User) else "worker"
        messages = [
            m
            for m in messages_to(recipient_kind=who, recipient_id=person.pk)
            if m.channel == "email" and m.state == "accepted"
        ]
        if isinstance(person, Worker):
            sent = Delivery.objects.filter(worker_id=person.pk, state=DeliveryState.SENT.value)
            messages += [delivered(row) for row in sent.select_related("edition__template")]
        messages.sort(key=lambda m: m.created_at)
        return [m for m in messages if m.kind.startswith(kind)]

    def notices(self, user: User) -> list[MessageView]:
        """Console notices of a user, oldest first."""
        rows = messages_to(recipient_kind="user", recipient_id=user.pk)
        return [m for m in rows if m.channel == "console" and m.state == "accepted"]


def delivered(row: Delivery) -> MessageView:
    """A check-in of a run, as if it had been a message of the outbox."""
    mail = claimed(row)
    return MessageView(
        id=row.pk,
        dedupe_key=mail.dedupe_key,
        channel=mail.channel,
        kind=mail.kind,
        recipient_kind=mail.recipient_kind,
        recipient_id=mail.recipient_id,
        address=mail.address,
        state="accepted" if row.state == DeliveryState.SENT.value else row.state,
        attempts=row.attempts,
        message_id=mail.message_id,
        bundle_id=None,
        created_at=mail.created_at,
        first_due_at=mail.first_due_at,
        visible_at=row.next_at,
        settled_at=row.settled_at,
        read_at=None,
        last_error="",
        payload=mail.payload,
        problem_id=None,
        account_id=row.account_id,
    )


def _user(email: str, name: str, roles: list[Role], **columns: Any) -> User:
    columns.setdefault("zone", "Europe/Berlin")
    return User.objects.create_user(
        email=email,
        name=name,
        password="pass-" + name.split()[0].lower(),
        roles=[r.value for r in roles],
        **columns,
    )


def _worker(site: Site, name: str, email: str, **columns: Any) -> Worker:
    return Worker.objects.create(
        site=site, name=name, email=email, joined_at=START - timedelta(days=200), **columns
    )


def _permission(account: Account, by: User) -> None:
    Permission.objects.create(
        account=account,
        given_by="Lena Brandt, head of facilities",
        given_on=date(2025, 1, 10),
        evidence="Service contract, clause 9",
        recorded_by=by,
        recorded_at=START,
    )


def _programme() -> Programme:
    made = Programme.objects.create(
        name="Check-in",
        provider_name="Meridian Office Machines",
        questions={"en": "Do you have any problem, comment or suggestion for us?"},
        sender_address="sentinel@example.com",
        window_days=[1, 2, 3],
        window_start="09:00",
        window_end="11:00",
        started_at=START - timedelta(days=365),
    )
    return Programme.objects.get(pk=made.pk)


def build_world() -> World:
    """Insert the cast and install its clock. Use the ``world`` fixture."""
    fixed = FixedClock(START)
    clock.install(fixed)
    office = WorkCalendar.objects.create(name="Office")
    petra = _user("petra@example.com", "Petra Lang", [Role.MANAGER], calendar=office)
    common: dict[str, Any] = {"calendar": office, "manager": petra}
    maria = _user("maria@example.com", "Maria Schulz", [Role.OWNER], telephone="+4930555010", **common)
    tom = _user("tom@example.com", "Tom Becker", [Role.OWNER], **common)
    henrik = _user("henrik@example.com", "Henrik Vogel", [Role.EXECUTIVE], calendar=office)
    ines = _user("ines@example.com", "Ines Moreau", [Role.OFFICER], calendar=office, zone="Europe/Paris")
    otto = _user("otto@example.com", "Otto Fremd", [Role.OWNER], calendar=office)
    ada = _user("ada@example.com", "Ada Admin", [Role.ADMINISTRATOR], is_staff=True, is_superuser=True)
    alan = _user("alan@example.com", "Alan Yst", [Role.ANALYST])
    account = Account.objects.create(
        name="Lindgren Logistics",
        owner=maria,
        deputy=tom,
        manager=petra,
        focus_executive=henrik,
        created_at=START - timedelta(days=400),
    )
    kyiv = Site.objects.create(
        account=account, name="Kyiv", zone="Europe/Kyiv", calendar=office, language="en"
    )
    lisbon = Site.objects.create(
        account=account, name="Lisbon", zone="Europe/Lisbon", calendar=office, language="en"
    )
    other = Account.objects.create(name="Other Works", owner=otto, created_at=START - timedelta(days=400))
    other_site = Site.objects.create(
        account=other, name="Osaka", zone="Asia/Tokyo", calendar=office, language="ja"
    )
    for owned, by in ((account, maria), (other, otto)):
        _permission(owned, by)
    for day in range(366):
        OfficerShift.objects.create(on=START.date() + timedelta(days=day), officer=ines)
    ensure_default_ladder()
    return World(
        clock=fixed,
        maria=maria,
        tom=tom,
        petra=petra,
        henrik=henrik,
        ines=ines,
        otto=otto,
        ada=ada,
        alan=alan,
        account=account,
        kyiv=kyiv,
        lisbon=lisbon,
        olena=_worker(kyiv, "Olena Kovalenko", "olena@lindgren.example", telephone="+380445550101"),
        joao=_worker(lisbon, "João Reis", "joao@lindgren.example", telephone="+351215550102"),
        other_account=other,
        other_worker=_worker(other_site, "Sato Yui", "yui@other.example"),
        programme=_programme(),
    )


WorldMaker = Callable[[], World]
