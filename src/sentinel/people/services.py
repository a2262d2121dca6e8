"""Changing people. ``actor`` is the user who does it; None stands for Sentinel itself and its command line.

Each service is one transaction with its entry in the timeline, and refuses in plain words.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from sentinel.kernel.errors import NotAllowed, NotFound
from sentinel.people.errors import AbsenceRefused, ShiftRefused, UserRefused
from sentinel.people.models import Absence, AbsenceCalendar, OfficerShift, User
from sentinel.people.rules import Role
from sentinel.timeline.services import ENGINE, About, Actor, record_event
from sentinel.timeline.verbs import ActorKind, Verb


def actor_of(user: User | None) -> Actor:
    """How the timeline names who acted."""
    return ENGINE if user is None else Actor(kind=ActorKind.USER, id=user.pk, name=user.name)


def create_user(
    *,
    email: str,
    name: str,
    roles: Iterable[Role],
    now: datetime,
    actor: User | None = None,
    password: str | None = None,
    **columns: Any,
) -> User:
    """Enter a user. Without a password nobody can sign in as them until one is set.

    ``columns``: further columns of User (zone, calendar, manager, telephone, language).
    Raises UserRefused when something about them cannot be stored.
    """
    _require_administrator(actor)
    wanted = sorted({Role(role).value for role in roles})
    is_administrator = Role.ADMINISTRATOR.value in wanted
    user = User(
        email=User.objects.normalize_email(email.strip()),
        name=name.strip(),
        roles=wanted,
        is_staff=is_administrator,
        **columns,
    )
    user.is_superuser = is_administrator
    _check_password(user, password)
    user.set_password(password)
    _check_columns(user)
    try:
        with transaction.atomic():
            user.save()
            about = About(user_id=user.pk)
            record_event(
                verb=Verb.USER_ADDED, at=now, actor=actor_of(actor), about=about, data={"roles": wanted}
            )
    except IntegrityError:
        raise UserRefused("user_email_taken", "There is already a user with this e-mail address.") from None
    return user


def set_roles(*, user_id: int, roles: Iterable[Role], now: datetime, actor: User | None = None) -> User:
    """Give a user exactly these roles; the back office opens and closes with the role of administrator."""
    _require_administrator(actor)
    wanted = sorted({Role(role).value for role in roles})
    with transaction.atomic():
        user = _locked(user_id)
        before = sorted(user.roles)
        user.roles = wanted
        user.is_staff = user.is_superuser = Role.ADMINISTRATOR.value in wanted
        user.save(update_fields=["roles", "is_staff", "is_superuser"])
        if before != wanted:
            data = {"roles": [before, wanted]}
            record_event(
                verb=Verb.USER_CHANGED, at=now, actor=actor_of(actor), about=About(user_id=user.pk), data=data
            )
    return user


def set_password(*, user_id: int, password: str, now: datetime, actor: User | None = None) -> None:
    """Set a user's password (their own, or an administrator for them)."""
    if actor is not None and actor.pk != user_id:
        _require_administrator(actor)
    with transaction.atomic():
        user = _locked(user_id)
        _check_password(user, password)
        user.set_password(password)
        user.save(update_fields=["password"])
        about = About(user_id=user.pk)
        record_event(
            verb=Verb.USER_CHANGED, at=now, actor=actor_of(actor), about=about, data={"password": "set"}
        )


def set_active(*, user_id: int, is_active: bool, now: datetime, actor: User | None = None) -> User:
    """Let a user in or keep them out. Whoever is out counts as away for good; the deputies act."""
    _require_administrator(actor)
    with transaction.atomic():
        user = _locked(user_id)
        if user.is_active != is_active:
            user.is_active = is_active
            user.save(update_fields=["is_active"])
            data = {"is_active": [not is_active, is_active]}
            record_event(
                verb=Verb.USER_CHANGED, at=now, actor=actor_of(actor), about=About(user_id=user.pk), data=data
            )
    return user


def set_absence(
    *,
    user_id: int,
    starts_at: datetime,
    ends_at: datetime,
    deputy_id: int | None,
    reason: str,
    actor: User | None,
    now: datetime,
) -> Absence:
    """Enter a time away. Allowed to the user, to their manager, and to administrators.

    Without a deputy whoever deputises for the account acts. Raises AbsenceRefused when the time is over,
    empty, or overlaps another absence, or when the deputy is the same person or no longer active.
    """
    with transaction.atomic():
        user = _locked(user_id)
        _require_say_over(actor, user)
        if ends_at <= starts_at:
            raise AbsenceRefused("absence_empty", "The absence must end after it begins.")
        if ends_at <= now:
            raise AbsenceRefused("absence_over", "This absence is already over; it would change nothing.")
        if deputy_id == user_id:
            raise AbsenceRefused("absence_own_deputy", "Nobody can stand in for themselves.")
        if deputy_id is not None and not User.objects.filter(pk=deputy_id, is_active=True).exists():
            raise AbsenceRefused("absence_deputy_inactive", "Whoever stands in must be an active user.")
        other = Absence.objects.filter(user=user, starts_at__lt=ends_at, ends_at__gt=starts_at).first()
        if other is not None:
            until = f"{other.ends_at:%d %B %Y}"
            raise AbsenceRefused(
                "absence_overlaps", f"{user.name} is already away until {until}; end that first."
            )
        absence = Absence.objects.create(
            user=user, starts_at=starts_at, ends_at=ends_at, deputy_id=deputy_id, reason=reason.strip()[:200]
        )
        data = {"from": starts_at, "until": ends_at, "deputy_id": deputy_id, "reason": absence.reason}
        record_event(
            verb=Verb.USER_ABSENT, at=now, actor=actor_of(actor), about=About(user_id=user.pk), data=data
        )
    return absence


