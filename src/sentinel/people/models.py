"""Columns and constraints of the provider's people."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar
from zoneinfo import available_timezones

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower

from sentinel.people.rules import ContactChannel, Role, SwapState, parse_week


@cache
def known_zones() -> frozenset[str]:
    """All IANA time zones; remembered, because finding them reads hundreds of files."""
    return frozenset(available_timezones())


def validate_zone(value: str) -> None:
    """Refuse what is not an IANA time zone."""
    if value not in known_zones():
        raise ValidationError(f"“{value}” is not a time zone; use a name like Europe/Berlin.")


def validate_week(value: Any) -> None:
    """Refuse working hours that :func:`~sentinel.people.rules.parse_week` cannot read."""
    try:
        parse_week(value)
    except (ValueError, AttributeError) as error:
        raise ValidationError(str(error)) from None


def office_week() -> dict[str, list[list[str]]]:
    """Monday to Friday, nine to five."""
    return {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")}


class WorkCalendar(models.Model):
    """Working hours per weekday and holidays; the zone comes from the person or site that uses it.

    ``week``: ``{"mon": [["09:00", "12:30"], ["13:30", "17:00"]], "fri": [["22:00", "06:00"]]}``.
    Holidays: those of ``country`` (and ``subdivision``) by law, plus ``extra_holidays`` and without
    ``working_holidays`` (ISO dates).
    """

    name = models.CharField(max_length=80, unique=True)
    week = models.JSONField(default=office_week, validators=[validate_week])
    country = models.CharField(max_length=2, blank=True)
    subdivision = models.CharField(max_length=10, blank=True)
    extra_holidays = ArrayField(models.DateField(), default=list, blank=True)
    working_holidays = ArrayField(models.DateField(), default=list, blank=True)

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Users are known by their e-mail address."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Sign-in ignores the case of the address."""
        return self.get(email__iexact=username)

    def create_user(self, *, email: str, name: str, password: str | None = None, **columns: Any) -> User:
        """Create a user; ``password=None`` makes an account that cannot sign in until one is set."""
        user = User(email=self.normalize_email(email), name=name, **columns)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(
        self, *, email: str, name: str = "", password: str | None = None, **columns: Any
    ) -> User:
        """Create an administrator."""
        columns.setdefault("roles", [Role.ADMINISTRATOR.value])
        return self.create_user(
            email=email, name=name or email, password=password, is_staff=True, is_superuser=True, **columns
        )


class User(AbstractBaseUser, PermissionsMixin):
    """A person of the provider. ``is_staff`` opens the back office and belongs to administrators.

    ``reach_week``: outside of these hours the user is not to be disturbed, written like a calendar's
    ``week``, in ``reach_zone`` (empty: their own); none: outside of their working hours.
    ``mail_refused_address``: the address of theirs that a mail server refused; another address counts anew.
    """

    email = models.EmailField()
    name = models.CharField(max_length=200)
    telephone = models.CharField(max_length=32, blank=True, help_text="E.164, e.g. +4930123456")
    language = models.CharField(max_length=5, default="en")
    zone = models.CharField(max_length=60, default="UTC", validators=[validate_zone])
    calendar = models.ForeignKey(WorkCalendar, on_delete=models.PROTECT, null=True, blank=True)
    roles = ArrayField(
        models.CharField(max_length=16, choices=[(r.value, r.name.title()) for r in Role]), default=list
    )
    manager = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="team")
    reach_week = models.JSONField(null=True, blank=True, validators=[validate_week])
    reach_zone = models.CharField(max_length=60, blank=True, validators=[validate_zone])
    mail_refused_address = models.EmailField(blank=True, editable=False)
    mail_refused_at = models.DateTimeField(null=True, editable=False)
    mail_refused_because = models.CharField(max_length=300, blank=True, editable=False)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        ordering = ("name", "id")
        constraints = (
            models.UniqueConstraint(Lower("email"), name="user_email_once"),
            models.CheckConstraint(
                condition=Q(roles__contained_by=[r.value for r in Role]), name="user_roles_known"
            ),
        )

    def __str__(self) -> str:
        return self.name or self.email

    def has_role(self, *roles: Role) -> bool:
        """Whether the user has one of the roles."""
        return any(role.value in self.roles for role in roles)


