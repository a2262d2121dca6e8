"""Columns of the outbox. Only this package imports them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sentinel.outbox.rules import LIVE, LONGEST_MUTE, Result, State


class Message(models.Model):
    """One outgoing message to one recipient on one channel.

    ``dedupe_key`` is the message's identity for ever ("duty:12:3:1:0:7:email"); ``message_id`` and
    ``created_at`` become its Message-ID and Date, so that a repeated message is the same message.
    ``payload`` is what the channel needs, written when the message was decided
    (e-mail: subject, text, html or the letter it is set from, from_name, reply_to, headers; console: title,
    text, url).
    ``kind`` is a dotted name of what it says ("problem.opened"). ``problem_id`` … are plain ids.

    ``held``: nobody may claim it before the gate has let it through (:mod:`sentinel.outbox.gate`), at
    ``released_at``; ``target`` is what the gate counts by, one number or chat or browser. ``crowd``: which
    notices tell of the same storm. ``waits_for``: why ``visible_at`` was put off ("crowd", "limit", "mute").
    """

    dedupe_key = models.CharField(max_length=160)
    channel = models.CharField(max_length=20)
    kind = models.CharField(max_length=60)
    recipient_kind = models.CharField(max_length=8)
    recipient_id = models.BigIntegerField()
    address = models.CharField(max_length=320, blank=True)
    priority = models.SmallIntegerField()
    payload = models.JSONField()
    message_id = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    first_due_at = models.DateTimeField()
    state = models.CharField(
        max_length=10, choices=[(s.value, s.name.title()) for s in State], default=State.PENDING.value
    )
    visible_at = models.DateTimeField()
    lease_token = models.UUIDField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    settled_at = models.DateTimeField(null=True)
    provider = models.CharField(max_length=40, blank=True)
    provider_ref = models.CharField(max_length=200, blank=True)
    last_error = models.TextField(blank=True)
    read_at = models.DateTimeField(null=True)
    bundle = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="bundled", db_index=False
    )
    account_id = models.BigIntegerField(null=True)
    problem_id = models.BigIntegerField(null=True)
    # Defaults of the database too: whoever inserts many rows at once need not know of the gate.
    held = models.BooleanField(default=False, db_default=False)
    released_at = models.DateTimeField(null=True)
    target = models.CharField(max_length=340, blank=True, default="", db_default="")
    crowd = models.CharField(max_length=80, blank=True, default="", db_default="")
    waits_for = models.CharField(max_length=8, blank=True, default="", db_default="")

    class Meta:
        # A row is written up to four times on its way, each time into every index: none is there for nothing.
        constraints = (
            models.UniqueConstraint(fields=("dedupe_key",), name="message_key_once"),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in State]), name="message_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state="sending") | Q(lease_token__isnull=False), name="message_sending_has_lease"
            ),
            models.CheckConstraint(
                condition=Q(state="sending") | Q(lease_token__isnull=True), name="message_lease_only_sending"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["accepted", "delivered"]) | Q(attempts__gte=1),
                name="message_accepted_was_tried",
            ),
            models.CheckConstraint(
                condition=Q(state__in=[s.value for s in LIVE]) | Q(settled_at__isnull=False),
                name="message_settled_has_time",
            ),
            models.CheckConstraint(
                condition=(Q(state="bundled") & Q(bundle__isnull=False))
                | (~Q(state="bundled") & Q(bundle__isnull=True)),
                name="message_bundled_has_pointer",
            ),
        )
        indexes = (
            models.Index(
                fields=("channel", "priority", "visible_at"),
                name="message_ready",
                condition=Q(state__in=[s.value for s in LIVE]),
            ),
            models.Index(
                fields=("recipient_kind", "recipient_id", "channel", "-id"), name="message_recipient"
            ),
            models.Index(fields=("message_id",), name="message_header"),
            models.Index(fields=("bundle",), name="message_bundle", condition=Q(bundle__isnull=False)),
            models.Index(
                fields=("recipient_id",),
                name="message_notice_waiting",
                condition=Q(state="pending", kind="duty.notice"),
            ),
            models.Index(
                fields=("problem_id",), name="message_problem", condition=Q(problem_id__isnull=False)
            ),
            models.Index(
                fields=("channel", "visible_at"),
                name="message_held",
                condition=Q(state="pending", held=True),
            ),
            models.Index(
                fields=("target", "channel", "released_at"),
                name="message_target",
                condition=~Q(target=""),
            ),
            models.Index(fields=("waits_for",), name="message_put_off", condition=~Q(waits_for="")),
        )

    def __str__(self) -> str:
        return f"{self.kind} to {self.recipient_kind} {self.recipient_id} by {self.channel}: {self.state}"


class Attempt(models.Model):
    """One try to hand a message to a provider; written at settlement, hence never for a crash."""

    # Found by the unique constraint's index.
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="tries", db_index=False)
    number = models.PositiveIntegerField()
    settled_at = models.DateTimeField()
    result = models.CharField(max_length=10, choices=[(r.value, r.name.title()) for r in Result])
    detail = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("message", "number"), name="attempt_number"),)

    def __str__(self) -> str:
        return f"try {self.number}: {self.result}"


class Mute(models.Model):
    """A time in which notices to users wait, for tests; the console shows them all the same.

    At most four hours, with a reason. ``with_workers``: mail to workers about their problems waits, too.
    ``ended_at`` is set when it is over, by itself or by somebody (``ended_by``).
    """

    started_at = models.DateTimeField()
    until = models.DateTimeField()
    reason = models.CharField(max_length=200)
    by = models.CharField(max_length=200)
    with_workers = models.BooleanField(default=False)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("ended_at",),
                name="mute_one_current",
                condition=Q(ended_at__isnull=True),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(until__lte=models.F("started_at") + LONGEST_MUTE), name="mute_is_short"
            ),
        )

    def __str__(self) -> str:
        return f"muted until {self.until:%H:%M}: {self.reason}"


class DigestWish(models.Model):
    """Whether a user wants one mail each working morning; without a row they do not.

    ``only_digest``: what is not urgent goes to the console and into that mail, and nowhere else.
    ``sent_until``: up to when the last one told.
    """

    user_id = models.BigIntegerField(unique=True)
    wanted = models.BooleanField(default=False)
    only_digest = models.BooleanField(default=False)
    sent_until = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=Q(wanted=True) | Q(only_digest=False), name="digest_only_if_wanted"
            ),
        )

    def __str__(self) -> str:
        return f"digest for user {self.user_id}"
