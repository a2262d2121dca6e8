"""Failed check-ins go on their way again, to everybody who may still be asked, where they are today."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.accounts.models import Worker
from sentinel.bulk.editions import can_carry
from sentinel.bulk.models import Delivery
from sentinel.bulk.selectors import deliveries
from sentinel.bulk.services import Retry, retry_failed
from sentinel.bulk.states import DeliveryState
from sentinel.checkins.services import mark_sent_after_all, mark_undelivered
from sentinel.ui.mime import BadAddress, one_line, recipient_of
from sentinel.workflows.check_in_facts import why_not_asked_now

_CHUNK = 1000


def retry_deliveries(*, run_id: int, now: datetime, user_id: int | None = None, user_name: str = "") -> int:
    """Try the failed deliveries of a run again; returns how many.

    Everybody is judged as at any sending: who left, unsubscribed, has an open problem, or whose address is
    still marked as not working, is left out. Repaired names and addresses are used. The check-in counts
    as sent again. Raises RunUnknown.
    """
    with transaction.atomic():
        failed = list(deliveries(run_id, DeliveryState.FAILED).select_for_update())
        # What nobody was told of yet counts as sent, and would tire the worker.
        mark_undelivered([delivery.check_in_id for delivery in failed])
        retries: list[Retry] = []
        check_ins: list[int] = []
        for start in range(0, len(failed), _CHUNK):
            for delivery, retry in _judged(failed[start : start + _CHUNK], now):
                retries.append(retry)
                check_ins.append(delivery.check_in_id)
        retried = retry_failed(run_id=run_id, only=retries, now=now, user_id=user_id, user_name=user_name)
        mark_sent_after_all(check_ins, now=now)
    return retried


def _judged(failed: list[Delivery], now: datetime) -> list[tuple[Delivery, Retry]]:
    rows = Worker.objects.select_related("site__account").filter(pk__in=[d.worker_id for d in failed])
    workers = {worker.pk: worker for worker in rows}
    reasons = why_not_asked_now(list(workers.values()), now)
    found = []
    for delivery in failed:
        worker = workers.get(delivery.worker_id)
        if worker is None or reasons[worker.pk]:
            continue
        address = _address(worker)
        if address is not None:
            name = one_line(worker.name) or "-"
            found.append((delivery, Retry(delivery_id=delivery.pk, name=name, address=address)))
    return found


def _address(worker: Worker) -> str | None:
    try:
        address = recipient_of(worker.email).addr_spec
    except BadAddress:
        return None
    return address if can_carry(address) else None
