"""What the database shows at this moment about each thing that must hold. A fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet

from sentinel.accounts.models import Account
from sentinel.assurance.models import Canary, Finding
from sentinel.assurance.rules import CANARY_PATIENCE, CYCLE_PATIENCE, TIMER_PATIENCE, Check, Seen
from sentinel.bulk.models import Delivery
from sentinel.bulk.selectors import sender_state
from sentinel.bulk.states import RunState
from sentinel.calls.exchanges import silent_exchange
from sentinel.escalation.models import Duty
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.states import IncomingState
from sentinel.outbox.selectors import waits
from sentinel.people.reach import people_out_of_reach
from sentinel.people.reach_rules import Reach
from sentinel.problems.models import Problem
from sentinel.problems.rules import OPEN_STATES

#: So many ids are kept as examples with a finding.
EXAMPLES = 20
_ON_ACCOUNT = ("owner", "deputy", "manager", "focus_executive")
_OPEN = [state.value for state in OPEN_STATES]
#: A sender that lives says so more often than this.
_SENDER_BREATH = timedelta(seconds=30)
#: Who has not been seen for so long was taken away on purpose.
_REMEMBERED = timedelta(days=7)


def look(now: datetime) -> list[Seen]:
    """Everything the auditor looks at, judged by nobody yet."""
    return [
        *_loop(now),
        *_messages(now),
        _unread_mail(now),
        *_check_ins(now),
        *_canaries(now),
        *_people(now),
        *_exchange(now),
    ]


def open_findings() -> QuerySet[Finding]:
    """What is wrong now, alarms first."""
    return Finding.objects.filter(over_at__isnull=True).order_by("grade", "first_seen_at")


def recent_findings(limit: int) -> list[Finding]:
    """What was wrong lately and is over, newest first."""
    return list(Finding.objects.filter(over_at__isnull=False).order_by("-over_at")[:limit])


def last_canary() -> Canary | None:
    """The newest test message."""
    return Canary.objects.order_by("-sent_at").first()


def last_arrived_canary() -> Canary | None:
    """The newest test message that was seen at the other end."""
    return Canary.objects.filter(arrived_at__isnull=False).order_by("-sent_at").first()


def problems_without_duty() -> list[int]:
    """Ids of open problems without a duty; the database refuses them, so there should never be one."""
    rows = Problem.objects.filter(state__in=_OPEN, duty__isnull=True)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:EXAMPLES])


def duties_without_problem() -> list[int]:
    """Ids of problems that are over and still have a duty."""
    rows = Duty.objects.exclude(problem__state__in=_OPEN)
    return list(rows.order_by("pk").values_list("pk", flat=True)[:EXAMPLES])


def _loop(now: datetime) -> Iterator[Seen]:
    orphans, strays = problems_without_duty(), duties_without_problem()
    yield Seen(check=Check.PROBLEM_WITHOUT_DUTY, count=len(orphans), ids=tuple(orphans))
    yield Seen(check=Check.DUTY_WITHOUT_PROBLEM, count=len(strays), ids=tuple(strays))
    late = Duty.objects.filter(quarantined_at__isnull=True, fire_at__lte=now)
    yield _seen(Check.TIMER_LATE, late, "fire_at")
    yield _seen(Check.DUTY_QUARANTINED, Duty.objects.filter(quarantined_at__isnull=False), "quarantined_at")


def _messages(now: datetime) -> Iterator[Seen]:
    for wait in waits(now):
        yield Seen(
            check=Check.MESSAGE_LATE, scope=wait.channel, count=wait.waiting, oldest=wait.oldest_due_at
        )
        yield Seen(
            check=Check.LEASE_EXPIRED, scope=wait.channel, count=wait.expired, oldest=wait.oldest_expired_at
        )


def _unread_mail(now: datetime) -> Seen:
    rows = IncomingMail.objects.filter(state=IncomingState.WAITING.value, next_at__lte=now)
    return _seen(Check.MAIL_UNREAD, rows, "received_at")


def _check_ins(now: datetime) -> Iterator[Seen]:
    """Due check-ins while no sender breathes, or one that breathed lately and stopped; a run or a sender
    that a person paused is no fault."""
    sender = sender_state()
    breathes = sender.alive_at is not None and now - sender.alive_at < _SENDER_BREATH
    if breathes or sender.paused_at is not None:
        return
    rows = Delivery.objects.filter(is_waiting=True, next_at__lte=now, run__state=RunState.RUNNING.value)
    unsent = _seen(Check.SENDER_SILENT, rows, "next_at")
    yield unsent
    if not unsent.count and sender.alive_at is not None and now - sender.alive_at < _REMEMBERED:
        yield Seen(check=Check.SENDER_GONE, count=1, oldest=sender.alive_at)


def _canaries(now: datetime) -> Iterator[Seen]:
    missing = Canary.objects.filter(arrived_at__isnull=True, sent_at__gt=now - timedelta(days=1))
    for row in missing.values("route").annotate(count=Count("id"), oldest=Min("sent_at")).order_by("route"):
        yield Seen(check=Check.CANARY_LATE, scope=row["route"], count=row["count"], oldest=row["oldest"])


def lost_people(now: datetime) -> list[Reach]:
    """Whom no notice reaches although a ladder, an account or the rota counts on them, by name."""
    accounts = Account.objects.filter(is_active=True)
    named = [Q(pk__in=accounts.values(role)) for role in _ON_ACCOUNT]
    return people_out_of_reach(now, named=reduce(or_, named))


def _people(now: datetime) -> Iterator[Seen]:
    """One of each, so that each is over by itself."""
    for reach in lost_people(now):
        yield Seen(
            check=Check.NOBODY_REACHABLE,
            scope=str(reach.user_id),
            count=1,
            ids=(reach.user_id,),
            detail=reach.why_never,
        )


def _exchange(now: datetime) -> Iterator[Seen]:
    beat = silent_exchange(str(settings.CALLS_BY.provider), now=now)
    if beat is not None:
        said = f"{beat.peer} does not answer" + (f" ({beat.detail})" if beat.detail else "")
        yield Seen(check=Check.EXCHANGE_SILENT, count=1, oldest=beat.silent_since, detail=said)


def _seen(check: Check, rows: QuerySet[Any], instant: str) -> Seen:
    facts = rows.aggregate(count=Count("pk"), oldest=Min(instant))
    ids = rows.order_by(instant).values_list("pk", flat=True)[:EXAMPLES] if facts["count"] else ()
    return Seen(check=check, count=facts["count"], oldest=facts["oldest"], ids=tuple(ids))


def worst_lateness(now: datetime) -> timedelta:
    """How late the most overdue timer is; zero when none is."""
    rows = Duty.objects.filter(Q(quarantined_at__isnull=True), fire_at__lte=now)
    oldest: datetime | None = rows.aggregate(oldest=Min("fire_at"))["oldest"]
    return now - oldest if oldest is not None else timedelta()


def nobody_watches(now: datetime) -> bool:
    """Whether no engine seems to look any more: then no finding appears, and their absence says nothing.

    Timers are later, or the last test message is older, than any working engine would leave them.
    """
    if open_findings().filter(last_seen_at__gt=now - CYCLE_PATIENCE).exists():
        return False  # somebody looks, and says what is wrong
    canary = last_canary()
    is_overdue = canary is not None and now - canary.sent_at > 2 * CANARY_PATIENCE
    return is_overdue or worst_lateness(now) > 2 * TIMER_PATIENCE
