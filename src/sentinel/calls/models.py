"""Columns and constraints of placed calls."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sentinel.calls.rules import CallState, EndReason, Leg, Provider
from sentinel.people.models import User
from sentinel.problems.models import Call, Problem


def _choices(kinds: type) -> list[tuple[str, str]]:
    return [(k.value, k.name.replace("_", " ").capitalize()) for k in kinds]  # type: ignore[attr-defined]


class PlacedCall(models.Model):
    """One call that somebody asked Sentinel to place, and how far it came.

    ``key`` names it for ever, towards every provider; ``provider_ref`` is the provider's name for it.
    ``state`` only moves forward; ``changed_at`` is when it last did, ``seen_at`` when its provider last knew
    it, ``placing_at`` when somebody was about to ask the provider. ``talk_seconds`` counts from when both
    were connected. ``hang_up_asked_at``: the user wants it ended. ``outcome`` is what the user said came of
    it; until then the duty stays armed.

    Without a ``problem`` it is a test: only the user's own telephone rings.
    """

    key = models.CharField(max_length=36, unique=True)
    problem = models.ForeignKey(Problem, on_delete=models.PROTECT, null=True, related_name="placed_calls")
    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="placed_calls")
    provider = models.CharField(max_length=12, choices=_choices(Provider))
    provider_ref = models.CharField(max_length=200, blank=True)
    owner_number = models.CharField(max_length=200)
    worker_number = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=16, choices=_choices(CallState), default=CallState.REQUESTED.value)
    reason = models.CharField(max_length=12, choices=_choices(EndReason), blank=True)
    failed_leg = models.CharField(max_length=8, choices=_choices(Leg), blank=True)
    detail = models.CharField(max_length=300, blank=True)
    requested_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    placing_at = models.DateTimeField(null=True)
    bridged_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    talk_seconds = models.PositiveIntegerField(default=0)
    hang_up_asked_at = models.DateTimeField(null=True)
    outcome = models.OneToOneField(Call, on_delete=models.PROTECT, null=True, related_name="placed_call")

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("problem",), condition=Q(ended_at__isnull=True), name="placed_call_one_per_problem"
            ),
            models.UniqueConstraint(
                fields=("user",), condition=Q(ended_at__isnull=True), name="placed_call_one_per_user"
            ),
            models.UniqueConstraint(
                fields=("provider", "provider_ref"),
                condition=~Q(provider_ref=""),
                name="placed_call_ref_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in CallState]), name="placed_call_state_known"
            ),
            models.CheckConstraint(
                condition=(Q(state="ended", ended_at__isnull=False) & ~Q(reason=""))
                | (~Q(state="ended") & Q(ended_at__isnull=True, reason="")),
                name="placed_call_end_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(problem__isnull=True, worker_number="", outcome__isnull=True)
                | (Q(problem__isnull=False) & ~Q(worker_number="")),
                name="placed_call_test_rings_one",
            ),
        )
        indexes = (
            models.Index(fields=("seen_at",), name="placed_call_going_on", condition=Q(ended_at=None)),
        )

    def __str__(self) -> str:
        return f"call {self.pk} ({self.state})"

    @property
    def is_going_on(self) -> bool:
        """Not ended yet, as far as anybody knows."""
        return self.ended_at is None

    @property
    def is_test(self) -> bool:
        """Only its user's own telephone rings."""
        return self.problem_id is None


class CallStep(models.Model):
    """One thing a provider said about a call. Stored also when it came too late to change anything.

    ``event_id`` is unique within its call: the same news twice is one row.
    """

    call = models.ForeignKey(PlacedCall, on_delete=models.CASCADE, related_name="steps")
    event_id = models.CharField(max_length=120)
    state = models.CharField(max_length=16, choices=_choices(CallState))
    leg = models.CharField(max_length=8, choices=_choices(Leg), blank=True)
    at = models.DateTimeField()
    detail = models.CharField(max_length=300, blank=True)
    is_news = models.BooleanField(default=True)

    class Meta:
        ordering = ("id",)
        constraints = (models.UniqueConstraint(fields=("call", "event_id"), name="call_step_once"),)

    def __str__(self) -> str:
        return f"{self.state} of call {self.call_id}"


class ExchangeBeat(models.Model):
    """What came of the last question to whoever places calls, whether they are there; asked from one machine.

    ``peer`` is who was asked. ``silent_since``: the first of the questions in a row that got no answer.
    """

    provider = models.CharField(max_length=12, choices=_choices(Provider))
    host = models.CharField(max_length=200)
    peer = models.CharField(max_length=300)
    tried_at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    silent_since = models.DateTimeField(null=True)
    detail = models.CharField(max_length=300, blank=True)
    milliseconds = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("provider", "host"), name="exchange_beat_once"),)

    def __str__(self) -> str:
        return f"{self.peer} asked from {self.host}"
