"""Deliveries one by one, for the engine's single turns: in tests, and while a demonstration is filled.

The sender's process does the same in its own SQL, thousands at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest

from sentinel.bulk.models import Delivery, DomainLane, Run
from sentinel.bulk.selectors import sendable
from sentinel.bulk.states import DeliveryState
from sentinel.kernel.errors import SentinelError


class DeliveryLost(SentinelError):
    """Somebody else settled the delivery meanwhile."""


def begin_next(now: datetime) -> Delivery | None:
    """The delivery that is due first, marked as begun; None when nothing may go out now."""
    with transaction.atomic():
        found = sendable(now).select_for_update(of=("self",), skip_locked=True).first()
        if found is None:
            return None
        if found.state == DeliveryState.DEFERRED.value:
            Run.objects.filter(pk=found.run_id).update(deferred=Greatest(F("deferred") - 1, 0))
        found.state = DeliveryState.BEGUN.value
        found.save(update_fields=["state"])
        return found


def settle_one(
    delivery: Delivery,
    *,
    state: DeliveryState,
    now: datetime,
    next_at: datetime | None = None,
    relay: str = "",
    code: int | None = None,
    enhanced: str = "",
    answer: str = "",
) -> None:
    """Write what a begun delivery came to: sent, deferred (with ``next_at``) or failed; one transaction.

    Raises :class:`DeliveryLost` when it is not begun any more.
    """
    columns: dict[str, object] = {
        "state": state.value,
        "attempts": F("attempts") + 1,
        "first_tried_at": Coalesce(F("first_tried_at"), now),
        "settled_at": None if state is DeliveryState.DEFERRED else now,
        "next_at": next_at or delivery.next_at,
        "relay": relay[:80],
        "code": code,
        "enhanced": enhanced[:11],
        "answer": answer.replace("\0", "")[:500],
    }
    with transaction.atomic():
        begun = Delivery.objects.filter(pk=delivery.pk, state=DeliveryState.BEGUN.value)
        if begun.update(**columns) != 1:
            raise DeliveryLost(f"delivery {delivery.pk} is not begun any more")
        run = Run.objects.filter(pk=delivery.run_id)
        if state is DeliveryState.SENT:
            run.update(sent=F("sent") + 1, first_sent_at=Coalesce(F("first_sent_at"), now), last_sent_at=now)
        elif state is DeliveryState.FAILED:
            run.update(failed=F("failed") + 1)
        else:
            run.update(deferred=F("deferred") + 1)


def withdraw(reasons: Mapping[int, str], *, now: datetime) -> list[int]:
    """Take deliveries back that nobody has begun, each with its reason; returns the ids that it took.

    What a sender holds or has sent stays: it is on its way or gone. Counts follow in the same transaction.
    """
    taken: list[int] = []
    counted: dict[int, tuple[int, int]] = {}
    with transaction.atomic():
        waiting = Delivery.objects.select_for_update(skip_locked=True).filter(
            pk__in=reasons, state__in=[DeliveryState.PENDING.value, DeliveryState.DEFERRED.value]
        )
        by_reason: dict[str, list[int]] = defaultdict(list)
        for pk, run_id, state in waiting.values_list("pk", "run_id", "state"):
            taken.append(pk)
            by_reason[reasons[pk][:60]].append(pk)
            before = counted.get(run_id, (0, 0))
            was_deferred = state == DeliveryState.DEFERRED.value
            counted[run_id] = (before[0] + 1, before[1] + was_deferred)
        for reason, ids in by_reason.items():
            Delivery.objects.filter(pk__in=ids).update(
                state=DeliveryState.SKIPPED.value, reason=reason, settled_at=now
            )
        for run_id, (skipped, deferred) in sorted(counted.items()):
            Run.objects.filter(pk=run_id).update(
                skipped=F("skipped") + skipped, deferred=Greatest(F("deferred") - deferred, 0)
            )
    return taken


def mark_reported(delivery_ids: Collection[int], *, now: datetime) -> None:
    """The ends of these deliveries were told to whoever must know."""
    Delivery.objects.filter(pk__in=delivery_ids).update(reported_at=now)


def mark_lanes_reported(domains: Collection[str], *, now: datetime) -> None:
    """People were told that these domains stand still."""
    DomainLane.objects.filter(domain__in=domains).update(reported_at=now)
