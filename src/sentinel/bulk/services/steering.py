"""What people do to mail on its way: stop it and let it go on, set a domain's pace, try failed ones again.

The sender looks at these rows within a second, finishes what is on the wire and begins nothing more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F

from sentinel.bulk.errors import LaneUnknown, LimitRefused, ReasonMissing, RunUnknown
from sentinel.bulk.models import Delivery, DomainLane, Run, SenderState
from sentinel.bulk.states import DeliveryState, RunState
from sentinel.timeline.services import ENGINE, About, Actor, record_event
from sentinel.timeline.verbs import ActorKind, Verb


def pause_run(
    *, run_id: int, reason: str, now: datetime, user_id: int | None = None, user_name: str = ""
) -> Run:
    """Stop a run; nothing of it begins any more. Twice is once, with the newer reason.

    Raises RunUnknown, and ReasonMissing without words.
    """
    said = _said(reason)
    with transaction.atomic():
        run = _run(run_id)
        run.state, run.state_reason = RunState.PAUSED.value, said
        run.save(update_fields=["state", "state_reason"])
        _record(Verb.RUN_PAUSED, now, user_id, user_name, {"run": run.name, "run_id": run.pk, "reason": said})
    return run


def resume_run(
    *, run_id: int, now: datetime, reason: str = "", user_id: int | None = None, user_name: str = ""
) -> Run:
    """Let a stopped run go on where it stood. Running ones stay as they are. Raises RunUnknown."""
    with transaction.atomic():
        run = _run(run_id)
        if run.state == RunState.RUNNING.value:
            return run
        run.state, run.state_reason = RunState.RUNNING.value, ""
        run.save(update_fields=["state", "state_reason"])
        data = {"run": run.name, "run_id": run.pk, "reason": reason.strip()[:300]}
        _record(Verb.RUN_RESUMED, now, user_id, user_name, data)
    return run


def pause_all(*, reason: str, now: datetime, user_id: int | None = None, user_name: str = "") -> None:
    """Stop every run at once. Mail about problems goes on. Raises ReasonMissing."""
    said = _said(reason)
    with transaction.atomic():
        SenderState.objects.update_or_create(pk=1, defaults={"paused_at": now, "paused_reason": said})
        _record(Verb.RUN_PAUSED, now, user_id, user_name, {"run": "all", "reason": said})


def resume_all(*, now: datetime, reason: str = "", user_id: int | None = None, user_name: str = "") -> None:
    """Let the runs go on that are not stopped for themselves."""
    with transaction.atomic():
        stopped = SenderState.objects.filter(pk=1, paused_at__isnull=False)
        if stopped.update(paused_at=None, paused_reason=""):
            data = {"run": "all", "reason": reason.strip()[:300]}
            _record(Verb.RUN_RESUMED, now, user_id, user_name, data)


@dataclass(frozen=True, kw_only=True)
class Retry:
    """A failed delivery to try again, under the worker's name and address of today."""

    delivery_id: int
    name: str
    address: str


def retry_failed(
    *,
    run_id: int,
    now: datetime,
    only: Collection[Retry] | None = None,
    user_id: int | None = None,
    user_name: str = "",
) -> int:
    """Put failed deliveries of a run on their way again, as the same mails; returns how many.

    ``only``: these, with fresh addresses; None: all of them. What was skipped stays skipped. The
    workflow ``retry_deliveries`` decides who may still be asked and mends the check-ins; prefer it.
    """
    with transaction.atomic():
        run = _run(run_id)
        rows = Delivery.objects.filter(run=run, is_aside=True, state=DeliveryState.FAILED.value)
        if only is None:
            retried = rows.update(**_anew(now))
        else:
            retried = sum(
                rows.filter(pk=one.delivery_id).update(
                    **_anew(now),
                    name=one.name[:200],
                    address=one.address[:320],
                    domain=one.address.rpartition("@")[2].lower()[:255],
                )
                for one in only
            )
        if retried:
            Run.objects.filter(pk=run.pk).update(failed=F("failed") - retried)
            data = {"run": run.name, "run_id": run.pk, "deliveries": retried}
            _record(Verb.RUN_RETRIED, now, user_id, user_name, data)
    return retried


