"""Reading check-ins and responses. Everything for many workers comes in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import CharField, Exists, Func, Max, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat, Lower

from sentinel.accounts.models import Worker
from sentinel.accounts.rules import MailState, Rhythm, WorkerStatus
from sentinel.accounts.selectors import accounts_visible_to, permitted_site_ids
from sentinel.checkins.models import CheckIn, PleaseCheck, Programme, Response
from sentinel.checkins.rules import PROVISIONAL_PATIENCE, CadenceRules, CheckInState, Evidence, Face
from sentinel.kernel.calendars import SendWindow
from sentinel.people.models import User
from sentinel.standing.selectors import braked_account_ids, in_force

#: How far back the cadence looks; the quarterly rhythm needs one year of silence to show.
MEMORY = timedelta(days=730)
#: A provisional frown older than its link is no longer news.
_STILL_NEWS = timedelta(days=45)


def active_programme() -> Programme | None:
    """The one programme that asks; None before the set-up."""
    return Programme.objects.filter(is_active=True).first()


def describe_programme(programme: Programme) -> dict[str, object]:
    """A programme as it stands now, for the timeline and the shell."""
    return {
        "name": programme.name,
        "provider_name": programme.provider_name,
        "sender_address": programme.sender_address,
        "is_active": programme.is_active,
        "questions": dict(programme.questions),
        "window_days": list(programme.window_days),
        "window_start": f"{programme.window_start:%H:%M}",
        "window_end": f"{programme.window_end:%H:%M}",
        "new_worker_weeks": programme.new_worker_weeks,
        "silent_cycles_before_slowing": programme.silent_cycles_before_slowing,
        "minimum_days_between": programme.minimum_days_between,
        "follow_up_days": programme.follow_up_days,
        "answer_valid_days": programme.answer_valid_days,
    }


def window_of(programme: Programme) -> SendWindow:
    """The programme's send window, in the site's wall time."""
    return SendWindow(
        days=frozenset(programme.window_days), start=programme.window_start, end=programme.window_end
    )


def cadence_of(programme: Programme) -> CadenceRules:
    """The programme's cadence, as the rules want it."""
    return CadenceRules(
        new_worker_weeks=programme.new_worker_weeks,
        silent_cycles_before_slowing=programme.silent_cycles_before_slowing,
        minimum_days_between=programme.minimum_days_between,
        follow_up_days=programme.follow_up_days,
    )


@dataclass(frozen=True, kw_only=True)
class History:
    """What was asked and answered, per worker; instants oldest first, within :data:`MEMORY`."""

    sent: tuple[datetime, ...] = ()
    last_answer_at: datetime | None = None
    last_skipped_for: datetime | None = None

    def sent_since(self, moment: datetime) -> int:
        """How many check-ins went out after ``moment``."""
        return sum(1 for at in self.sent if at > moment)


def histories(worker_ids: Collection[int], now: datetime) -> dict[int, History]:
    """The histories of many workers; two queries."""
    asked = (
        CheckIn.objects.filter(worker__in=worker_ids, created_at__gt=now - MEMORY)
        .values("worker_id")
        .annotate(
            sent=ArrayAgg("sent_at", filter=Q(state=CheckInState.SENT.value), order_by="sent_at", default=[]),
            skipped=Max("planned_for", filter=Q(state=CheckInState.SKIPPED.value)),
        )
        .order_by()
    )
    answered = dict(
        Response.objects.filter(worker__in=worker_ids, evidence=Evidence.VERIFIED.value)
        .values_list("worker_id")
        .annotate(last=Max("received_at"))
        .order_by()
    )
    found = {
        row["worker_id"]: History(
            sent=tuple(row["sent"]),
            last_skipped_for=row["skipped"],
            last_answer_at=answered.get(row["worker_id"]),
        )
        for row in asked
    }
    return {pk: found.get(pk) or History(last_answer_at=answered.get(pk)) for pk in worker_ids}


def workers_without_plan(now: datetime) -> QuerySet[Worker]:
    """Workers who might be asked and have no planned check-in, by id.

    The database leaves out who cannot be asked for now (left, unsubscribed, bouncing, suppressed, paused
    without end, no permission for the site, an account whose check-ins stand still), so that planning
    everybody else comes to an end. The exact judgement is the rules', at sending.
    """
    planned = CheckIn.objects.filter(worker=OuterRef("pk"), state=CheckInState.PLANNED.value)
    address = Lower(OuterRef("email"))
    domain = Func(address, Value("@"), Value(2), function="split_part", output_field=CharField())
    suppressed = in_force().filter(address__in=(address, Concat(Value("@"), domain)))
    return (
        Worker.objects.filter(
            ~Exists(planned),
            ~Exists(suppressed),
            ~Q(site__account__in=braked_account_ids()),
            ~Q(rhythm=Rhythm.PAUSE.value, paused_until__isnull=True),
            # Sites are few: judging them first spares the database a look at permissions per worker.
            site__in=permitted_site_ids(now),
            status=WorkerStatus.ACTIVE.value,
            unsubscribed_at__isnull=True,
            mail_state=MailState.GOOD.value,
        )
        .select_related("site__calendar", "site__account")
        .order_by("pk")
    )


def due_check_ins(now: datetime) -> QuerySet[CheckIn]:
    """Planned check-ins whose slot has come, the oldest first."""
    return CheckIn.objects.filter(state=CheckInState.PLANNED.value, planned_for__lte=now).order_by(
        "planned_for", "pk"
    )


def unvouched_frowns(now: datetime) -> QuerySet[Response]:
    """Provisional frowns that nothing contradicted or confirmed for :data:`PROVISIONAL_PATIENCE`."""
    return (
        Response.objects.filter(
            face=Face.FROWN.value,
            evidence=Evidence.PROVISIONAL.value,
            superseded_by__isnull=True,
            please_check__isnull=True,
            received_at__lte=now - PROVISIONAL_PATIENCE,
            received_at__gt=now - _STILL_NEWS,
        )
        .select_related("worker__site__account__owner")
        .order_by("received_at", "pk")
    )


def responses_visible_to(user: User, now: datetime) -> QuerySet[Response]:
    """Answers of workers of the accounts the user may see; every list, page and export asks here."""
    visible = accounts_visible_to(user, now).values("pk")
    return Response.objects.filter(worker__site__account__in=visible)


def please_checks_visible_to(user: User, now: datetime) -> QuerySet[PleaseCheck]:
    """Open "please check" lines of the accounts the user may see, the oldest first."""
    visible = accounts_visible_to(user, now).values("pk")
    return (
        PleaseCheck.objects.filter(settled_at__isnull=True, response__worker__site__account__in=visible)
        .select_related("response__worker__site__account", "response__check_in")
        .order_by("raised_at", "pk")
    )


def responses_of_worker(worker_id: int) -> QuerySet[Response]:
    """Everything a worker answered, newest first, without what they themselves replaced."""
    return Response.objects.filter(worker=worker_id, superseded_by__isnull=True).select_related("check_in")


def check_ins_of_worker(worker_id: int) -> QuerySet[CheckIn]:
    """Everything a worker was asked, is to be asked, or why not, newest first."""
    return CheckIn.objects.filter(worker=worker_id).order_by("-planned_for", "-pk")


def next_planned_at() -> datetime | None:
    """When the next check-in falls due, for sleeping exactly that long."""
    first = (
        CheckIn.objects.filter(state=CheckInState.PLANNED.value)
        .order_by("planned_for")
        .values_list("planned_for")
    ).first()
    return first[0] if first else None
