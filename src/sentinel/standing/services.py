"""Changing our standing: the list of suppressed addresses, complaints and brakes, examinations, habits.

``user_id`` and ``user_name`` say who does it; without them it was Sentinel itself or its command line.
Whether that person may is for the workflows above to ask: people stand above this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F

from sentinel.standing.errors import (
    AlreadyLifted,
    BrakeRefused,
    BrakeReleased,
    CheckUpRefused,
    SuppressionRefused,
    SuppressionUnknown,
)
from sentinel.standing.models import Brake, CheckUp, HabitMark, MailComplaint, ScannerHabit, Suppression
from sentinel.standing.rules import Complaints, Seen, domain_of, judge_complaints, suppressible
from sentinel.standing.selectors import brake_of, complaints_of, in_force
from sentinel.standing.states import SuppressedBecause
from sentinel.timeline.services import ENGINE, About, Actor, end_of_chain, record_event
from sentinel.timeline.verbs import ActorKind, Verb


def suppress(
    *,
    address: str,
    because: SuppressedBecause,
    now: datetime,
    note: str = "",
    user_id: int | None = None,
    user_name: str = "",
    account_id: int | None = None,
    worker_id: int | None = None,
) -> Suppression:
    """No check-ins to this address, or to a whole domain ("@example.com"), until the entry is lifted.

    Twice is once: the entry in force is returned and keeps its reason. ``account_id`` and ``worker_id``
    say whose timeline it belongs to. Raises SuppressionRefused for what is no address.
    """
    try:
        wanted = suppressible(address)
    except ValueError as error:
        raise SuppressionRefused("address_unreadable", str(error), {"address": address}) from None
    with transaction.atomic():
        try:
            with transaction.atomic():
                row = Suppression.objects.create(
                    address=wanted[:320],
                    because=because.value,
                    note=note.strip()[:500],
                    since=now,
                    by_user_id=user_id,
                )
        except IntegrityError:
            return in_force().get(address=wanted[:320])
        record_event(
            verb=Verb.ADDRESS_SUPPRESSED,
            at=now,
            actor=_actor(user_id, user_name),
            about=About(account_id=account_id, worker_id=worker_id),
            data={"address": row.address, "because": because.value, "note": row.note},
        )
    return row


def lift_suppression(
    *, suppression_id: int, reason: str, now: datetime, user_id: int | None = None, user_name: str = ""
) -> Suppression:
    """The address may be written to again; the entry stays on record with who lifted it and why.

    Raises SuppressionRefused without a reason, SuppressionUnknown, AlreadyLifted.
    """
    if not reason.strip():
        raise SuppressionRefused("reason_missing", "Say why this address may be written to again.")
    with transaction.atomic():
        row = Suppression.objects.select_for_update().filter(pk=suppression_id).first()
        if row is None:
            raise SuppressionUnknown("suppression_unknown", "There is no such entry of the list.")
        if row.lifted_at is not None:
            raise AlreadyLifted("suppression_lifted", f"{row.address} was taken off the list already.")
        row.lifted_at, row.lifted_by_id, row.lifted_reason = now, user_id, reason.strip()[:500]
        row.save(update_fields=["lifted_at", "lifted_by_id", "lifted_reason"])
        record_event(
            verb=Verb.SUPPRESSION_LIFTED,
            at=now,
            actor=_actor(user_id, user_name),
            about=About(),
            data={"address": row.address, "because": row.because, "reason": row.lifted_reason},
        )
    return row


def record_complaint(
    *,
    account_id: int,
    worker_id: int | None,
    incoming_id: int | None,
    source: str,
    delivered: int,
    now: datetime,
) -> Brake | None:
    """Count one "this is spam"; returns the brake if this complaint set it.

    ``delivered``: check-ins delivered to the account since
    :func:`~sentinel.standing.selectors.complaints_count_since`. The same incoming mail counts once.
    """
    with transaction.atomic():
        # The account's stream is its lock: two complaints at once must count each other.
        end_of_chain(About(account_id=account_id).stream)
        if incoming_id is not None and MailComplaint.objects.filter(incoming_id=incoming_id).exists():
            return None
        MailComplaint.objects.create(
            account_id=account_id, worker_id=worker_id, incoming_id=incoming_id, at=now, source=source[:200]
        )
        complaints = complaints_of(account_id, now)
        verdict = judge_complaints(complaints=complaints, delivered=delivered)
        if verdict is not Complaints.STOP or brake_of(account_id) is not None:
            return None
        brake = Brake.objects.create(
            account_id=account_id, set_at=now, complaints=complaints, delivered=delivered
        )
        record_event(
            verb=Verb.BRAKE_SET,
            at=now,
            actor=ENGINE,
            about=About(account_id=account_id),
            data={"complaints": complaints, "delivered": delivered},
        )
    return brake


def release_brake(
    *, brake_id: int, reason: str, now: datetime, user_id: int | None = None, user_name: str = ""
) -> Brake:
    """The account's check-ins go on; earlier complaints do not count any more.

    Raises BrakeRefused without a reason or for an unknown brake, BrakeReleased the second time.
    """
    if not reason.strip():
        raise BrakeRefused("reason_missing", "Say what was done about the complaints.")
    with transaction.atomic():
        brake = Brake.objects.select_for_update().filter(pk=brake_id).first()
        if brake is None:
            raise BrakeRefused("brake_unknown", "There is no such brake.")
        if brake.released_at is not None:
            raise BrakeReleased("brake_released", "The brake was released already.")
        brake.released_at, brake.released_by_id, brake.released_reason = now, user_id, reason.strip()[:500]
        brake.save(update_fields=["released_at", "released_by_id", "released_reason"])
        record_event(
            verb=Verb.BRAKE_RELEASED,
            at=now,
            actor=_actor(user_id, user_name),
            about=About(account_id=brake.account_id),
            data={"reason": brake.released_reason, "complaints": brake.complaints},
        )
    return brake


def ask_check_up(*, domain: str, user_id: int | None, now: datetime) -> CheckUp:
    """Have the engine examine a sending domain; one that already waits is returned.

    Raises CheckUpRefused for what is no domain.
    """
    try:
        wanted = domain_of(suppressible(f"@{domain.strip().lstrip('@')}"))
    except ValueError:
        message = f"“{domain.strip()}” is no domain; it looks like example.com."
        raise CheckUpRefused("domain_unreadable", message) from None
    waiting = CheckUp.objects.filter(domain=wanted, done_at__isnull=True).first()
    return waiting or CheckUp.objects.create(domain=wanted, asked_at=now, asked_by_id=user_id)


def keep_check_up(
    *, domain: str, findings: list[dict[str, Any]], user_id: int | None = None, now: datetime
) -> CheckUp:
    """Keep an examination that was done at once, so that the console shows it, too."""
    return CheckUp.objects.create(
        domain=domain[:255], asked_at=now, asked_by_id=user_id, done_at=now, findings=findings
    )


def finish_check_up(
    *, check_up_id: int, findings: list[dict[str, Any]], error: str, now: datetime
) -> CheckUp | None:
    """Keep what the doctor found; None when somebody else was faster."""
    changed = CheckUp.objects.filter(pk=check_up_id, done_at__isnull=True).update(
        done_at=now, findings=findings, error=error[:500]
    )
    return CheckUp.objects.get(pk=check_up_id) if changed else None


def habit_mark() -> HabitMark | None:
    """How far the journal and the responses were read for habits, locked until commit; None while
    another engine reads on."""
    HabitMark.objects.get_or_create(pk=1)
    return HabitMark.objects.select_for_update(skip_locked=True).filter(pk=1).first()


def count_habits(*, seen: Mapping[str, Seen], mark: HabitMark, now: datetime) -> None:
    """Add what was seen to the habits of each domain and move the mark, in the caller's transaction."""
    for domain, counted in sorted(seen.items()):
        ScannerHabit.objects.get_or_create(
            domain=domain[:255], defaults={"first_seen_at": now, "last_seen_at": now}
        )
        grown = {name: F(name) + count for name, count in vars(counted).items() if count}
        ScannerHabit.objects.filter(domain=domain[:255]).update(last_seen_at=now, **grown)
    mark.save()


def _actor(user_id: int | None, user_name: str) -> Actor:
    return ENGINE if user_id is None else Actor(kind=ActorKind.USER, id=user_id, name=user_name)
