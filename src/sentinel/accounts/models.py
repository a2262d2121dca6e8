"""Columns and constraints of the customers."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from sentinel.accounts.rules import MailState, Rhythm, Tier, WorkerStatus
from sentinel.people.models import User, WorkCalendar, validate_zone


class Account(models.Model):
    """A customer organisation and who of the provider answers for it.

    ``tier`` shortens the ladder for key accounts. ``external_ref`` is the customer's number elsewhere.
    """

    name = models.CharField(max_length=200)
    external_ref = models.CharField(max_length=80, blank=True)
    tier = models.CharField(
        max_length=10, choices=[(t.value, t.name.title()) for t in Tier], default=Tier.STANDARD.value
    )
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="owned_accounts")
    deputy = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="deputised_accounts"
    )
    manager = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="managed_accounts"
    )
    focus_executive = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="focus_accounts"
    )
    created_at = models.DateTimeField()
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(Lower("name"), name="account_name_once"),
            models.CheckConstraint(condition=~Q(deputy=F("owner")), name="account_deputy_is_other"),
        )

    def __str__(self) -> str:
        return self.name


class Site(models.Model):
    """A place of an account. ``zone`` and ``calendar`` say when people there work."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="sites")
    name = models.CharField(max_length=200)
    address = models.TextField(blank=True)
    zone = models.CharField(max_length=60, validators=[validate_zone])
    calendar = models.ForeignKey(WorkCalendar, on_delete=models.PROTECT)
    language = models.CharField(max_length=5, default="en")

    class Meta:
        ordering = ("name", "id")
        constraints = (models.UniqueConstraint(F("account"), Lower("name"), name="site_name_once"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.account})"


class Worker(models.Model):
    """A person at a site who relies on the provider. Never logs in; acts through signed links.

    ``rhythm`` is the worker's own choice and wins over the programme's cadence when not ``programme``.
    ``paused_until``, ``unsubscribed_at`` and ``mail_state`` each stop check-ins, never mail about the
    worker's own open problem (except a bouncing address, which cannot be reached by mail at all).
    ``away_until``: an out-of-office note said so; until then nothing of ours waits for this worker.
    """

    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="workers")
    name = models.CharField(max_length=200)
    email = models.EmailField(max_length=254)
    telephone = models.CharField(max_length=32, blank=True)
    language = models.CharField(max_length=5, blank=True, help_text="empty: the language of the site")
    external_ref = models.CharField(max_length=80, blank=True)
    department = models.CharField(max_length=120, blank=True)
    status = models.CharField(
        max_length=8,
        choices=[(s.value, s.name.title()) for s in WorkerStatus],
        default=WorkerStatus.ACTIVE.value,
    )
    joined_at = models.DateTimeField()
    left_at = models.DateTimeField(null=True, blank=True)
    rhythm = models.CharField(
        max_length=10, choices=[(r.value, r.name.title()) for r in Rhythm], default=Rhythm.PROGRAMME.value
    )
    paused_until = models.DateField(null=True, blank=True)
    away_until = models.DateField(
        null=True, blank=True, help_text="first day back, from their own absence note"
    )
    unsubscribed_at = models.DateTimeField(null=True, blank=True)
    mail_state = models.CharField(
        max_length=10, choices=[(m.value, m.name.title()) for m in MailState], default=MailState.GOOD.value
    )
    mail_state_reason = models.CharField(max_length=500, blank=True)
    chosen_fields = ArrayField(models.CharField(max_length=12), default=list, blank=True)

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(Lower("email"), name="worker_email_once"),
            models.CheckConstraint(
                condition=Q(status="left", left_at__isnull=False) | Q(status="active", left_at__isnull=True),
                name="worker_left_has_time",
            ),
        )
        indexes = (models.Index(fields=("site", "status"), name="worker_site"),)

    def __str__(self) -> str:
        return f"{self.name} <{self.email}>"

    @property
    def spoken_language(self) -> str:
        """The worker's language, else the site's."""
        return self.language or self.site.language


class Permission(models.Model):
    """The customer's recorded consent to ask its workers. No permission, no mail.

    ``sites`` empty means all sites of the account. ``given_by`` is the person at the customer;
    ``evidence`` says where the consent can be read (contract clause, letter, mail).
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="permissions")
    sites = models.ManyToManyField(Site, blank=True, related_name="permissions")
    given_by = models.CharField(max_length=200)
    given_on = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    evidence = models.TextField()
    recorded_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField()
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-given_on", "-id")
        constraints = (
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_until__gte=F("given_on")),
                name="permission_ends_after_start",
            ),
        )

    def __str__(self) -> str:
        return f"{self.account}: by {self.given_by} on {self.given_on}"


class RosterImport(models.Model):
    """One uploaded roster file: what the preview found and whether it was applied.

    ``content`` holds the file as it came until it is applied or discarded, so that what was
    previewed is exactly what is applied; ``summary`` holds the counts and rejected lines.
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="roster_imports")
    file_name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    content = models.BinaryField()
    is_complete_list = models.BooleanField(default=False)
    uploaded_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    uploaded_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    discarded_at = models.DateTimeField(null=True)
    summary = models.JSONField(default=dict)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                condition=Q(applied_at__isnull=True) | Q(discarded_at__isnull=True),
                name="roster_import_one_end",
            ),
        )

    def __str__(self) -> str:
        return f"{self.file_name} for {self.account}"
