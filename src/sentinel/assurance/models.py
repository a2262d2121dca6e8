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


class EarBeat(models.Model):
    """The last moment at which one way for mail to come in was seen to work on one machine.

    ``way``: listener or mailbox. ``last_error``: why it did not work when it was last tried. A way that
    was closed on purpose has no row.
    """

    way = models.CharField(max_length=20)
    host = models.CharField(max_length=200)
    worked_at = models.DateTimeField(null=True)
    tried_at = models.DateTimeField()
    last_error = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("way", "host"), name="ear_beat_once"),)

    def __str__(self) -> str:
        return f"{self.way} on {self.host}"


class SendTally(models.Model):
    """How many tries to send were ever counted, by channel and result; one row.

    ``counts`` holds {"email accepted": 12}; tries with ids up to ``counted_to`` are in it. ``seen_to`` was
    the newest at ``seen_at``: when that is long enough ago, no smaller id can still be committed.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    counts = models.JSONField(default=dict)
    counted_to = models.BigIntegerField(default=0)
    seen_to = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="send_tally_one_row"),)

    def __str__(self) -> str:
        return f"tries up to {self.counted_to}"


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
