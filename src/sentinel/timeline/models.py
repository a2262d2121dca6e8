"""Columns of the timeline. Written by :mod:`sentinel.timeline.services` alone."""

from __future__ import annotations

from django.db import models

from sentinel.timeline.verbs import ActorKind


class Event(models.Model):
    """One thing that happened. Never updated, never deleted (a trigger in the database refuses).

    ``stream`` names the hash chain ("account:7", "system"); ``seq`` counts within it from 1.
    ``problem_id`` … ``user_id`` say what the event is about, ``actor_*`` who did it.
    ``data`` holds the facts of the act, small and JSON; it never holds secrets or link tokens.
    """

    at = models.DateTimeField()
    verb = models.CharField(max_length=60)
    stream = models.CharField(max_length=40)
    seq = models.PositiveBigIntegerField()
    actor_kind = models.CharField(max_length=8, choices=[(k.value, k.name.title()) for k in ActorKind])
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=200, blank=True)
    account_id = models.BigIntegerField(null=True)
    site_id = models.BigIntegerField(null=True)
    worker_id = models.BigIntegerField(null=True)
    problem_id = models.BigIntegerField(null=True)
    user_id = models.BigIntegerField(null=True)
    data = models.JSONField(default=dict)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("stream", "seq"), name="event_stream_seq"),)
        indexes = (
            models.Index(
                fields=("problem_id", "id"),
                name="event_problem",
                condition=models.Q(problem_id__isnull=False),
            ),
            models.Index(
                fields=("account_id", "id"),
                name="event_account",
                condition=models.Q(account_id__isnull=False),
            ),
            models.Index(
                fields=("worker_id", "id"), name="event_worker", condition=models.Q(worker_id__isnull=False)
            ),
            models.Index(
                fields=("user_id", "id"), name="event_user", condition=models.Q(user_id__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f"{self.verb} #{self.pk}"
