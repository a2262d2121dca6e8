"""Deliveries one by one, for the engine's single turns: in tests, and while a demonstration is filled.

The sender's process does the same in its own SQL, thousands at a time.
"""

from __future__ import annotations

from collections.abc import Collection
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


def mark_reported(delivery_ids: Collection[int], *, now: datetime) -> None:
    """The ends of these deliveries were told to whoever must know."""
    Delivery.objects.filter(pk__in=delivery_ids).update(reported_at=now)


def mark_lanes_reported(domains: Collection[str], *, now: datetime) -> None:
    """People were told that these domains stand still."""
    DomainLane.objects.filter(domain__in=domains).update(reported_at=now)