def set_lane_limit(
    *,
    domain: str,
    limit_per_minute: float | None,
    now: datetime,
    user_id: int | None = None,
    user_name: str = "",
) -> DomainLane:
    """Never send faster than this to a recipient domain; None or 0 takes the limit away.

    Raises LimitRefused for a negative one.
    """
    if limit_per_minute is not None and limit_per_minute < 0:
        raise LimitRefused
    with transaction.atomic():
        lane = _lane(domain, now)
        before, lane.limit_per_minute, lane.changed_at = lane.limit_per_minute, limit_per_minute or None, now
        lane.save(update_fields=["limit_per_minute", "changed_at"])
        data = {"domain": lane.domain, "limit_per_minute": [before, lane.limit_per_minute]}
        _record(Verb.LANE_CHANGED, now, user_id, user_name, data)
    return lane


def pause_lane(
    *, domain: str, reason: str, now: datetime, user_id: int | None = None, user_name: str = ""
) -> DomainLane:
    """Send nothing more to a recipient domain until somebody lets it. Raises ReasonMissing."""
    said = _said(reason)
    with transaction.atomic():
        lane = _lane(domain, now)
        lane.paused_at = lane.changed_at = lane.reported_at = now  # whoever does it knows of it
        lane.paused_reason, lane.is_paused_by_hand = said, True
        lane.save(
            update_fields=["paused_at", "paused_reason", "is_paused_by_hand", "reported_at", "changed_at"]
        )
        data = {"domain": lane.domain, "reason": said}
        _record(Verb.LANE_PAUSED, now, user_id, user_name, data)
    return lane


def resume_lane(
    *, domain: str, now: datetime, reason: str = "", user_id: int | None = None, user_name: str = ""
) -> DomainLane:
    """Let mail to a recipient domain go on, at the pace it had. Raises LaneUnknown."""
    with transaction.atomic():
        lane = DomainLane.objects.select_for_update().filter(domain=_domain(domain)).first()
        if lane is None:
            raise LaneUnknown
        if lane.paused_at is None:
            return lane
        lane.paused_at = lane.reported_at = None
        lane.paused_reason, lane.is_paused_by_hand, lane.changed_at = "", False, now
        lane.save(
            update_fields=["paused_at", "reported_at", "paused_reason", "is_paused_by_hand", "changed_at"]
        )
        data = {"domain": lane.domain, "reason": reason.strip()[:300]}
        _record(Verb.LANE_RESUMED, now, user_id, user_name, data)
    return lane


def _run(run_id: int) -> Run:
    run = Run.objects.select_for_update().filter(pk=run_id).first()
    if run is None:
        raise RunUnknown
    return run


def _lane(domain: str, now: datetime) -> DomainLane:
    name = _domain(domain)
    if not name:
        raise LaneUnknown
    DomainLane.objects.bulk_create([DomainLane(domain=name, changed_at=now)], ignore_conflicts=True)
    return DomainLane.objects.select_for_update().get(domain=name)


def _domain(domain: str) -> str:
    return domain.strip().rpartition("@")[2].lower()[:255]


def _anew(now: datetime) -> dict[str, object]:
    return {
        "state": DeliveryState.PENDING.value,
        "next_at": now,
        "attempts": 0,
        "first_tried_at": None,
        "settled_at": None,
        "reported_at": None,
    }


def _said(reason: str) -> str:
    said = " ".join(reason.split())[:300]
    if not said:
        raise ReasonMissing
    return said


def _record(
    verb: Verb, now: datetime, user_id: int | None, user_name: str, data: Mapping[str, object]
) -> None:
    actor = ENGINE if user_id is None else Actor(kind=ActorKind.USER, id=user_id, name=user_name)
    record_event(verb=verb, at=now, actor=actor, about=About(), data=data)
