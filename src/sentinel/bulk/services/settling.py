"""Deliveries one by one, for the engine's single turns: in tests, and while a demonstration is filled.

The sender's process does the same in its own SQL, thousands at a time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest

from sentinel.bulk.models import Delivery, DomainLane, Run
from sentinel.bulk.selectors import sendable
from sentinel.bulk.states import DeliveryState
from sentinel.kernel.errors import SentinelError

_NOT_BEGUN = [
    DeliveryState.PENDING.value,
    DeliveryState.DEFERRED.value,
    DeliveryState.CLAIMED.value,
]


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


def _hold_beginnings() -> set[int]:
    """Let no sender begin anything until this transaction ends; returns what is begun already.

    Taken before any delivery's row: the sender's commits take them in the other order, and rows that it
    holds are skipped. It waits some milliseconds, and then finds that what was taken back is not its any
    more (a beginning looks at the state again).
    """
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE bulk_begun IN SHARE MODE")
        cursor.execute("SELECT unnest(deliveries) FROM bulk_begun")
        return {pk for (pk,) in cursor.fetchall()}


def withdraw(reasons: Mapping[int, str], *, now: datetime) -> list[int]:
    """Take deliveries back that nobody has begun, each with its reason; returns the ids that it took.

    Also those a sender holds and has not begun: behind a slow domain that can be for an hour. What is on
    the wire or sent stays. Counts follow in the same transaction.
    """
    taken: list[int] = []
    counted: dict[int, tuple[int, int]] = {}
    with transaction.atomic():
        if not reasons:
            return []
        begun = _hold_beginnings()
        waiting = Delivery.objects.select_for_update(skip_locked=True).filter(
            pk__in=set(reasons) - begun, state__in=_NOT_BEGUN
        )
        by_reason: dict[str, list[int]] = defaultdict(list)
        for pk, run_id, attempts in waiting.values_list("pk", "run_id", "attempts"):
            taken.append(pk)
            by_reason[reasons[pk][:60]].append(pk)
            before = counted.get(run_id, (0, 0))
            # Whatever was tried before counts as deferred until it is over, also while a sender holds it.
            counted[run_id] = (before[0] + 1, before[1] + (attempts > 0))
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
