"""Columns of our standing with mail systems."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sentinel.standing.states import SuppressedBecause


class Suppression(models.Model):
    """An address, or a whole domain ("@example.com"), that gets no check-in any more.

    It outlives workers and rosters: whoever is imported again with this address is still left alone.
    Lifting it needs a reason. One row in force per address.
    """

    address = models.CharField(max_length=320)
    because = models.CharField(max_length=12, choices=[(b.value, b.name.title()) for b in SuppressedBecause])
    note = models.CharField(max_length=500, blank=True)
    since = models.DateTimeField()
    by_user_id = models.BigIntegerField(null=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_by_id = models.BigIntegerField(null=True)
    lifted_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                fields=("address",), condition=Q(lifted_at__isnull=True), name="suppression_once"
            ),
            models.CheckConstraint(
                condition=Q(lifted_at__isnull=True) | ~Q(lifted_reason=""),
                name="suppression_lifted_with_reason",
            ),
        )

    def __str__(self) -> str:
        return self.address


class MailComplaint(models.Model):
    """One "this is spam", as a mail provider reported it; what the brake counts."""

    account_id = models.BigIntegerField()
    worker_id = models.BigIntegerField(null=True)
    incoming_id = models.BigIntegerField(unique=True, null=True)
    at = models.DateTimeField()
    source = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = (models.Index(fields=("account_id", "at"), name="complaint_account"),)

    def __str__(self) -> str:
        return f"complaint of account {self.account_id}"


class Brake(models.Model):
    """Check-ins to an account stand still because too many of its workers complained.

    Set by the engine, released by an administrator with a reason. One in force per account.
    """

    account_id = models.BigIntegerField()
    set_at = models.DateTimeField()
    complaints = models.PositiveIntegerField()
    delivered = models.PositiveIntegerField()
    released_at = models.DateTimeField(null=True)
    released_by_id = models.BigIntegerField(null=True)
    released_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("account_id",), condition=Q(released_at__isnull=True), name="brake_once"
            ),
        )

    def __str__(self) -> str:
        return f"brake of account {self.account_id}"


class CheckUp(models.Model):
    """One examination of a sending domain: asked for, done by the engine or the command, kept.

    ``findings``: a list of {check, grade, title, what_to_do, evidence}; grades good, note, bad, unknown.
    """

    domain = models.CharField(max_length=255)
    asked_at = models.DateTimeField()
    asked_by_id = models.BigIntegerField(null=True)
    done_at = models.DateTimeField(null=True)
    findings = models.JSONField(default=list)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-id",)
        indexes = (
            models.Index(fields=("asked_at",), name="check_up_waiting", condition=Q(done_at__isnull=True)),
        )

    def __str__(self) -> str:
        return f"check-up of {self.domain}"


class ScannerHabit(models.Model):
    """What automatic visitors at one receiving domain were seen doing, counted.

    ``presses_buttons``: an automatic press was set aside there before, so a press without words counts
    for less (:mod:`sentinel.standing.rules`). Counters only grow; they are statistics, not decisions.
    """

    domain = models.CharField(max_length=255, unique=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    opened = models.PositiveIntegerField(default=0)
    opened_at_once = models.PositiveIntegerField(default=0)
    heads = models.PositiveIntegerField(default=0)
    both_faces = models.PositiveIntegerField(default=0)
    honeypots = models.PositiveIntegerField(default=0)
    presses_set_aside = models.PositiveIntegerField(default=0)
    human_answers = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return self.domain


class HabitMark(models.Model):
    """How far the journal of visits and the responses were read for habits; one row.

    Ids, read in order: what a turn has counted is never counted again.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    visits_to = models.BigIntegerField(default=0)
    responses_to = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="habit_mark_one_row"),)

    def __str__(self) -> str:
        return f"habits read to visit {self.visits_to}, response {self.responses_to}"
