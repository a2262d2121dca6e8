"""Columns that only a demonstration uses; in production its tables stay empty."""

from __future__ import annotations

from django.db import models


class ClockOffset(models.Model):
    """How far the demonstration clock runs ahead of the real one. One row, pk 1."""

    offset = models.DurationField()

    def __str__(self) -> str:
        return f"clock is {self.offset} ahead"


class Demonstration(models.Model):
    """That the demonstration's history is being played, or was. One row, pk 1.

    ``present`` is the instant the history leads up to, ``started_at`` and ``filled_at`` are real time.
    Without ``filled_at`` the filling was interrupted; it is then done anew from the start.
    """

    seed = models.PositiveIntegerField()
    present = models.DateTimeField()
    started_at = models.DateTimeField()
    filled_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"demonstration {self.seed} up to {self.present:%Y-%m-%d %H:%M}"


class CaughtMail(models.Model):
    """One mail as the mail room's SMTP server received it, byte for byte.

    ``raw`` is the message after SMTP dot-unstuffing; ``received_at`` is demonstration time.
    """

    received_at = models.DateTimeField()
    sender = models.CharField(max_length=320, blank=True)
    recipient = models.CharField(max_length=320)
    subject = models.CharField(max_length=500, blank=True)
    message_id = models.CharField(max_length=320, blank=True)
    kind = models.CharField(max_length=60, blank=True)
    raw = models.BinaryField()

    class Meta:
        ordering = ("-id",)
        indexes = (models.Index(fields=("recipient", "-id"), name="caught_recipient"),)

    def __str__(self) -> str:
        return f"mail to {self.recipient}: {self.subject}"
