"""Reading what the engine is about to do, and how it lives."""

from __future__ import annotations

from datetime import datetime

from django.db.models import Max, Min

from sentinel.engine.models import EngineBeat
from sentinel.escalation.models import Duty


def next_firing_at() -> datetime | None:
    """When the next duty fires; None when nobody owes anything."""
    found: datetime | None = Duty.objects.filter(quarantined_at__isnull=True).aggregate(at=Min("fire_at"))[
        "at"
    ]
    return found


def last_cycle_finished_at() -> datetime | None:
    """When any engine last finished a cycle; None when none ever did."""
    found: datetime | None = EngineBeat.objects.aggregate(at=Max("cycle_finished_at"))["at"]
    return found


def finished_cycles() -> dict[int, int]:
    """Finished cycles per engine (by row id); ``/health/engine`` waits for one of them to grow."""
    return dict(EngineBeat.objects.values_list("pk", "cycle_no"))


def running_engines() -> list[EngineBeat]:
    """The engines that wrote a heartbeat lately, newest first."""
    return list(EngineBeat.objects.order_by("-beat_at"))
