"""Reading runs, deliveries and lanes; every number comes from the rows that the sender commits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F, Max, Min, Q, QuerySet

from sentinel.bulk.models import Begun, Delivery, DomainLane, Run, SenderState
from sentinel.bulk.states import LIVE_STATES, DeliveryState, RunState

_READY = (DeliveryState.PENDING.value, DeliveryState.DEFERRED.value)
_ASIDE = (DeliveryState.DEFERRED, DeliveryState.FAILED, DeliveryState.SKIPPED)
#: Without a sign of life for this long the sender's word on its speed counts no more.
FRESH = timedelta(seconds=15)
_ON_ITS_WAY = Q(state__in=[state.value for state in LIVE_STATES])


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where a run stands. ``waiting``: everything still on its way, ``deferred`` of it for another try.

    ``rate_per_minute`` is None while nothing moves; ``finished_at_estimate`` then, too. ``ambiguous`` were
    left unclear by a crash, ``repeated`` of them sent again.
    """

    run_id: int
    total: int
    sent: int
    deferred: int
    failed: int
    skipped: int
    ambiguous: int
    repeated: int
    paused: bool
    paused_reason: str
    rate_per_minute: float | None
    finished_at_estimate: datetime | None

    @property
    def settled(self) -> int:
        return self.sent + self.failed + self.skipped

    @property
    def waiting(self) -> int:
        return max(0, self.total - self.settled)

    @property
    def is_over(self) -> bool:
        return self.waiting == 0


@dataclass(frozen=True, kw_only=True)
class LaneProgress:
    """One recipient domain in one run, and how fast it takes mail now."""

    domain: str
    total: int
    sent: int
    waiting: int
    deferred: int
    failed: int
    limit_per_minute: float | None
    pace_per_minute: float | None
    paused_at: datetime | None
    paused_reason: str


def recent_runs(limit: int) -> list[Run]:
    """The newest runs."""
    return list(Run.objects.all()[:limit])


def run_for(run_id: int) -> Run | None:
    """The run, or None."""
    return Run.objects.filter(pk=run_id).first()


def progress_of(run_id: int, now: datetime) -> Progress:
    """Where a run stands; two or three queries, whatever its size. Raises Run.DoesNotExist."""
    run, sender = Run.objects.get(pk=run_id), sender_state()
    is_paused = run.state == RunState.PAUSED.value or sender.paused_at is not None
    waiting = max(0, run.total - run.sent - run.failed - run.skipped)
    rate = None if is_paused or not waiting else _rate(run, sender, now)
    return Progress(
        run_id=run.pk,
        total=run.total,
        sent=run.sent,
        deferred=min(run.deferred, waiting),
        failed=run.failed,
        skipped=run.skipped,
        ambiguous=run.ambiguous,
        repeated=run.repeated,
        paused=is_paused,
        paused_reason=run.state_reason or sender.paused_reason,
        rate_per_minute=rate,
        finished_at_estimate=_through_at(run, waiting, rate, now),
    )


def _rate(run: Run, sender: SenderState, now: datetime) -> float | None:
    if sender.alive_at is not None and now - sender.alive_at <= FRESH:
        return sender.rate_per_minute or None
    if run.first_sent_at is None or run.last_sent_at is None or now - run.last_sent_at > timedelta(minutes=2):
        return None
    minutes = (run.last_sent_at - run.first_sent_at).total_seconds() / 60
    return run.sent / minutes if minutes > 0 else None


def _through_at(run: Run, waiting: int, rate: float | None, now: datetime) -> datetime | None:
    if not waiting or rate is None:
        return None
    at = now + timedelta(minutes=(waiting - min(run.deferred, waiting)) / rate)
    if run.deferred:
        # Deferred ones go at their own time, however fast the others are.
        rows = Delivery.objects.filter(run=run, state=DeliveryState.DEFERRED.value, is_aside=True)
        last: datetime | None = rows.aggregate(at=Max("next_at"))["at"]
        return max(at, last) if last is not None else at
    return at


def lanes_of(run_id: int, limit: int) -> list[LaneProgress]:
    """The recipient domains of a run: first those with trouble, then the largest."""
    rows = (
        Delivery.objects.filter(~Q(state=DeliveryState.SKIPPED.value), run=run_id)
        .values("domain")
        .annotate(
            total=Count("pk"),
            sent=Count("pk", filter=Q(state=DeliveryState.SENT.value)),
            waiting=Count("pk", filter=_ON_ITS_WAY),
            deferred=Count("pk", filter=Q(state=DeliveryState.DEFERRED.value)),
            failed=Count("pk", filter=Q(state=DeliveryState.FAILED.value)),
        )
        .order_by((F("deferred") + F("failed")).desc(), "-total", "domain")[:limit]
    )
    counted = list(rows)
    known = {
        lane.domain: lane for lane in DomainLane.objects.filter(domain__in=[row["domain"] for row in counted])
    }
    return [_lane_progress(row, known.get(row["domain"]) or DomainLane()) for row in counted]


def _lane_progress(row: Mapping[str, Any], lane: DomainLane) -> LaneProgress:
    return LaneProgress(
        **row,
        limit_per_minute=lane.limit_per_minute,
        pace_per_minute=lane.pace_per_minute,
        paused_at=lane.paused_at,
        paused_reason=lane.paused_reason,
    )


