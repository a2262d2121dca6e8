"""What Today shows: everything that waits for this user, whoever suffers longest first."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Case, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When

from sentinel.accounts.models import Account, Worker
from sentinel.accounts.rules import MailState, WorkerStatus
from sentinel.accounts.selectors import accounts_visible_to
from sentinel.checkins.models import CheckIn, PleaseCheck, Response
from sentinel.checkins.rules import CheckInState, Evidence, ResponseKind, Severity
from sentinel.checkins.selectors import responses_visible_to
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind
from sentinel.people.models import OfficerShift, User
from sentinel.people.rules import Role
from sentinel.people.selectors import officer_on, stood_in_for
from sentinel.problems.rules import OPEN_STATES
from sentinel.problems.selectors import problems_visible_to

ACTING = (Role.OWNER, Role.MANAGER, Role.EXECUTIVE, Role.OFFICER)
CALLING = (DutyKind.ACKNOWLEDGE.value, DutyKind.CALL.value)
VOICES = (ResponseKind.COMMENT.value, ResponseKind.SUGGESTION.value, ResponseKind.PRAISE.value)
MOST = 50
# Two monthly cycles without a word from anybody at an account that was asked all the time.
SILENCE = timedelta(days=62)
_OPEN = [s.value for s in OPEN_STATES]


@dataclass(frozen=True, kw_only=True)
class Today:
    """The lists of one user's day; each is in the order in which to work it off."""

    calls: list[Duty]
    late: list[Duty]
    promises: list[Duty]
    unconfirmed: list[Duty]
    please_checks: list[PleaseCheck]
    voices: list[Response]
    bounced: list[Worker]
    silent: list[Account]
    reads_only: bool
    shift: OfficerShift | None = None
    officer: User | None = None
    stands_in_for: list[User] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nobody waits for this user."""
        return not any(
            (
                self.calls,
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
    def waiting(self) -> int:
        """Workers who wait for something that this user owes now."""
        return len(self.calls) + len(self.late)

    @property
    def fingerprint(self) -> str:
        """Changes exactly when the page would show something else; a refresh without news leaves it alone."""
        duties = [(d.pk, d.kind, d.generation, d.rung, d.due_at, d.accountable_id) for d in self._duties()]
        others = [
            [row.pk for row in rows] for rows in (self.please_checks, self.voices, self.bounced, self.silent)
        ]
        sections = [len(rows) for rows in (self.calls, self.late, self.promises, self.unconfirmed)]
        return hashlib.sha256(repr((duties, others, sections)).encode()).hexdigest()[:16]

    def _duties(self) -> list[Duty]:
        return [*self.calls, *self.late, *self.promises, *self.unconfirmed]


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
        "problem__worker", "problem__site", "problem__account", "problem__owner", "accountable"
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
    return rows.exclude(text="").select_related("worker__site__account").order_by("received_at")


def open_please_checks(user: User, now: datetime) -> QuerySet[PleaseCheck]:
    """Provisional frowns to look at, oldest first."""
    visible = responses_visible_to(user, now).values("pk")
    rows = PleaseCheck.objects.filter(settled_at__isnull=True, response__in=visible)
    return rows.select_related("response__worker__site__account").order_by("raised_at")


def count_urgent(user: User, now: datetime) -> int:
    """Workers who wait for a call or for something late."""
    return my_duties(user, now).filter(Q(kind__in=CALLING) | Q(due_at__lt=now)).count()


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


def today_of(user: User, now: datetime) -> Today:
    """Everything that waits for this user now."""
    duties = list(my_duties(user, now)[: 4 * MOST])
    accounts = my_accounts(user, now)
    mine = accounts.values("pk")
    calls = [d for d in duties if d.kind in CALLING]
    rest = [d for d in duties if d.kind not in CALLING]
    waiting = [d for d in rest if d.kind == DutyKind.ASK.value]
    bounced = Worker.objects.filter(site__account__in=mine, status=WorkerStatus.ACTIVE.value)
    officer = officer_on(now)
    return Today(
        calls=calls[:MOST],
        late=[d for d in rest if d.kind != DutyKind.ASK.value and d.due_at < now][:MOST],
        promises=[d for d in rest if d.kind != DutyKind.ASK.value and d.due_at >= now][:MOST],
        unconfirmed=waiting[:MOST],
        please_checks=list(
            open_please_checks(user, now).filter(response__worker__site__account__in=mine)[:MOST]
        ),
        voices=list(unanswered(user, now).filter(worker__site__account__in=mine)[:MOST]),
        bounced=list(bounced.exclude(mail_state=MailState.GOOD.value).select_related("site__account")[:MOST]),
        silent=list(silent_accounts(accounts, now)[:MOST]),
        reads_only=not user.has_role(*ACTING),
        shift=shift_of(officer, now) if officer == user else None,
        officer=officer,
        stands_in_for=stood_in_by(user, now),
    )


def shift_of(officer: User | None, now: datetime) -> OfficerShift | None:
    """The officer's shift at this instant, or the latest one with a note for them."""
    if officer is None:
        return None
    return (
        OfficerShift.objects.filter(officer=officer, on__lte=now.date() + timedelta(days=1))
        .order_by("-on")
        .first()
    )