class ContactMethod(models.Model):
    """A way to reach a user. E-mail and console exist for everybody without a row; rows add or switch off.

    ``address`` is what people see. Where it would be a secret (chat, push, webhook) it is only the masked
    form, ``sealed`` holds the whole target encrypted, and ``fingerprint`` tells two targets apart. A way
    carries notices when it is verified and enabled; ``rank``: lower is tried first.
    """

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="contact_methods")
    channel = models.CharField(max_length=12, choices=[(c.value, c.name.title()) for c in ContactChannel])
    address = models.CharField(max_length=320, blank=True)
    label = models.CharField(max_length=60, blank=True)
    sealed = models.TextField(blank=True, editable=False)
    fingerprint = models.CharField(max_length=64, blank=True, editable=False)
    rank = models.SmallIntegerField(default=0)
    is_enabled = models.BooleanField(default=True)
    off_because = models.CharField(max_length=300, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("rank", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("user", "channel", "address", "fingerprint"), name="contact_method_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} by {self.channel}"

    @property
    def is_usable(self) -> bool:
        """Whether notices may go this way."""
        return self.is_enabled and self.verified_at is not None and bool(self.sealed)


class ContactCode(models.Model):
    """The code that was sent through a contact method and must be typed back; only its hash is kept."""

    method = models.OneToOneField(ContactMethod, on_delete=models.CASCADE, related_name="code")
    digest = models.CharField(max_length=64)
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    tries = models.PositiveSmallIntegerField(default=0)
    number = models.PositiveSmallIntegerField(default=1)


class AbsenceCalendar(models.Model):
    """A calendar elsewhere from which a user's absences are taken, and what became of reading it.

    ``sealed``: its address; ``shown``: what people see of that. ``words``: with commas; an event is a time
    away when its title holds one of them (none: by its length). ``turn`` fences off a reader that was
    overtaken. ``read_at``: the last reading that worked, ``whole_at``: the last that brought content.
    ``taken``: absences of it that are not over; ``kept_back``: times that overlap one entered by hand;
    ``dismissed``: [from, until] of those that somebody took off.
    """

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="absence_calendar")
    sealed = models.TextField()
    shown = models.CharField(max_length=300)
    words = models.CharField(max_length=200, blank=True)
    deputy = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    etag = models.CharField(max_length=300, blank=True)
    last_modified = models.CharField(max_length=100, blank=True)
    next_at = models.DateTimeField(db_index=True)
    turn = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    whole_at = models.DateTimeField(null=True)
    taken = models.PositiveSmallIntegerField(default=0)
    kept_back = models.PositiveSmallIntegerField(default=0)
    dismissed = models.JSONField(default=list)
    error = models.CharField(max_length=300, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)

    def __str__(self) -> str:
        return f"calendar elsewhere of {self.user}"


class Absence(models.Model):
    """A time in which a user does not work, and who stands in. ``calendar``: where it was taken from; none
    when somebody entered it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="absences")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    deputy = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="stands_in"
    )
    reason = models.CharField(max_length=200, blank=True)
    calendar = models.ForeignKey(
        AbsenceCalendar,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="absences",
    )

    class Meta:
        ordering = ("starts_at",)
        constraints = (
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="absence_ends_after_start"),
            models.CheckConstraint(condition=~Q(deputy=F("user")), name="absence_deputy_is_other"),
        )

    def __str__(self) -> str:
        return f"{self.user} away until {self.ends_at:%Y-%m-%d}"


class OfficerShift(models.Model):
    """Who is officer of the day on a date (the date as seen in the officer's own zone).

    ``hand_over_note``: what the officer of this day should know. ``left_note``: what they leave to whoever
    comes next, written at the end of the shift.
    """

    on = models.DateField(unique=True)
    officer = models.ForeignKey(User, on_delete=models.PROTECT, related_name="shifts")
    hand_over_note = models.TextField(blank=True)
    left_note = models.TextField(blank=True)
    left_at = models.DateTimeField(null=True, blank=True)
    left_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ("on",)

    def __str__(self) -> str:
        return f"{self.on}: {self.officer}"


class ShiftSwap(models.Model):
    """One officer asks another to take a day of theirs; the rota changes when the other says yes."""

    shift = models.ForeignKey(OfficerShift, on_delete=models.CASCADE, related_name="swaps")
    asked_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    asked_of = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    note = models.CharField(max_length=500, blank=True)
    asked_at = models.DateTimeField()
    state = models.CharField(
        max_length=10,
        choices=[(s.value, s.name.title()) for s in SwapState],
        default=SwapState.ASKED.value,
    )
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("asked_at", "id")
        constraints = (
            models.UniqueConstraint(
                fields=("shift",), condition=Q(state=SwapState.ASKED.value), name="shift_swap_one_open"
            ),
            models.CheckConstraint(condition=~Q(asked_of=F("asked_by")), name="shift_swap_of_other"),
        )

    def __str__(self) -> str:
        return f"{self.asked_by} asks {self.asked_of} for {self.shift.on}: {self.state}"


class CalendarFeed(models.Model):
    """The secret address at which a calendar program reads a user's shifts and absences; only its hash is
    kept, so it is shown once and renewed when it was lost."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="calendar_feed")
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"calendar feed of {self.user}"
