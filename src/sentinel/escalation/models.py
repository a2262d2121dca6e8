"""Columns and constraints of ladders and duties."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from sentinel.accounts.models import Account
from sentinel.accounts.rules import Tier
from sentinel.escalation.rules import Audience, DutyKind
from sentinel.people.models import User
from sentinel.problems.models import Problem


class PolicyColumns(models.Model):
    """Durations of the duties, in business time. ``*_days`` count business days."""

    acknowledge_within = models.DurationField()
    call_within = models.DurationField()
    call_again_after = models.DurationField()
    promise_within_days = models.PositiveSmallIntegerField()
    solve_within_days = models.PositiveSmallIntegerField()
    stopped_solve_within_days = models.PositiveSmallIntegerField()
    ask_again_after_days = ArrayField(models.PositiveSmallIntegerField())
    ask_by_call_after_days = models.PositiveSmallIntegerField()
    ask_on_after_days = models.PositiveSmallIntegerField()

    class Meta:
        abstract = True


class RungColumns(models.Model):
    """One step: ``after`` business time since the loop started, these people hear of it."""

    position = models.PositiveSmallIntegerField()
    after = models.DurationField()
    audience = ArrayField(
        models.CharField(max_length=10, choices=[(a.value, a.name.title()) for a in Audience])
    )
    takes_over = models.BooleanField(default=False)
    breaks_quiet_hours = models.BooleanField(default=False)

    class Meta:
        abstract = True


class Ladder(PolicyColumns):
    """An escalation policy. An account's own ladder wins over its tier's, that over the default."""

    name = models.CharField(max_length=120, unique=True)
    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, null=True, blank=True, related_name="ladder"
    )
    tier = models.CharField(max_length=10, choices=[(t.value, t.name.title()) for t in Tier], blank=True)
    is_default = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("is_default",), condition=Q(is_default=True), name="ladder_one_default"
            ),
            models.UniqueConstraint(
                fields=("tier",), condition=~Q(tier="") & Q(account__isnull=True), name="ladder_one_per_tier"
            ),
        )

    def __str__(self) -> str:
        return self.name


class Rung(RungColumns):
    """A rung of an editable ladder."""

    ladder = models.ForeignKey(Ladder, on_delete=models.CASCADE, related_name="rungs")

    class Meta:
        ordering = ("position",)
        constraints = (models.UniqueConstraint(fields=("ladder", "position"), name="rung_position_once"),)

    def __str__(self) -> str:
        return f"{self.ladder} {self.position}"


class FrozenPolicy(PolicyColumns):
    """The policy of one problem, as it stood when the loop started or was re-planned on purpose."""

    problem = models.OneToOneField(Problem, on_delete=models.CASCADE, primary_key=True, related_name="policy")
    ladder_name = models.CharField(max_length=120)
    frozen_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.ladder_name} of problem {self.problem_id}"


class FrozenRung(RungColumns):
    """A rung of a frozen policy."""

    policy = models.ForeignKey(FrozenPolicy, on_delete=models.CASCADE, related_name="rungs")

    class Meta:
        ordering = ("position",)
        constraints = (
            models.UniqueConstraint(fields=("policy", "position"), name="frozen_rung_position_once"),
        )

    def __str__(self) -> str:
        return f"{self.policy} {self.position}"


class Duty(models.Model):
    """What is owed on one open problem, by whom, by when: exactly one per open problem.

    ``due_at``: when it is owed. ``rung_at``: when the next rung fires (null while only the worker is
    asked). ``fire_at``: the timer, the earlier of ``rung_at`` and the next ask; the engine claims by it.
    ``rung``: the highest rung reached; it never sinks while the problem is open. ``repeats``: how often
    the top was repeated. ``generation`` counts the duties of the problem and goes into every message key.
    """

    problem = models.OneToOneField(Problem, on_delete=models.CASCADE, primary_key=True, related_name="duty")
    kind = models.CharField(max_length=12, choices=[(k.value, k.name.title()) for k in DutyKind])
    accountable = models.ForeignKey(User, on_delete=models.PROTECT, related_name="duties")
    set_at = models.DateTimeField()
    due_at = models.DateTimeField()
    rung_at = models.DateTimeField(null=True)
    fire_at = models.DateTimeField()
    rung = models.PositiveSmallIntegerField(default=0)
    repeats = models.PositiveIntegerField(default=0)
    generation = models.PositiveIntegerField(default=1)
    failed_calls = models.PositiveSmallIntegerField(default=0)
    last_fired_at = models.DateTimeField(null=True)
    quarantined_at = models.DateTimeField(null=True)
    quarantine_reason = models.TextField(blank=True)

    class Meta:
        verbose_name_plural = "duties"
        indexes = (
            # In the order of claiming: a batch is read off its beginning, however many wait behind.
            models.Index(
                fields=("fire_at", "problem"), name="duty_due", condition=Q(quarantined_at__isnull=True)
            ),
            # Asked for every minute, and nearly always empty.
            models.Index(
                fields=("quarantined_at",),
                name="duty_quarantined",
                condition=Q(quarantined_at__isnull=False),
            ),
            models.Index(fields=("accountable", "due_at"), name="duty_accountable"),
        )

    def __str__(self) -> str:
        return f"{self.kind} for problem {self.problem_id} due {self.due_at:%Y-%m-%d %H:%M}"
