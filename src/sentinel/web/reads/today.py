"""What Today shows: everything that waits for this user, whoever suffers longest first."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When

from sentinel.accounts.models import Account, Worker
from sentinel.accounts.rules import MailState, WorkerStatus
from sentinel.accounts.selectors import accounts_visible_to
from sentinel.calls.models import PlacedCall
from sentinel.calls.selectors import own_call_going_on
from sentinel.checkins.models import CheckIn, PleaseCheck, Response
from sentinel.checkins.rules import CheckInState, Evidence, ResponseKind, Severity
from sentinel.checkins.selectors import responses_visible_to
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind
from sentinel.people.models import OfficerShift, User
from sentinel.people.rota import note_before
from sentinel.people.rules import Role
from sentinel.people.selectors import officer_on, stood_in_for
from sentinel.problems.rules import OPEN_STATES
from sentinel.problems.selectors import problems_visible_to
from sentinel.web.reads.line import outcomes_owed_by
from sentinel.web.reads.problem import WorkerNow, worker_now

ACTING = (Role.OWNER, Role.MANAGER, Role.EXECUTIVE, Role.OFFICER)
CALLING = (DutyKind.ACKNOWLEDGE.value, DutyKind.CALL.value)
VOICES = (ResponseKind.COMMENT.value, ResponseKind.SUGGESTION.value, ResponseKind.PRAISE.value)
MOST = 50
# Two monthly cycles without a word from anybody at an account that was asked all the time.
SILENCE = timedelta(days=62)
_OPEN = [s.value for s in OPEN_STATES]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One duty on Today, and whether its worker is at work now."""

    duty: Duty
    worker: WorkerNow


@dataclass(frozen=True, kw_only=True)
class Today:
    """The lists of one user's day; each is in the order in which to work it off.

    ``calls`` can be made now; ``calls_later`` wait until the worker's site opens; ``others`` are answered
    for by somebody else. ``talked``: calls after which the user has not said how it went; ``talking``: the
    one they are in.
    """

    calls: list[Row]
    calls_later: list[Row]
    late: list[Row]
    promises: list[Row]
    unconfirmed: list[Row]
    others: list[Row]
    please_checks: list[PleaseCheck]
    voices: list[Response]
    bounced: list[Worker]
    silent: list[Account]
    reads_only: bool
    shift: OfficerShift | None = None
    left: OfficerShift | None = None
    officer: User | None = None
    stands_in_for: list[User] = field(default_factory=list)
    talked: list[PlacedCall] = field(default_factory=list)
    talking: PlacedCall | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nobody waits for this user."""
        return not any(
            (
                self.talked,
                self.talking,
                self.calls,
                self.calls_later,
                self.others,
                self.late,
                self.promises,
                self.unconfirmed,
                self.please_checks,
                self.voices,
                self.bounced,
                self.silent,
            )
        )

    @property
    def has_duties(self) -> bool:
        """Whether there is an order to explain."""
        return any(self._sections())

    @property
    def fingerprint(self) -> str:
        """Changes exactly when the page would show something else; a refresh without news leaves it alone."""
        sections = [[_mark(row) for row in rows] for rows in self._sections()]
        others = [
            [row.pk for row in rows]
            for rows in (self.please_checks, self.voices, self.bounced, self.silent, self.talked)
        ]
        talking = self.talking and (self.talking.pk, self.talking.bridged_at)
        return hashlib.sha256(repr((sections, others, talking)).encode()).hexdigest()[:16]

    def _sections(self) -> tuple[list[Row], ...]:
        return self.calls, self.calls_later, self.late, self.promises, self.unconfirmed, self.others


def _mark(row: Row) -> tuple[object, ...]:
    duty = row.duty
    return (
        duty.pk,
        duty.kind,
        duty.generation,
        duty.rung,
        duty.due_at,
        duty.accountable_id,
        row.worker.is_at_work,
    )


def stood_in_by(user: User, now: datetime) -> list[User]:
    """Users who are away now and for whom this user stands in."""
    return list(User.objects.filter(pk__in=stood_in_for(user.pk, now)))


def my_duties(user: User, now: datetime) -> QuerySet[Duty]:
    """Duties of visible problems that are this user's to move, work stopped first, then the oldest.

    Theirs by accountability, by ownership, by standing in, or because the ladder has climbed to them as
    manager or executive. Somebody who only reads sees them all.
    """
    visible = problems_visible_to(user, now).filter(state__in=_OPEN).values("pk")
    rows = Duty.objects.filter(problem__in=visible)
    if user.has_role(*ACTING):
        mine = Q(accountable=user) | Q(problem__owner=user)
        mine |= Q(problem__owner__in=stood_in_for(user.pk, now))
        mine |= Q(problem__account__manager=user, rung__gte=2)
        mine |= Q(problem__account__focus_executive=user, rung__gte=4)
        rows = rows.filter(mine)
    rows = rows.select_related(
        "problem__worker", "problem__site__calendar", "problem__account", "problem__owner", "accountable"
    )
    stopped_first = Case(
        When(problem__severity=Severity.STOPPED.value, then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )
    return rows.order_by(stopped_first, "problem__opened_at", "problem_id")


def my_accounts(user: User, now: datetime) -> QuerySet[Account]:
    """Accounts whose quiet work (voices, bounces, silence) lands on this user's Today."""
    rows = accounts_visible_to(user, now)
    if not user.has_role(*ACTING):
        return rows
    owners = [user.pk, *stood_in_for(user.pk, now)]
    return rows.filter(owner__in=owners)


