"""Columns and constraints of problems. A trigger (see migrations) guards the worker's yes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sentinel.accounts.models import Account, Site, Worker
from sentinel.checkins.models import Response
from sentinel.checkins.rules import Severity
from sentinel.people.models import User
from sentinel.problems.rules import CallOutcome, EndReason, How, ProblemState, Verdict


def _choices(kinds: type) -> list[tuple[str, str]]:
    return [(k.value, k.name.replace("_", " ").capitalize()) for k in kinds]  # type: ignore[attr-defined]


class Cause(models.Model):
    """The shared reason behind several problems (a known problem). Each reporter keeps their own problem."""

    title = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.title


class Problem(models.Model):
    """What one worker reported. ``words`` are verbatim and never edited.

    ``account`` and ``site`` are where the worker was when it happened. ``attention`` grows with every
    reopening, ``missed_promises`` with every promise that passed. ``suspected_automatic``: a robot may
    have pressed the face; the loop runs all the same until somebody has talked with the worker.
    """

    worker = models.ForeignKey(Worker, on_delete=models.PROTECT, related_name="problems")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="problems")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="problems")
    response = models.OneToOneField(Response, on_delete=models.PROTECT, null=True, related_name="problem")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="problems")
    cause = models.ForeignKey(Cause, on_delete=models.PROTECT, null=True, blank=True, related_name="problems")
    state = models.CharField(
        max_length=12, choices=_choices(ProblemState), default=ProblemState.REPORTED.value
    )
    words = models.TextField(blank=True)
    language = models.CharField(max_length=5)
    severity = models.CharField(max_length=8, choices=_choices(Severity), default=Severity.HINDERS.value)
    may_call = models.BooleanField(default=True)
    call_number = models.CharField(max_length=32, blank=True)
    call_when = models.CharField(max_length=200, blank=True)
    call_language = models.CharField(max_length=5, blank=True)
    attention = models.PositiveSmallIntegerField(default=0)
    missed_promises = models.PositiveSmallIntegerField(default=0)
    suspected_automatic = models.BooleanField(default=False)
    opened_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True)
    contacted_at = models.DateTimeField(null=True)
    proposed_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    closing_confirmation = models.OneToOneField(
        "Confirmation", on_delete=models.PROTECT, null=True, related_name="closed_problem"
    )
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    end_reason = models.CharField(max_length=12, choices=_choices(EndReason), blank=True)
    end_note = models.TextField(blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in ProblemState]), name="problem_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state="confirmed", closing_confirmation__isnull=False)
                | (~Q(state="confirmed") & Q(closing_confirmation__isnull=True)),
                name="problem_confirmed_by_confirmation",
            ),
            models.CheckConstraint(
                condition=(Q(state="ended", ended_by__isnull=False) & ~Q(end_reason=""))
                | (~Q(state="ended") & Q(ended_by__isnull=True, end_reason="")),
                name="problem_ended_by_somebody_with_reason",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["confirmed", "ended"], closed_at__isnull=False)
                | (~Q(state__in=["confirmed", "ended"]) & Q(closed_at__isnull=True)),
                name="problem_closed_has_time",
            ),
        )
        indexes = (
            models.Index(
                fields=("account", "state"),
                name="problem_open",
                condition=~Q(state__in=["confirmed", "ended"]),
            ),
            models.Index(fields=("worker", "-id"), name="problem_worker"),
            models.Index(fields=("owner", "state"), name="problem_owner"),
        )

    def __str__(self) -> str:
        return f"problem {self.pk} ({self.state})"

    @property
    def is_open(self) -> bool:
        """Neither confirmed nor ended."""
        return self.state not in (ProblemState.CONFIRMED.value, ProblemState.ENDED.value)


class Commitment(models.Model):
    """A promised date. ``due_on`` is a date of the worker's site; the worker was told at ``made_at``.

    The current one has ``superseded_at`` null. ``reason`` says why it was moved (empty for the first).
    """

    problem = models.ForeignKey(Problem, on_delete=models.PROTECT, related_name="commitments")
    due_on = models.DateField()
    what = models.TextField(blank=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    reason = models.TextField(blank=True)
    superseded_at = models.DateTimeField(null=True)
    missed_at = models.DateTimeField(null=True)
    kept_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("problem",), condition=Q(superseded_at__isnull=True), name="commitment_one_current"
            ),
            models.CheckConstraint(
                condition=Q(kept_at__isnull=True) | Q(missed_at__isnull=True),
                name="commitment_kept_or_missed",
            ),
        )

    def __str__(self) -> str:
        return f"by {self.due_on}"


class Call(models.Model):
    """A telephone call with its outcome, logged by the caller."""

    problem = models.ForeignKey(Problem, on_delete=models.PROTECT, related_name="calls")
    caller = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=12, choices=_choices(CallOutcome))
    number = models.CharField(max_length=32, blank=True)
    note = models.TextField(blank=True)
    call_back_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(outcome="call_back", call_back_at__isnull=False)
                | (~Q(outcome="call_back") & Q(call_back_at__isnull=True)),
                name="call_back_has_time",
            ),
        )

    def __str__(self) -> str:
        return f"call: {self.outcome}"


class Proposal(models.Model):
    """A user's claim that the problem is solved: what was done and the root cause.

    ``asks`` counts how often the worker was asked, ``next_ask_at`` is the next reminder.
    ``doubted_at``: the worker said yes with words that say no, and was asked once more.
    """

    problem = models.ForeignKey(Problem, on_delete=models.PROTECT, related_name="proposals")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    what_was_done = models.TextField()
    root_cause = models.TextField()
    asks = models.PositiveSmallIntegerField(default=0)
    next_ask_at = models.DateTimeField(null=True)
    doubted_at = models.DateTimeField(null=True)
    doubted_words = models.TextField(blank=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                fields=("problem",), condition=Q(settled_at__isnull=True), name="proposal_one_current"
            ),
            models.CheckConstraint(
                condition=~Q(what_was_done="") & ~Q(root_cause=""), name="proposal_says_what_and_why"
            ),
        )

    def __str__(self) -> str:
        return f"proposal {self.pk} of problem {self.problem_id}"


class Confirmation(models.Model):
    """The worker's verdict on a proposal, word for word.

    By telephone it names the call it was said in and who recorded it; the worker can object with
    one click until the end of time (``objected_at``).
    """

    proposal = models.ForeignKey(Proposal, on_delete=models.PROTECT, related_name="confirmations")
    verdict = models.CharField(max_length=3, choices=_choices(Verdict))
    how = models.CharField(max_length=10, choices=_choices(How))
    words = models.TextField(blank=True)
    at = models.DateTimeField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    call = models.ForeignKey(Call, on_delete=models.PROTECT, null=True, related_name="confirmations")
    evidence_reasons = models.JSONField(default=list)
    objected_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(how="telephone", recorded_by__isnull=False, call__isnull=False)
                | (~Q(how="telephone") & Q(recorded_by__isnull=True, call__isnull=True)),
                name="confirmation_telephone_is_recorded",
            ),
        )

    def __str__(self) -> str:
        return f"{self.verdict} by {self.how}"
