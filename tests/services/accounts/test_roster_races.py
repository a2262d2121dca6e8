"""Rosters against a second connection that writes at the same time, for real."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from sentinel.accounts.models import Worker
from sentinel.accounts.services import apply_roster, preview_roster
from sentinel.timeline.models import Event
from tests.services.accounts.conftest import NOW, Customer

pytestmark = pytest.mark.django_db(transaction=True)


def elsewhere(worker_id: int, **columns: str) -> None:
    """Write to a worker on another connection, committed when this returns."""

    def write() -> None:
        try:
            Worker.objects.filter(pk=worker_id).update(**columns)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(write).result(timeout=30)


def test_what_others_write_while_a_roster_is_applied_is_neither_lost_nor_mixed(customer: Customer) -> None:
    anna, bo = customer.worker("Anna"), customer.worker("Bo")
    row = preview_roster(
        account_id=customer.account.pk,
        file_name="roster.csv",
        content=b"Name,Email,Department\nAnna,anna@example.com,Night\nBo,bo@example.com,Night\n",
        is_complete_list=False,
        user=None,
        now=NOW,
    )
    compared = []

    def meanwhile(doing: str, done: int, total: int) -> None:
        if (doing, done) == ("comparing", 1):
            compared.append(doing)
            if len(compared) == 1:
                elsewhere(anna.pk, name="Anna Kowal", telephone="+380441234567")

    summary = apply_roster(import_id=row.pk, user=None, now=NOW, progress=meanwhile)
    anna.refresh_from_db()
    bo.refresh_from_db()
    assert len(compared) == 2
    assert summary["counts"]["changed"] == 2
    assert (anna.telephone, anna.department, bo.department) == ("+380441234567", "Night", "Night")
    changed = Event.objects.get(verb="worker.changed", worker_id=anna.pk)
    assert changed.data["name"] == ["Anna Kowal", "Anna"]
