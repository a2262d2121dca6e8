"""Columns of runs and deliveries. Names here are the names in the sender's SQL."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import BooleanField, ExpressionWrapper, GeneratedField, Q

from sentinel.bulk.states import LIVE_STATES, AfterCrash, DeliveryState, RunState


class Run(models.Model):
    """The check-ins of one programme on one day, on their way.

    The counters change in the same transaction as the deliveries they count: ``total`` at launch, the
    others with each outcome. What is neither sent, failed nor skipped is on its way; ``deferred`` of
    those wait for another try. ``ambiguous`` counts deliveries that a crash left unclear, ``repeated``
    those that were sent again because of it.
    """

    programme_id = models.BigIntegerField()
    day = models.DateField()
    name = models.CharField(max_length=160)
    state = models.CharField(
        max_length=8, choices=[(s.value, s.name.title()) for s in RunState], default=RunState.RUNNING.value
    )
    state_reason = models.CharField(max_length=300, blank=True)
    after_crash = models.CharField(
        max_length=8,
        choices=[(s.value, s.name.title()) for s in AfterCrash],
        default=AfterCrash.RESEND.value,
    )
    created_at = models.DateTimeField()
    first_sent_at = models.DateTimeField(null=True)
    last_sent_at = models.DateTimeField(null=True)
    total = models.PositiveIntegerField(default=0)
    sent = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    deferred = models.PositiveIntegerField(default=0)
    ambiguous = models.PositiveIntegerField(default=0)
    repeated = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("-day", "-id")
        constraints = (models.UniqueConstraint(fields=("programme_id", "day"), name="run_once_a_day"),)

    def __str__(self) -> str:
        return self.name


class Template(models.Model):
    """The compiled bytes of one language and shape, frozen when a run first needs them.

    ``key`` is a digest of ``compiled``, so that runs that say the same share a row. Verified through
    the standard parser before it is stored; see :mod:`sentinel.bulk.editions`.
    """

    key = models.CharField(max_length=64, unique=True)
    language = models.CharField(max_length=5)
    compiled = models.BinaryField()
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.language} {self.key[:8]}"


class Edition(models.Model):
    """What a group of deliveries of one run has in common: sender, site, language and their words.

    ``shared`` holds the values of the template's shared slots; ``sender`` is the From address.
    """

    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="editions")
    template = models.ForeignKey(Template, on_delete=models.PROTECT, related_name="editions")
    key = models.CharField(max_length=64)
    sender = models.CharField(max_length=320)
    shared = models.JSONField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("run", "key"), name="edition_once_a_run"),)

    def __str__(self) -> str:
        return f"edition {self.pk} of run {self.run_id}"


def _column(condition: Q) -> GeneratedField:
    """A condition on other columns as a column of its own, kept true by the database."""
    wrapped = ExpressionWrapper(condition, output_field=BooleanField())
    return GeneratedField(expression=wrapped, output_field=BooleanField(), db_persist=True)


class Delivery(models.Model):
    """One check-in on its way to one worker's mail server, with its exact state.

    ``name`` and ``address`` are frozen, and so is ``issued_at``, which becomes the mail's Date and the
    day of issue of its links: a repeat is the same mail. ``domain`` is the address's, lower case.
    ``code``, ``enhanced`` and ``answer`` are the mail server's last words; ``reason`` says why it was
    skipped. ``reported_at``: its end was told to whoever must know.

    While a body is on the wire, ``state`` still says claimed, and the delivery stands in a
    :class:`Begun` group. No index depends on ``state`` itself, but on conditions that stay the same from
    the claim on: so what the mail server said is written beside the old row, and into no index.
    """

    # No index of their own for these two: every one is written twice per mail, a million times over.
    run = models.ForeignKey(Run, on_delete=models.PROTECT, related_name="deliveries", db_index=False)
    edition = models.ForeignKey(
        Edition, on_delete=models.PROTECT, null=True, related_name="deliveries", db_index=False
    )
    check_in_id = models.BigIntegerField(unique=True)
    worker_id = models.BigIntegerField()
    account_id = models.BigIntegerField()
    name = models.CharField(max_length=200)
    address = models.CharField(max_length=320)
    domain = models.CharField(max_length=255)
    issued_at = models.DateTimeField()
    state = models.CharField(
        max_length=8,
        choices=[(s.value, s.name.title()) for s in DeliveryState],
        default=DeliveryState.PENDING.value,
    )
    next_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    first_tried_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    relay = models.CharField(max_length=80, blank=True)
    code = models.PositiveSmallIntegerField(null=True)
    enhanced = models.CharField(max_length=11, blank=True)
    answer = models.CharField(max_length=500, blank=True)
    reason = models.CharField(max_length=60, blank=True)
    reported_at = models.DateTimeField(null=True)
    is_waiting = _column(Q(state__in=["pending", "deferred"]))
    is_aside = _column(Q(state__in=["deferred", "failed", "skipped"]))
    is_unreported = _column(Q(state="failed", reported_at__isnull=True))

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in DeliveryState]), name="delivery_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="sent") | Q(attempts__gte=1), name="delivery_sent_was_tried"
            ),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in LIVE_STATES]) | Q(settled_at__isnull=False),
                name="delivery_settled_has_time",
            ),
            models.CheckConstraint(
                condition=Q(state="skipped") | Q(edition__isnull=False), name="delivery_has_edition"
            ),
        )
        indexes = (
            models.Index(
                fields=("run", "next_at", "id"),
                name="delivery_ready",
                condition=Q(is_waiting=True),
            ),
            models.Index(
                fields=("id",),
                name="delivery_unreported",
                condition=Q(is_unreported=True),
            ),
            models.Index(fields=("run", "id"), name="delivery_run"),
            models.Index(fields=("run", "id"), name="delivery_aside", condition=Q(is_aside=True)),
            models.Index(fields=("worker_id", "-id"), name="delivery_worker"),
        )

    def __str__(self) -> str:
        return f"delivery {self.pk} to {self.address}: {self.state}"


class Begun(models.Model):
    """Deliveries that one commit allowed onto the wire together; gone when all of them have an outcome.

    A delivery that is claimed and stands in here is begun: a crash leaves it unclear. One narrow row per
    commit instead of a wide one per mail. ``id`` counts within one sender's lead.
    """

    id = models.BigIntegerField(primary_key=True)
    deliveries = ArrayField(models.BigIntegerField())

    def __str__(self) -> str:
        return f"{len(self.deliveries)} begun deliveries"


class DomainLane(models.Model):
    """The pace of one recipient domain, as it is now and as a person set it.

    ``limit_per_minute``: never faster than this (None: no limit of ours). ``pace_per_minute``: what the
    sender slowed itself down to after the domain complained (None: at full speed). ``paused_at``: nothing
    goes out there until somebody resumes it, because it blocks us or because a person said so.
    ``reported_at``: people were told of the pause.
    """

    domain = models.CharField(max_length=255, unique=True)
    limit_per_minute = models.FloatField(null=True)
    pace_per_minute = models.FloatField(null=True)
    paused_at = models.DateTimeField(null=True)
    paused_reason = models.CharField(max_length=500, blank=True)
    is_paused_by_hand = models.BooleanField(default=False)
    reported_at = models.DateTimeField(null=True)
    changed_at = models.DateTimeField()

    class Meta:
        indexes = (
            models.Index(fields=("paused_at",), name="lane_paused", condition=Q(paused_at__isnull=False)),
        )

    def __str__(self) -> str:
        return self.domain


class SenderState(models.Model):
    """The one row by which a person stops every run at once, and the sender says that it lives.

    ``alive_at``: the sender's last sign of life; ``in_flight``: bodies on the wire at that moment.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    paused_at = models.DateTimeField(null=True)
    paused_reason = models.CharField(max_length=300, blank=True)
    alive_at = models.DateTimeField(null=True)
    in_flight = models.PositiveIntegerField(default=0)
    rate_per_minute = models.FloatField(default=0)
    relays = models.JSONField(default=list)

    class Meta:
        constraints = (models.CheckConstraint(condition=Q(id=1), name="sender_state_one_row"),)

    def __str__(self) -> str:
        return "sender"
