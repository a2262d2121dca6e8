"""Columns of findings and canaries."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sentinel.assurance.rules import Check, Grade


class Finding(models.Model):
    """Something the auditor found wrong with Sentinel itself, from when it was first seen until it was
    no longer seen. ``key`` names the fault; one row per fault is open. ``repaired``: what was done.
    """

    key = models.CharField(max_length=120)
    check_name = models.CharField(max_length=24, choices=[(c.value, c.name.title()) for c in Check])
    grade = models.CharField(max_length=5, choices=[(g.value, g.name.title()) for g in Grade])
    words = models.CharField(max_length=500)
    what_to_do = models.CharField(max_length=500)
    ids = models.JSONField(default=list)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    times_seen = models.PositiveIntegerField(default=1)
    worst_late_seconds = models.PositiveIntegerField(default=0)
    repaired = models.CharField(max_length=500, blank=True)
    told_at = models.DateTimeField(null=True)
    over_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("key",), condition=Q(over_at__isnull=True), name="finding_open_once"
            ),
        )
        indexes = (models.Index(fields=("over_at", "-last_seen_at"), name="finding_recent"),)

    def __str__(self) -> str:
        return self.words


class Canary(models.Model):
    """A test message that travels like any alarm. ``route``: which way it took; ``arrived_at``: seen at
    the other end."""

    route = models.CharField(max_length=20)
    sent_at = models.DateTimeField()
    dedupe_key = models.CharField(max_length=160, unique=True)
    arrived_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=("route", "-sent_at"), name="canary_route"),)

    def __str__(self) -> str:
        return f"{self.route} {self.sent_at:%Y-%m-%d %H:%M}"

    @property
    def seconds(self) -> float:
        """How long it took; 0 while it is on its way."""
        return (self.arrived_at - self.sent_at).total_seconds() if self.arrived_at else 0.0