def lanes(limit: int) -> list[DomainLane]:
    """The domains that stand still, are slowed or limited; then the others that ever were."""
    return list(
        DomainLane.objects.order_by(
            F("paused_at").desc(nulls_last=True),
            F("pace_per_minute").asc(nulls_last=True),
            F("limit_per_minute").asc(nulls_last=True),
            "domain",
        )[:limit]
    )


def lanes_paused() -> list[DomainLane]:
    """The domains that get nothing until somebody lets them, newest first."""
    return list(DomainLane.objects.filter(paused_at__isnull=False).order_by("-paused_at"))


def lanes_to_report() -> QuerySet[DomainLane]:
    """The domains that stopped by themselves and nobody was told of."""
    return DomainLane.objects.filter(paused_at__isnull=False, reported_at__isnull=True).order_by("domain")


def sender_state() -> SenderState:
    """What the sender says of itself, and whether everything is stopped."""
    return SenderState.objects.filter(pk=1).first() or SenderState()


def deliveries(run_id: int, state: DeliveryState) -> QuerySet[Delivery]:
    """The deliveries of a run in one state, oldest first."""
    rows = Delivery.objects.filter(run=run_id).order_by("pk")
    is_claimed = Q(state=DeliveryState.CLAIMED.value)
    if state is DeliveryState.CLAIMED:
        return rows.filter(is_claimed).exclude(pk__in=begun_ids())
    if state is DeliveryState.BEGUN:
        return rows.filter(Q(state=state.value) | (is_claimed & Q(pk__in=begun_ids())))
    if state in _ASIDE:
        rows = rows.filter(is_aside=True)  # what has an index of its own
    return rows.filter(state=state.value)


def begun_ids() -> set[int]:
    """Claimed deliveries whose bodies may be on the wire; some may have their outcome already."""
    groups = Begun.objects.values_list("deliveries", flat=True)
    return {delivery for group in groups for delivery in group}


def delivery_for(delivery_id: int) -> Delivery | None:
    """The delivery, or None."""
    return Delivery.objects.select_related("run").filter(pk=delivery_id).first()


def delivery_of_check_in(check_in_id: int) -> Delivery | None:
    """The delivery of a check-in; None for one that was never launched, or goes one by one."""
    return Delivery.objects.select_related("run").filter(check_in_id=check_in_id).first()


def deliveries_of_worker(worker_id: int, *, limit: int = 50) -> list[Delivery]:
    """What was on its way to a worker, newest first."""
    return list(Delivery.objects.select_related("run").filter(worker_id=worker_id).order_by("-pk")[:limit])


def delivered_since(account_id: int, since: datetime) -> int:
    """Check-ins that mail servers took for workers of an account after an instant."""
    return Delivery.objects.filter(
        account_id=account_id, state=DeliveryState.SENT.value, settled_at__gt=since
    ).count()


def sendable(now: datetime) -> QuerySet[Delivery]:
    """Deliveries that may go out now, the longest due first: their time has come and nothing is stopped."""
    rows = Delivery.objects.filter(
        is_waiting=True, next_at__lte=now, run__state=RunState.RUNNING.value
    ).exclude(domain__in=DomainLane.objects.filter(paused_at__isnull=False).values("domain"))
    if sender_state().paused_at is not None:
        rows = rows.none()
    return rows.select_related("run", "edition__template").order_by("next_at", "pk")


def waiting_since(moment: datetime) -> QuerySet[Delivery]:
    """Deliveries launched before an instant that are not settled: waiting, or held by a sender."""
    unfinished = Run.objects.filter(total__gt=F("sent") + F("failed") + F("skipped"))
    return Delivery.objects.filter(
        Q(is_waiting=True) | Q(state=DeliveryState.CLAIMED.value), run__in=unfinished, issued_at__lt=moment
    )


def next_delivery_at() -> datetime | None:
    """When the next delivery is due, for sleeping exactly that long."""
    found: datetime | None = Delivery.objects.filter(is_waiting=True).aggregate(at=Min("next_at"))["at"]
    return found


def unreported_failures() -> QuerySet[Delivery]:
    """Deliveries that failed for good and nobody was told of, oldest first."""
    return Delivery.objects.filter(is_unreported=True).order_by("pk")


EXPORT_HEADINGS = (
    "check_in", "worker", "name", "address", "state", "reason", "tries", "first_tried_at", "settled_at",
    "next_try_at", "relay", "code", "enhanced", "answer",
)  # fmt: skip


def export_rows(run_id: int) -> Iterator[list[str]]:
    """The exact state of every recipient of a run, headings first, read in pieces. Times are UTC."""
    yield list(EXPORT_HEADINGS)
    columns = (
        "check_in_id", "worker_id", "name", "address", "state", "reason", "attempts", "first_tried_at",
        "settled_at", "next_at", "relay", "code", "enhanced", "answer", "pk",
    )  # fmt: skip
    rows = Delivery.objects.filter(run=run_id).order_by("pk").values_list(*columns)
    begun = begun_ids()
    for row in rows.iterator(chunk_size=5000):
        cells = list(row)
        if cells[4] not in _READY:
            cells[9] = None
        if cells[4] == DeliveryState.CLAIMED.value and cells[-1] in begun:
            cells[4] = DeliveryState.BEGUN.value
        yield [_cell(value) for value in cells[:-1]]


def _cell(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    text = "" if value is None else str(value)
    # Nobody's name and no mail server's words become a formula in a spreadsheet.
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