def enter_absences(
    *,
    user_id: int,
    times: Iterable[tuple[datetime, datetime]],
    deputy_id: int | None,
    reason: str,
    actor: User | None,
    now: datetime,
) -> tuple[list[Absence], list[str]]:
    """Enter several absences, each for itself: those entered, and why the others were refused."""
    entered, refused = [], []
    with transaction.atomic():
        for starts_at, ends_at in times:
            try:
                absence = set_absence(
                    user_id=user_id,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    deputy_id=deputy_id,
                    reason=reason,
                    actor=actor,
                    now=now,
                )
            except AbsenceRefused as why:
                refused.append(why.message)
            else:
                entered.append(absence)
    return entered, refused


def end_absence(*, absence_id: int, actor: User | None, now: datetime) -> None:
    """The user is back: a current absence ends now, a future one is taken off the list."""
    with transaction.atomic():
        whose = Absence.objects.filter(pk=absence_id).values_list("user_id", flat=True).first()
        if whose is not None:
            _locked(whose)  # before the absence, as where one is entered
        absence = Absence.objects.select_for_update(of=("self",)).filter(pk=absence_id).first()
        if absence is None:
            raise NotFound("absence_unknown", "This absence does not exist any more.")
        _require_say_over(actor, absence.user)
        if absence.ends_at <= now:
            return
        if actor is not None and absence.calendar_id is not None:
            _dismiss(absence)
        if absence.starts_at >= now:
            absence.delete()
        else:
            absence.ends_at = now
            absence.save(update_fields=["ends_at"])
        about = About(user_id=absence.user_id)
        record_event(
            verb=Verb.USER_BACK, at=now, actor=actor_of(actor), about=about, data={"absence_id": absence_id}
        )


def _dismiss(absence: Absence) -> None:
    """Somebody decided against it: the next reading of the calendar must not bring it back."""
    calendar = AbsenceCalendar.objects.select_for_update().get(absences=absence)
    calendar.dismissed = [*calendar.dismissed, [absence.starts_at.isoformat(), absence.ends_at.isoformat()]]
    calendar.save(update_fields=["dismissed"])


def assign_officer(
    *, on: date, officer_id: int, now: datetime, actor: User | None = None, hand_over_note: str = ""
) -> OfficerShift:
    """Put a user on the rota for a date (as seen in their own zone), in place of whoever stood there.

    Raises ShiftRefused unless the user is active and has the role of officer or executive.
    """
    if actor is not None and not actor.has_role(
        Role.ADMINISTRATOR, Role.MANAGER, Role.EXECUTIVE, Role.OFFICER
    ):
        raise NotAllowed("rota_not_allowed", "The rota belongs to officers, managers and administrators.")
    with transaction.atomic():
        officer = User.objects.filter(pk=officer_id, is_active=True).first()
        if officer is None or not officer.has_role(Role.OFFICER, Role.EXECUTIVE):
            raise ShiftRefused(
                "not_an_officer", "Only an active officer or executive can be officer of the day."
            )
        before = OfficerShift.objects.select_for_update().filter(on=on).first()
        values = {"officer": officer, **({"hand_over_note": hand_over_note} if hand_over_note else {})}
        shift, _ = OfficerShift.objects.update_or_create(on=on, defaults=values)
        if before is None or before.officer_id != officer_id:
            data = {"on": on, "instead_of": before.officer_id if before else None}
            about = About(user_id=officer_id)
            record_event(verb=Verb.OFFICER_ASSIGNED, at=now, actor=actor_of(actor), about=about, data=data)
    return shift


def _check_columns(user: User) -> None:
    try:
        # Constraints are the database's to judge: their messages name columns, not people.
        user.full_clean(exclude=["password", "roles"], validate_constraints=False)
    except ValidationError as error:
        raise UserRefused("user_invalid", _sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    named = (f"{field}: {' '.join(texts)}" for field, texts in error.message_dict.items())
    return "; ".join(text.removeprefix("__all__: ") for text in named)


def _check_password(user: User, password: str | None) -> None:
    if password is None:
        return
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise UserRefused("password_weak", " ".join(error.messages)) from None


def _locked(user_id: int) -> User:
    user = User.objects.select_for_update().filter(pk=user_id).first()
    if user is None:
        raise NotFound("user_unknown", "There is no such user.")
    return user


def _require_administrator(actor: User | None) -> None:
    if actor is not None and not (actor.is_active and actor.has_role(Role.ADMINISTRATOR)):
        raise NotAllowed("administrators_only", "Only administrators may do this.")


def _require_say_over(actor: User | None, user: User) -> None:
    if actor is None or actor.pk in (user.pk, user.manager_id):
        return
    if not actor.has_role(Role.ADMINISTRATOR):
        raise NotAllowed(
            "absence_not_allowed", "Only the person, their manager or an administrator may do this."
        )
