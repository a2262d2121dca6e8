"""Previewing, importing and repeating a roster, against the real database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sentinel.accounts.errors import RosterChanged, RosterRefused
from sentinel.accounts.models import RosterImport, Worker
from sentinel.accounts.roster import storing
from sentinel.accounts.roster.diff import Diff
from sentinel.accounts.services import (
    apply_roster,
    compare_roster,
    discard_roster,
    mark_bounced,
    preview_roster,
    set_preferences,
    unsubscribe_worker,
    worker_left,
)
from sentinel.accounts.services import rosters as service
from sentinel.kernel.errors import Conflict, NotAllowed
from sentinel.people.models import User
from sentinel.timeline.models import Event
from sentinel.timeline.selectors import broken_links
from tests.services.accounts.conftest import NOW, Customer

LATER = NOW + timedelta(days=1)


def preview(customer: Customer, text: str | bytes, *, complete: bool = False, **options: Any) -> RosterImport:
    return preview_roster(
        account_id=customer.account.pk,
        file_name="roster.csv",
        content=text if isinstance(text, bytes) else text.encode(),
        is_complete_list=complete,
        user=options.pop("user", customer.owner),
        now=NOW,
        **options,
    )


def imported(customer: Customer, text: str, **options: Any) -> dict[str, Any]:
    row = preview(customer, text, **options)
    return apply_roster(import_id=row.pk, user=customer.owner, now=LATER)


def changes(summary: dict[str, Any]) -> dict[str, int]:
    return {group: n for group, n in summary["counts"].items() if n and group != "unchanged"}


def verbs() -> list[str]:
    return list(Event.objects.filter(at=LATER).order_by("id").values_list("verb", flat=True))


def test_a_first_import_adds_everybody_at_their_sites(customer: Customer) -> None:
    summary = imported(
        customer,
        "Vorname;Nachname;E-Mail;Standort;Telefon;Sprache;Personalnummer\n"
        "Anna;Kowal;anna@example.com;KYIV;044 123 45 67;Deutsch;A1\nZoé;Dubois;zoe@example.com;Lyon;;;\n",
    )
    assert changes(summary) == {"new": 2}
    anna = Worker.objects.get(email="anna@example.com")
    assert (anna.name, anna.site, anna.telephone) == ("Anna Kowal", customer.kyiv, "+380441234567")
    assert (anna.language, anna.external_ref, anna.joined_at) == ("de", "A1", LATER)
    assert (anna.rhythm, anna.mail_state, anna.status) == ("programme", "good", "active")
    assert verbs() == ["roster.imported"]


def test_a_preview_changes_nobody(customer: Customer) -> None:
    row = preview(customer, "Name,Email,Site\nAnna,anna@example.com,Kyiv\n")
    assert row.summary["counts"]["new"] == 1
    assert not Worker.objects.exists()


def test_comparing_writes_nothing_at_all(customer: Customer) -> None:
    compare_roster(
        account_id=customer.account.pk,
        content=b"Name,Email,Site\nAnna,anna@example.com,Kyiv\n",
        is_complete_list=False,
        user=customer.owner,
        now=NOW,
    )
    assert not RosterImport.objects.exists()


def test_importing_the_same_file_again_changes_nothing(customer: Customer) -> None:
    text = "Name,Email,Site,Phone\nAnna,Anna@Example.com,Kyiv,0441234567\nBo,bo@example.com,Lyon,\n"
    imported(customer, text, complete=True)
    before = list(Worker.objects.order_by("id").values())
    events = Event.objects.count()
    summary = imported(customer, text, complete=True)
    assert changes(summary) == {}
    assert summary["counts"]["unchanged"] == 2
    assert list(Worker.objects.order_by("id").values()) == before
    assert Event.objects.count() == events


def test_everybody_who_changed_moved_left_or_returned_has_an_event(customer: Customer) -> None:
    for name in ("Anna", "Bo", "Cy", "Di"):
        customer.worker(name)
    worker_left(worker_id=Worker.objects.get(name="Di").pk, now=NOW)
    summary = imported(
        customer,
        "Name,Email,Site\nAnna B.,anna@example.com,Kyiv\nBo,bo@example.com,Lyon\nDi,di@example.com,Kyiv\n",
        complete=True,
    )
    assert changes(summary) == {"changed": 1, "moved": 1, "left": 1, "returned": 1}
    assert verbs() == ["roster.imported", "worker.returned", "worker.moved", "worker.changed", "worker.left"]
    moved = Event.objects.get(verb="worker.moved")
    assert moved.data["site"] == ["Kyiv", "Lyon"]
    assert list(broken_links(f"account:{customer.account.pk}")) == []
    assert Worker.objects.get(name="Cy").left_at == LATER
    assert Worker.objects.get(name="Di").left_at is None


def test_what_workers_chose_survives_every_roster(customer: Customer) -> None:
    worker = customer.worker("Anna")
    set_preferences(
        worker_id=worker.pk,
        rhythm="quarterly",
        paused_until=LATER.date() + timedelta(days=9),
        language="fr",
        telephone="+33123456789",
        now=NOW,
    )
    unsubscribe_worker(worker_id=worker.pk, how="link", now=NOW)
    mark_bounced(worker_id=worker.pk, reason="no such mailbox", now=NOW)
    kept = ("rhythm", "paused_until", "language", "telephone", "unsubscribed_at", "mail_state")
    before = Worker.objects.values(*kept).get()
    imported(customer, "Name,Email,Phone,Language,Site\nAnna B.,anna@example.com,0441234567,de,Lyon\n")
    assert Worker.objects.values(*kept).get() == before


def test_a_new_address_counts_as_good_until_it_bounces(customer: Customer) -> None:
    worker = customer.worker("Anna", external_ref="A1")
    mark_bounced(worker_id=worker.pk, reason="gone", now=NOW)
    imported(customer, "Name,Email,ID\nAnna,anna.new@example.com,A1\n")
    worker.refresh_from_db()
    assert (worker.email, worker.mail_state, worker.mail_state_reason) == ("anna.new@example.com", "good", "")


def test_an_address_of_another_account_is_a_conflict_that_does_not_name_it(customer: Customer) -> None:
    customer.worker("Secret", customer.other_site, email="shared@example.com")
    row = preview(customer, "Name,Email,Site\nAnna,Shared@example.com,Kyiv\n")
    assert (
        row.summary["conflicts"][0]["reason"] == "Shared@example.com belongs to a worker of another account"
    )
    assert changes(apply_roster(import_id=row.pk, user=None, now=LATER)) == {"conflicts": 1}


def test_what_changed_since_the_preview_counts_when_it_is_applied(customer: Customer) -> None:
    row = preview(customer, "Name,Email,Site\nAnna,anna@example.com,Kyiv\n")
    customer.worker("Anna")
    assert changes(apply_roster(import_id=row.pk, user=customer.owner, now=LATER)) == {}


def test_a_roster_is_imported_once(customer: Customer) -> None:
    row = preview(customer, "Name,Email,Site\nAnna,anna@example.com,Kyiv\n")
    apply_roster(import_id=row.pk, user=customer.owner, now=LATER)
    row.refresh_from_db()
    assert (row.applied_at, bytes(row.content)) == (LATER, b"")
    with pytest.raises(Conflict, match="imported already"):
        apply_roster(import_id=row.pk, user=customer.owner, now=LATER)
    with pytest.raises(Conflict, match="cannot be discarded"):
        discard_roster(import_id=row.pk, user=customer.owner, now=LATER)


def test_a_discarded_roster_is_forgotten(customer: Customer) -> None:
    row = preview(customer, "Name,Email,Site\nAnna,anna@example.com,Kyiv\n")
    discard_roster(import_id=row.pk, user=customer.owner, now=LATER)
    row.refresh_from_db()
    assert bytes(row.content) == b""
    with pytest.raises(Conflict, match="discarded"):
        apply_roster(import_id=row.pk, user=customer.owner, now=LATER)


def test_the_options_of_the_preview_hold_when_it_is_applied(customer: Customer) -> None:
    content = "Name;Email\nОлена;olena@example.com\n".encode("cp1251")
    row = preview(customer, content, default_site_id=customer.lyon.pk, encoding="cp1251")
    apply_roster(import_id=row.pk, user=customer.owner, now=LATER)
    worker = Worker.objects.get()
    assert (worker.name, worker.site) == ("Олена", customer.lyon)


def test_a_failure_in_the_middle_leaves_nothing(customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    anna = customer.worker("Anna")
    row = preview(customer, "Name,Email,Site\nAnna B.,anna@example.com,Lyon\nBo,bo@example.com,Kyiv\n")

    def dies(*args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(service, "_record", dies)
    with pytest.raises(KeyboardInterrupt):
        apply_roster(import_id=row.pk, user=customer.owner, now=LATER)
    anna.refresh_from_db()
    assert (anna.name, anna.site) == ("Anna", customer.kyiv)
    assert Worker.objects.count() == 1
    row.refresh_from_db()
    assert row.applied_at is None


def test_it_gives_up_after_three_times_and_leaves_nothing(
    customer: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = preview(customer, "Name,Email,Site\nAnna,anna@example.com,Kyiv\n")

    def always_late(diff: Diff, **options: Any) -> None:
        storing._require_all(0, 1)

    monkeypatch.setattr(service, "store_diff", always_late)
    with pytest.raises(RosterChanged, match="changed meanwhile"):
        apply_roster(import_id=row.pk, user=customer.owner, now=LATER)
    assert not Worker.objects.exists()


@pytest.mark.parametrize("who", ["owner", "deputy", "manager", "administrator"])
def test_those_who_may_change_the_account_may_import(customer: Customer, who: str) -> None:
    user: User = getattr(customer, who)
    assert preview(customer, "Name,Email,Site\nAnna,anna@example.com,Kyiv\n", user=user).uploaded_by == user


@pytest.mark.parametrize("who", ["outsider", "executive"])
def test_others_may_not_even_look(customer: Customer, who: str) -> None:
    with pytest.raises(NotAllowed):
        preview(customer, "Name,Email\nAnna,anna@example.com\n", user=getattr(customer, who))
    row = preview(customer, "Name,Email,Site\nAnna,anna@example.com,Kyiv\n")
    with pytest.raises(NotAllowed):
        apply_roster(import_id=row.pk, user=getattr(customer, who), now=LATER)
    with pytest.raises(NotAllowed):
        discard_roster(import_id=row.pk, user=getattr(customer, who), now=LATER)


def test_a_refused_file_is_not_kept(customer: Customer) -> None:
    with pytest.raises(RosterRefused):
        preview(customer, "nothing,here\n1,2\n")
    assert not RosterImport.objects.exists()


def test_five_thousand_workers_come_change_and_leave_with_progress(customer: Customer) -> None:
    told: list[tuple[str, int, int]] = []

    def text(count: int, department: str) -> str:
        lines = (
            f"Worker {n},w{n}@example.com,{('Kyiv', 'Lyon')[n % 2]},{n},{department}" for n in range(count)
        )
        return "Name,Email,Site,ID,Department\n" + "\n".join(lines)

    row = preview(customer, text(5_000, "Day"), complete=True)
    summary = apply_roster(import_id=row.pk, user=None, now=LATER, progress=lambda *what: told.append(what))
    assert changes(summary) == {"new": 5_000}
    assert ("adding", 5_000, 5_000) in told
    assert len(summary["examples"]["new"]) == 200
    assert changes(imported(customer, text(5_000, "Day"), complete=True)) == {}
    assert changes(imported(customer, text(4_000, "Night"), complete=True)) == {
        "changed": 4_000,
        "left": 1_000,
    }
    assert changes(imported(customer, text(4_000, "Night"), complete=True)) == {}
    assert Event.objects.filter(verb="worker.changed").count() == 4_000
    assert list(broken_links(f"account:{customer.account.pk}")) == []