def unanswered(user: User, now: datetime) -> QuerySet[Response]:
    """Verified comments, suggestions and praise that nobody has answered."""
    rows = responses_visible_to(user, now).filter(
        kind__in=VOICES,
        evidence=Evidence.VERIFIED.value,
        answered_at__isnull=True,
        superseded_by__isnull=True,
    )
    return rows.exclude(text="").select_related("worker__site__account").order_by("received_at", "pk")


def open_please_checks(user: User, now: datetime) -> QuerySet[PleaseCheck]:
    """Provisional frowns to look at, oldest first."""
    visible = responses_visible_to(user, now).values("pk")
    rows = PleaseCheck.objects.filter(settled_at__isnull=True, response__in=visible)
    return rows.select_related("response__worker__site__account").order_by("raised_at", "pk")


def count_urgent(user: User, now: datetime) -> int:
    """Workers who wait for a call or for something late."""
    rows = my_duties(user, now).filter(Q(kind__in=CALLING) | Q(due_at__lt=now))
    answers = answered_for_by(user, now)
    return (rows if answers is None else rows.filter(accountable__in=answers)).count()


def answered_for_by(user: User, now: datetime) -> set[int] | None:
    """Whose duties are this user's own: theirs and those of whom they stand in for. None for somebody who
    only reads: there nothing is their own, so nothing is set apart as somebody else's."""
    if not user.has_role(*ACTING):
        return None
    return {user.pk, *stood_in_for(user.pk, now)}


def count_unanswered(user: User, now: datetime) -> int:
    """Voices at the user's own accounts that wait for an answer."""
    return unanswered(user, now).filter(worker__site__account__in=my_accounts(user, now).values("pk")).count()


def silent_accounts(accounts: QuerySet[Account], now: datetime) -> QuerySet[Account]:
    """Accounts asked for more than two cycles from which nobody has said anything since."""
    since = now - SILENCE
    asked = CheckIn.objects.filter(worker__site__account=OuterRef("pk"), state=CheckInState.SENT.value)
    heard = Response.objects.filter(worker__site__account=OuterRef("pk"), received_at__gte=since)
    return accounts.filter(
        Exists(asked.filter(sent_at__lt=since)), Exists(asked.filter(sent_at__gte=since)), ~Exists(heard)
    )


def _rows(duties: QuerySet[Duty], now: datetime) -> list[Row]:
    """Late first, work stopped before the rest, then by due time. One calendar per site."""
    found = list(duties)
    by_site: dict[int, WorkerNow] = {}
    for duty in found:
        if duty.problem.site_id not in by_site:
            by_site[duty.problem.site_id] = worker_now(duty.problem, now)

    def order(duty: Duty) -> tuple[bool, bool, datetime]:
        return duty.due_at >= now, duty.problem.severity != Severity.STOPPED.value, duty.due_at

    return [Row(duty=duty, worker=by_site[duty.problem.site_id]) for duty in sorted(found, key=order)]


def today_of(user: User, now: datetime) -> Today:
    """Everything that waits for this user now."""
    rows = _rows(my_duties(user, now)[: 4 * MOST], now)
    answers = answered_for_by(user, now)
    mine_to_move = [row for row in rows if answers is None or row.duty.accountable_id in answers]
    accounts = my_accounts(user, now)
    mine = accounts.values("pk")
    calls = [row for row in mine_to_move if row.duty.kind in CALLING]
    waiting = [row for row in mine_to_move if row.duty.kind == DutyKind.ASK.value]
    rest = [row for row in mine_to_move if row not in calls and row not in waiting]
    bounced = Worker.objects.filter(site__account__in=mine, status=WorkerStatus.ACTIVE.value)
    officer = officer_on(now)
    return Today(
        calls=[row for row in calls if row.worker.is_at_work][:MOST],
        calls_later=[row for row in calls if not row.worker.is_at_work][:MOST],
        others=[row for row in rows if row not in mine_to_move][:MOST],
        late=[row for row in rest if row.duty.due_at < now][:MOST],
        promises=[row for row in rest if row.duty.due_at >= now][:MOST],
        unconfirmed=waiting[:MOST],
        please_checks=list(
            open_please_checks(user, now).filter(response__worker__site__account__in=mine)[:MOST]
        ),
        voices=list(unanswered(user, now).filter(worker__site__account__in=mine)[:MOST]),
        bounced=list(bounced.exclude(mail_state=MailState.GOOD.value).select_related("site__account")[:MOST]),
        silent=list(silent_accounts(accounts, now)[:MOST]),
        reads_only=not user.has_role(*ACTING),
        shift=shift_of(officer, now) if officer == user else None,
        left=note_before(local_day(now, user)) if officer == user else None,
        officer=officer,
        stands_in_for=stood_in_by(user, now),
        talked=outcomes_owed_by(user, now),
        talking=own_call_going_on(user.pk),
    )


def local_day(now: datetime, user: User) -> date:
    """Today, where the user is."""
    return now.astimezone(ZoneInfo(user.zone)).date()


def shift_of(officer: User | None, now: datetime) -> OfficerShift | None:
    """The officer's shift at this instant, or the latest one with a note for them."""
    if officer is None:
        return None
    return (
        OfficerShift.objects.filter(officer=officer, on__lte=now.date() + timedelta(days=1))
        .order_by("-on")
        .first()
    )
