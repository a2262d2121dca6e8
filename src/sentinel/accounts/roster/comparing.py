"""What the database knows, in the shape the comparison wants."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connection
from django.db.models import F
from django.db.models.expressions import RawSQL
from django.db.models.fields import TextField

from sentinel.accounts.models import Site, Worker
from sentinel.accounts.roster.matching import Known, KnownSite, KnownWorker
from sentinel.accounts.roster.reading import Roster
from sentinel.accounts.rules import WorkerStatus

# xmin is the transaction that wrote the row last: whoever writes in between gives it another.
_VERSION = RawSQL('"accounts_worker"."xmin"::text', (), output_field=TextField())
_COLUMNS = (
    "id",
    "site_id",
    "name",
    "email",
    "telephone",
    "language",
    "department",
    "external_ref",
    "status",
    "chosen_fields",
)


def known_to(account_id: int, roster: Roster) -> Known:
    """The account's sites and workers, and which of the file's addresses are taken by other accounts."""
    sites = Site.objects.filter(account=account_id).annotate(country=F("calendar__country"))
    workers = [_worker(*values) for values in _rows(account_id)]
    here = {worker.email.lower() for worker in workers}
    unknown = {row.email.lower() for row in roster.rows} - here
    return Known(
        sites=[KnownSite(site.pk, site.name, site.country) for site in sites],
        workers=workers,
        taken_emails=_taken(unknown),
    )


def _rows(account_id: int) -> Iterable[tuple[Any, ...]]:
    workers = Worker.objects.filter(site__account=account_id).order_by("id")
    return workers.annotate(version=_VERSION).values_list(*_COLUMNS, "version").iterator(chunk_size=10_000)


def _worker(
    pk: int,
    site_id: int,
    name: str,
    email: str,
    telephone: str,
    language: str,
    department: str,
    external_ref: str,
    status: str,
    chosen: list[str],
    version: str,
) -> KnownWorker:
    return KnownWorker(
        id=pk,
        site_id=site_id,
        name=name,
        email=email,
        telephone=telephone,
        language=language,
        department=department,
        external_ref=external_ref,
        is_active=status == WorkerStatus.ACTIVE.value,
        chosen=frozenset(chosen),
        version=version,
    )


def _taken(emails: set[str]) -> frozenset[str]:
    if not emails:
        return frozenset()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lower(email) FROM accounts_worker WHERE lower(email) = ANY(%s)",
            [list(emails)],
        )
        return frozenset(email for (email,) in cursor.fetchall())
