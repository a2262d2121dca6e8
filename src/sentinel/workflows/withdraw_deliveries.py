"""Check-ins that wait for long are judged again: whoever must not be asked any more is not.

A run may stand still for days, and a busy mail server is tried for a day. Meanwhile people unsubscribe,
leave, report a problem, or their employer withdraws the permission.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import CharField, Exists, Func, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat, Lower

from sentinel.accounts.models import Worker
from sentinel.accounts.rules import MailState, Rhythm, WorkerStatus
from sentinel.accounts.selectors import permitted_site_ids
from sentinel.bulk.models import Delivery
from sentinel.bulk.selectors import waiting_since
from sentinel.bulk.services import withdraw
from sentinel.checkins.rules import WhyNot
from sentinel.checkins.services import mark_undelivered
from sentinel.problems.models import Problem
from sentinel.problems.rules import OPEN_STATES
from sentinel.standing.selectors import braked_account_ids, in_force
from sentinel.workflows.check_in_facts import why_not_asked_now

#: What was launched just now was judged just now.
JUDGED_FOR = timedelta(minutes=2)


def withdraw_deliveries(*, now: datetime, limit: int = 500, judged_for: timedelta = JUDGED_FOR) -> int:
    """Take back up to ``limit`` waiting deliveries to workers who must not be asked now; returns how many.

    ``judged_for``: whatever was launched longer ago is judged again; zero judges all, for instance before a
    run that stood still goes on. One transaction: the delivery is skipped with the reason and the check-in
    counts as never sent.
    """
    waiting = waiting_since(now - judged_for)
    if not waiting.exists():
        return 0
    with transaction.atomic():
        found = list(waiting.filter(worker_id__in=_suspects(now).values("pk")).order_by("pk")[:limit])
        reasons = _reasons(found, now)
        taken = set(withdraw({pk: ",".join(r.value for r in why) for pk, why in reasons.items()}, now=now))
        by_reason: dict[tuple[WhyNot, ...], list[int]] = defaultdict(list)
        for delivery in found:
            if delivery.pk in taken:
                by_reason[reasons[delivery.pk]].append(delivery.check_in_id)
        for why, check_in_ids in by_reason.items():
            mark_undelivered(check_in_ids, reasons=why)
    return len(taken)


def judge_waiting_again(*, now: datetime) -> int:
    """Judge everything that waits at once, however lately it was launched; returns how many were taken back.

    Before what stood still goes on, and after somebody asked to be left alone: neither may wait for the
    engine's next look.
    """
    taken = 0
    while found := withdraw_deliveries(now=now, judged_for=timedelta()):
        taken += found
    return taken


def _reasons(found: list[Delivery], now: datetime) -> dict[int, tuple[WhyNot, ...]]:
    """Why each of them must not go, without the check-in itself tiring its worker."""
    workers = Worker.objects.select_related("site__account").filter(pk__in=[d.worker_id for d in found])
    judged = why_not_asked_now(list(workers), now)
    reasons = {
        delivery.pk: tuple(r for r in judged[delivery.worker_id] if r is not WhyNot.FATIGUE)
        for delivery in found
        if delivery.worker_id in judged
    }
    return {pk: why for pk, why in reasons.items() if why}


def _suspects(now: datetime) -> QuerySet[Worker]:
    """Workers about whom something speaks against asking; the rules then judge exactly."""
    yesterday = now.date() - timedelta(days=1)
    address = Lower(OuterRef("email"))
    domain = Func(address, Value("@"), Value(2), function="split_part", output_field=CharField())
    open_problems = Problem.objects.filter(
        worker=OuterRef("pk"), state__in=[state.value for state in OPEN_STATES]
    )
    suppressed = in_force().filter(address__in=(address, Concat(Value("@"), domain)))
    return Worker.objects.filter(
        Q(unsubscribed_at__isnull=False)
        | ~Q(status=WorkerStatus.ACTIVE.value)
        | ~Q(mail_state=MailState.GOOD.value)
        | Q(rhythm=Rhythm.PAUSE.value)
        | Q(paused_until__gt=yesterday)
        | Q(away_until__gt=yesterday)
        | Q(site__account__is_active=False)
        | Q(site__account__in=braked_account_ids())
        | ~Q(site__in=permitted_site_ids(now))
        | Exists(open_problems)
        | Exists(suppressed)
    )
