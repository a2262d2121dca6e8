"""The engine's only table: which engines are alive, and whether their cycles finish."""

from __future__ import annotations

from django.db import models


class EngineBeat(models.Model):
    """One running engine process. ``cycle_no`` counts finished cycles of its decider.

    Instants are of the engine's clock (in a demonstration they move with it).
    """

    host = models.CharField(max_length=200)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    beat_at = models.DateTimeField()
    cycle_no = models.PositiveBigIntegerField(default=0)
    cycle_finished_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("-beat_at",), name="engine_beat_at"),)

    def __str__(self) -> str:
        return f"engine {self.pid} on {self.host}, cycle {self.cycle_no}"
