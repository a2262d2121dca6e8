"""How fast a roster of 100,000 rows is imported, and imported again.

Start it with `.venv/bin/python bench/roster.py [rows]`. It makes a database of its own on the embedded
PostgreSQL, with the durability of production, and removes it at the end.
"""

from __future__ import annotations

import csv
import io
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import django
from django.conf import settings
from django.test.utils import setup_databases, setup_test_environment, teardown_databases

from sentinel.ops.postgres import cluster_in

CHECKOUT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 3, 6, 9, 0, tzinfo=UTC)
SITES = 40


def roster(rows: int, department: str) -> bytes:
    """A file with every column, as German offices write it."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerow(
        ["Personalnummer", "Nachname", "Vorname", "E-Mail", "Standort", "Telefon", "Sprache", "Abteilung"]
    )
    for n in range(rows):
        site, telephone = f"Standort {n % SITES}", f"030 {1_000_000 + n}"
        writer.writerow(
            [f"P{n:06}", f"Müller-{n}", "Jürgen", f"w{n}@example.com", site, telephone, "Deutsch", department]
        )
    return out.getvalue().encode("cp1252")


def measure(what: str, account_id: int, content: bytes, rows: int) -> None:
    """Preview and apply one file; print the seconds of each and the rows per second of both."""
    from sentinel.accounts.services import apply_roster, preview_roster  # why: needs Django set up

    started = time.perf_counter()
    row = preview_roster(
        account_id=account_id,
        file_name="roster.csv",
        content=content,
        is_complete_list=True,
        user=None,
        now=NOW,
    )
    previewed = time.perf_counter()
    summary = apply_roster(import_id=row.pk, user=None, now=NOW)
    done = time.perf_counter()
    counts = ", ".join(f"{n} {group}" for group, n in summary["counts"].items() if n)
    sys.stdout.write(
        f"{what:28} preview {previewed - started:5.1f} s, import {done - previewed:5.1f} s,"
        f" {rows / (done - started):8,.0f} rows/s in all: {counts}\n"
    )
    sys.stdout.flush()


def main(rows: int) -> None:
    """First import, the same again, everybody changed, and everybody but one gone."""
    from sentinel.accounts.services import add_site, create_account  # why: needs Django set up
    from sentinel.people.models import WorkCalendar  # why: needs Django set up
    from sentinel.people.rules import Role  # why: needs Django set up
    from sentinel.people.services import create_user  # why: needs Django set up

    owner = create_user(email="owner@example.com", name="Owner", roles=[Role.OWNER], now=NOW)
    account = create_account(name="Large", owner=owner, now=NOW)
    calendar = WorkCalendar.objects.create(name="Germany", country="DE")
    for number in range(SITES):
        add_site(
            account_id=account.pk, name=f"Standort {number}", zone="Europe/Berlin", calendar=calendar, now=NOW
        )
    measure("first import", account.pk, roster(rows, "Werk"), rows)
    measure("the same file again", account.pk, roster(rows, "Werk"), rows)
    measure("another department each", account.pk, roster(rows, "Lager"), rows)
    measure("a list of one", account.pk, roster(1, "Lager"), 1)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sentinel.config.testing")
    django.setup()
    with cluster_in(CHECKOUT / ".sentinel", "bench").running() as cluster:
        settings.DATABASES["default"]["HOST"] = str(cluster.socket_folder)
        settings.DATABASES["default"]["TEST"]["NAME"] = f"bench_{os.getpid()}"
        setup_test_environment()
        databases = setup_databases(verbosity=0, interactive=False)
        try:
            main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
        finally:
            teardown_databases(databases, verbosity=0)
