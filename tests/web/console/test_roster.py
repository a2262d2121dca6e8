"""The roster: look first, then import."""

from __future__ import annotations

from django.core.files.uploadedfile import SimpleUploadedFile

from sentinel.accounts.models import RosterImport, Worker
from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage


def test_an_upload_leads_to_a_preview_and_changes_nobody(stage: Stage, as_user: SignedIn) -> None:
    before = Worker.objects.count()
    file = SimpleUploadedFile("new.csv", b"name,email,site\nAda Kos,ada.kos@lindgren.example,Kyiv\n")
    answer = as_user(stage.world.maria).post(
        f"/accounts/{stage.world.account.pk}/roster/", {"file": file}, follow=True
    )
    assert "What this roster would do" in answer.content.decode()
    assert "Ada Kos" in answer.content.decode()
    assert Worker.objects.count() == before


def test_what_is_no_roster_is_refused_at_the_form(stage: Stage, as_user: SignedIn) -> None:
    file = SimpleUploadedFile("picture.csv", b"\x00\x01\x02")
    answer = as_user(stage.world.maria).post(f"/accounts/{stage.world.account.pk}/roster/", {"file": file})
    assert answer.status_code == 422


def test_the_tabs_name_lines_and_reasons(stage: Stage, as_user: SignedIn) -> None:
    address = f"/accounts/{stage.world.account.pk}/roster/{stage.roster.pk}/?show=rejected"
    page = as_user(stage.world.maria).get(address).content.decode()
    assert '<td data-label="Line">4</td>' in page


def test_it_is_imported_once(stage: Stage, as_user: SignedIn) -> None:
    owner, address = (
        as_user(stage.world.maria),
        f"/accounts/{stage.world.account.pk}/roster/{stage.roster.pk}/",
    )
    assert owner.post(f"{address}apply/").status_code == 303
    assert Worker.objects.filter(email="bohdan@lindgren.example").exists()
    assert owner.post(f"{address}apply/").status_code == 409


def test_a_discarded_one_can_no_longer_be_imported(stage: Stage, as_user: SignedIn) -> None:
    owner, address = (
        as_user(stage.world.maria),
        f"/accounts/{stage.world.account.pk}/roster/{stage.roster.pk}/",
    )
    assert owner.post(f"{address}discard/").status_code == 303
    assert owner.post(f"{address}apply/").status_code == 409
    assert RosterImport.objects.get(pk=stage.roster.pk).applied_at is None


def test_new_lines_show_how_the_worker_is_reached_and_the_encoding_in_words(
    stage: Stage, as_user: SignedIn
) -> None:
    kept = RosterImport.objects.get(pk=stage.roster.pk)
    line = {"line": 3, "name": "Bohdan", "email": "b@lindgren.example", "site": "Kyiv"}
    kept.summary["examples"]["new"] = [line | {"telephone": "+380445550199", "language": "de"}]
    kept.summary["file"]["encoding"] = "cp1252"
    kept.save()
    address = f"/accounts/{stage.world.account.pk}/roster/{stage.roster.pk}/?show=new"
    page = as_user(stage.world.maria).get(address).content.decode()
    for expected in ("+380 44 555 0199", "German", "Windows (Western European)", 'data-label="Site"'):
        assert expected in page
    assert "cp1252" not in page
