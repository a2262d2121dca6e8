"""Columns and constraints of check-ins and responses."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sentinel.accounts.models import Worker
from sentinel.checkins.rules import CheckInState, Evidence, Face, ResponseKind, Severity


def _choices(kinds: type) -> list[tuple[str, str]]:
    return [(k.value, k.name.replace("_", " ").capitalize()) for k in kinds]  # type: ignore[attr-defined]


class Programme(models.Model):
    """How and when the question is asked; one active programme asks all permitted workers.

    ``questions``: language → question text; a missing language falls back to English.
    Window: weekday numbers (Monday 0) and local times of the site.
    """

    name = models.CharField(max_length=120, unique=True)
    provider_name = models.CharField(max_length=200)
    questions = models.JSONField(default=dict)
    sender_address = models.EmailField()
    accent = models.CharField(max_length=7, default="#b4451f")
    window_days = models.JSONField(default=list)
    window_start = models.TimeField()
    window_end = models.TimeField()
    new_worker_weeks = models.PositiveSmallIntegerField(default=4)
    silent_cycles_before_slowing = models.PositiveSmallIntegerField(default=3)
    minimum_days_between = models.PositiveSmallIntegerField(default=7)
    follow_up_days = models.PositiveSmallIntegerField(default=14)
    answer_valid_days = models.PositiveSmallIntegerField(default=45)
    is_active = models.BooleanField(default=True)
    started_at = models.DateTimeField()

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("is_active",), condition=Q(is_active=True), name="programme_one_active"
            ),
        )

    def __str__(self) -> str:
        return self.name


class CheckIn(models.Model):
    """One asking of one worker. ``about_problem_id``: it asks whether this open problem is solved.

    ``reason`` says why it was planned (new, monthly, slowed, chosen, follow_up) or skipped.
    """

    programme = models.ForeignKey(Programme, on_delete=models.PROTECT, related_name="check_ins")
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, related_name="check_ins")
    planned_for = models.DateTimeField()
    state = models.CharField(max_length=8, choices=_choices(CheckInState), default=CheckInState.PLANNED.value)
    reason = models.CharField(max_length=60)
    language = models.CharField(max_length=5)
    about_problem_id = models.BigIntegerField(null=True)
    sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = (
            # One next check-in per worker: planning twice is impossible, not only unlikely.
            models.UniqueConstraint(
                fields=("worker",), condition=Q(state="planned"), name="check_in_one_planned"
            ),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at__isnull=True)),
                name="check_in_sent_has_time",
            ),
        )
        indexes = (
            models.Index(fields=("planned_for",), name="check_in_due", condition=Q(state="planned")),
            models.Index(fields=("worker", "-sent_at"), name="check_in_worker"),
        )

    def __str__(self) -> str:
        return f"check-in {self.pk} of {self.worker_id}: {self.state}"


class Response(models.Model):
    """One answer as it came, never changed except ``evidence`` (upwards by the worker, or to robot) and
    what the worker adds to it. ``text`` is verbatim. ``problem_id`` is set when it opened or joined one.
    """

    check_in = models.ForeignKey(CheckIn, on_delete=models.PROTECT, null=True, related_name="responses")
    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, related_name="responses")
    face = models.CharField(max_length=6, choices=_choices(Face))
    kind = models.CharField(max_length=10, choices=_choices(ResponseKind))
    text = models.TextField(blank=True)
    severity = models.CharField(max_length=8, choices=_choices(Severity), blank=True)
    may_call = models.BooleanField(default=True)
    call_number = models.CharField(max_length=32, blank=True)
    call_when = models.CharField(max_length=200, blank=True)
    call_language = models.CharField(max_length=5, blank=True)
    language = models.CharField(max_length=5)
    evidence = models.CharField(max_length=12, choices=_choices(Evidence))
    evidence_reasons = models.JSONField(default=list)
    received_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)
    superseded_by = models.ForeignKey("self", on_delete=models.PROTECT, null=True, related_name="supersedes")
    problem_id = models.BigIntegerField(null=True)
    answered_at = models.DateTimeField(null=True)
    answered_by_id = models.BigIntegerField(null=True)
    answer = models.TextField(blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=~Q(evidence="verified") | Q(verified_at__isnull=False),
                name="response_verified_has_time",
            ),
        )
        indexes = (
            models.Index(fields=("check_in", "id"), name="response_check_in"),
            models.Index(fields=("worker", "-id"), name="response_worker"),
            models.Index(
                fields=("received_at",), name="response_provisional", condition=Q(evidence="provisional")
            ),
        )

    def __str__(self) -> str:
        return f"{self.face} from worker {self.worker_id} ({self.evidence})"


class LinkVisit(models.Model):
    """One opening of an answer link. Nothing is decided from a visit; two faces opened within a minute,
    or the honeypot, only make a later press without words count less."""

    check_in = models.ForeignKey(CheckIn, on_delete=models.CASCADE, related_name="visits")
    at = models.DateTimeField()
    method = models.CharField(max_length=7)
    target = models.CharField(max_length=8)  # happy, frown, honeypot

    class Meta:
        indexes = (models.Index(fields=("check_in", "at"), name="link_visit_check_in"),)

    def __str__(self) -> str:
        return f"{self.method} {self.target} of check-in {self.check_in_id}"


class PleaseCheck(models.Model):
    """A quiet line for the owner: a provisional frown that nothing contradicted for 15 minutes."""

    response = models.OneToOneField(Response, on_delete=models.PROTECT, related_name="please_check")
    raised_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    settled_by_id = models.BigIntegerField(null=True)
    outcome = models.CharField(max_length=20, blank=True)  # problem, nothing, verified
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = (
            models.Index(
                fields=("raised_at",), name="please_check_open", condition=Q(settled_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"please check response {self.response_id}"
