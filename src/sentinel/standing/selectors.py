"""Reading our standing: who is left alone, which accounts stand still, what the doctor found."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from sentinel.standing.models import Brake, CheckUp, MailComplaint, ScannerHabit, Suppression
from sentinel.standing.rules import LOOK_BACK, domain_of, suppression_keys


def suppressed_among(addresses: Iterable[str]) -> frozenset[str]:
    """Those of the addresses, as given, that get no check-ins: they or their domain are on the list."""
    keys = {address: suppression_keys(address) for address in addresses}
    if not keys:
        return frozenset()
    wanted = {key for pair in keys.values() for key in pair}
    listed = set(in_force().filter(address__in=wanted).values_list("address", flat=True))
    return frozenset(address for address, pair in keys.items() if listed.intersection(pair))


def in_force() -> QuerySet[Suppression]:
    """The list as it stands, the newest first."""
    return Suppression.objects.filter(lifted_at__isnull=True)


def suppressions(*, text: str = "", with_lifted: bool = False) -> QuerySet[Suppression]:
    """Entries whose address or note contains ``text``, the newest first; lifted ones when asked for."""
    rows = Suppression.objects.all() if with_lifted else in_force()
    found = text.strip().lower()
    return rows.filter(Q(address__contains=found) | Q(note__icontains=found)) if found else rows


def suppression_of(address: str) -> Suppression | None:
    """The entry that forbids this address: its own rather than its domain's."""
    rows = list(in_force().filter(address__in=suppression_keys(address)))
    return min(rows, key=lambda row: row.address.startswith("@"), default=None)


def braked_account_ids() -> frozenset[int]:
    """The accounts whose check-ins stand still."""
    return frozenset(Brake.objects.filter(released_at__isnull=True).values_list("account_id", flat=True))


def brakes_in_force() -> QuerySet[Brake]:
    """The brakes that are set, the oldest first."""
    return Brake.objects.filter(released_at__isnull=True).order_by("set_at", "pk")


def brake_of(account_id: int) -> Brake | None:
    """The brake that is set on an account."""
    return brakes_in_force().filter(account_id=account_id).first()


def complaints_count_since(account_id: int, now: datetime) -> datetime:
    """From when on complaints and deliveries count: 30 days ago, or since the brake was last released,
    because what an administrator has looked at is settled."""
    released = (
        Brake.objects.filter(account_id=account_id, released_at__isnull=False)
        .order_by("-released_at")
        .values_list("released_at", flat=True)
        .first()
    )
    return max(now - LOOK_BACK, released) if released else now - LOOK_BACK


def complaints_of(account_id: int, now: datetime) -> int:
    """How many complaints count against an account at ``now``."""
    since = complaints_count_since(account_id, now)
    return MailComplaint.objects.filter(account_id=account_id, at__gt=since, at__lte=now).count()


def habit_of(domain: str) -> ScannerHabit | None:
    """What was learned about the scanners of a receiving domain (or of an address's); None: nothing yet."""
    wanted = domain_of(domain) if "@" in domain else domain.strip().lower()
    return ScannerHabit.objects.filter(domain=wanted).first() if wanted else None


def habits() -> QuerySet[ScannerHabit]:
    """All domains where anything was seen: first those with the most automatic presses set aside."""
    return ScannerHabit.objects.order_by("-presses_set_aside", "-honeypots", "-both_faces", "domain")


def waiting_check_ups() -> QuerySet[CheckUp]:
    """Examinations that somebody asked for and nobody has done, the oldest first."""
    return CheckUp.objects.filter(done_at__isnull=True).order_by("asked_at", "pk")


def last_check_up(domain: str) -> CheckUp | None:
    """The newest examination of a domain that is done."""
    return CheckUp.objects.filter(domain=domain.strip().lower(), done_at__isnull=False).first()


def check_ups(limit: int = 20) -> list[CheckUp]:
    """The newest examinations, also those that still wait."""
    return list(CheckUp.objects.all()[:limit])
