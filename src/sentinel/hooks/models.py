"""Columns of the outgoing webhooks."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from sentinel.hooks.rules import KINDS


class WebhookEndpoint(models.Model):
    """An address of another system that is told of events, and of which.

    ``sealed`` holds address and signing key encrypted, ``shown`` the host for people. ``since_event_id``:
    only later events are told, so that switching on does not tell old stories.
    """

    name = models.CharField(max_length=80)
    shown = models.CharField(max_length=320)
    sealed = models.TextField()
    kinds = ArrayField(models.CharField(max_length=60))
    is_enabled = models.BooleanField(default=True)
    off_because = models.CharField(max_length=300, blank=True)
    since_event_id = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.CheckConstraint(
                condition=Q(kinds__contained_by=[k.value for k in KINDS]), name="webhook_kinds_known"
            ),
        )

    def __str__(self) -> str:
        return self.name


class StreamCursor(models.Model):
    """How far a stream of the timeline has been told. Within a stream events commit in order, without gaps,
    so nothing can be missed behind it. The stream with the empty name counts events over all streams."""

    stream = models.CharField(max_length=40, unique=True)
    seq = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.stream} to {self.seq}"
