"""Columns of incoming mail."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from sentinel.inbound.states import IncomingState


class IncomingMail(models.Model):
    """One mail as it came, for one recipient address, and what was made of it.

    ``raw`` is encrypted (:mod:`sentinel.inbound.sealing`) and emptied when its retention has passed.
    ``digest`` over recipient and bytes makes the same mail given twice one row. ``kind``, ``words`` …
    are filled when it is read. ``thread`` says by which key it was recognised (token, verp,
    references, link, sender, none). ``outcome`` names what it set in motion. A mail nobody could place
    waits in state ``person``. All ids are plain numbers of rows above.
    """

    received_at = models.DateTimeField()
    source = models.CharField(max_length=40)  # smtp, lmtp, imap, or a provider's name
    envelope_from = models.CharField(max_length=320, blank=True)
    envelope_to = models.CharField(max_length=320)
    digest = models.CharField(max_length=64, unique=True)
    size = models.PositiveIntegerField()
    raw = models.BinaryField()
    state = models.CharField(
        max_length=8,
        choices=[(s.value, s.name.title()) for s in IncomingState],
        default=IncomingState.WAITING.value,
    )
    next_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    last_error = models.TextField(blank=True)
    read_at = models.DateTimeField(null=True)
    kind = models.CharField(max_length=16, blank=True)
    reasons = models.JSONField(default=list)
    thread = models.CharField(max_length=10, blank=True)
    is_from_worker = models.BooleanField(null=True)
    from_address = models.CharField(max_length=320, blank=True)
    from_name = models.CharField(max_length=200, blank=True)
    subject = models.CharField(max_length=500, blank=True)
    message_id = models.CharField(max_length=300, blank=True)
    words = models.TextField(blank=True)
    full_text = models.TextField(blank=True)
    language = models.CharField(max_length=5, blank=True)
    said = models.CharField(max_length=12, blank=True)
    back_on = models.DateField(null=True)
    outcome = models.CharField(max_length=40, blank=True)
    outcome_note = models.CharField(max_length=500, blank=True)
    account_id = models.BigIntegerField(null=True)
    worker_id = models.BigIntegerField(null=True)
    user_id = models.BigIntegerField(null=True)
    check_in_id = models.BigIntegerField(null=True)
    response_id = models.BigIntegerField(null=True)
    problem_id = models.BigIntegerField(null=True)
    settled_by_id = models.BigIntegerField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(state="waiting") | Q(read_at__isnull=False), name="incoming_read_has_time"
            ),
        )
        indexes = (
            models.Index(fields=("next_at", "id"), name="incoming_waiting", condition=Q(state="waiting")),
            models.Index(fields=("-id",), name="incoming_person", condition=Q(state="person")),
            models.Index(
                fields=("problem_id",), name="incoming_problem", condition=Q(problem_id__isnull=False)
            ),
            models.Index(
                fields=("worker_id", "-id"), name="incoming_worker", condition=Q(worker_id__isnull=False)
            ),
            models.Index(fields=("received_at",), name="incoming_unread_raw", condition=~Q(raw=b"")),
            models.Index(fields=("message_id",), name="incoming_message_id", condition=~Q(message_id="")),
        )

    def __str__(self) -> str:
        return f"mail {self.pk} from {self.from_address or self.envelope_from}: {self.state}"


class Attachment(models.Model):
    """A file that came with a mail. ``content`` is encrypted; empty when it was refused (``refused``
    says why). ``sniffed_type`` is what the bytes are, whatever the sender called them."""

    mail = models.ForeignKey(IncomingMail, on_delete=models.CASCADE, related_name="attachments")
    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=200)
    declared_type = models.CharField(max_length=120, blank=True)
    sniffed_type = models.CharField(max_length=120)
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    is_inline = models.BooleanField(default=False)
    refused = models.CharField(max_length=120, blank=True)
    content = models.BinaryField()

    class Meta:
        ordering = ("mail", "position")
        constraints = (models.UniqueConstraint(fields=("mail", "position"), name="attachment_once"),)

    def __str__(self) -> str:
        return self.name


class PolledMailbox(models.Model):
    """How far a mailbox was fetched by IMAP: everything up to ``last_uid`` is committed here."""

    name = models.CharField(max_length=200, unique=True)
    uid_validity = models.BigIntegerField(default=0)
    last_uid = models.BigIntegerField(default=0)
    looked_at = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=500, blank=True)

    def __str__(self) -> str:
        return self.name
