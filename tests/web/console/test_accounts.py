"""Accounts, their permission, workers and sites."""

from __future__ import annotations

from sentinel.accounts.models import Account, Site, Worker
from sentinel.accounts.rules import MailState
from sentinel.standing.services import suppress
from sentinel.standing.states import SuppressedBecause
from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage


def test_withdrawing_the_permission_stops_the_asking(stage: Stage, as_user: SignedIn) -> None:
    account = stage.world.account
    permission = account.permissions.get()
    owner = as_user(stage.world.maria)
    address = f"/accounts/{account.pk}/permission/{permission.pk}/withdraw/"
    assert owner.post(address, {"reason": ""}).status_code == 422
    assert owner.post(address, {"reason": "The works council asked"}).status_code == 303
    assert "No permission" in owner.get(f"/accounts/{account.pk}/").content.decode()
    workers = owner.get(f"/accounts/{account.pk}/workers/").content.decode()
    assert "no permission of the customer covers this site" in workers


def test_a_permission_is_recorded_with_its_evidence(stage: Stage, as_user: SignedIn) -> None:
    account = stage.world.account
    typed = {
        "given_by": "Lena Brandt",
        "given_on": "2026-03-01",
        "evidence": "Letter",
        "sites": [str(stage.world.kyiv.pk)],
    }
    assert as_user(stage.world.maria).post(f"/accounts/{account.pk}/permission/", typed).status_code == 303
    assert list(account.permissions.latest("id").sites.all()) == [stage.world.kyiv]


def test_a_wrong_zone_is_refused_with_the_typed_name(stage: Stage, as_user: SignedIn) -> None:
    site = stage.world.kyiv
    typed = {"name": "Kyiv North", "zone": "Kiev", "calendar": str(site.calendar_id), "language": "en"}
    answer = as_user(stage.world.maria).post(f"/accounts/{site.account_id}/sites/{site.pk}/", typed)
    assert answer.status_code == 422
    assert "Kyiv North" in answer.content.decode()
    assert Site.objects.get(pk=site.pk).name == "Kyiv"


def test_a_site_of_another_account_is_not_there(stage: Stage, as_user: SignedIn) -> None:
    foreign = stage.world.other_account.sites.get()
    address = f"/accounts/{stage.world.account.pk}/sites/{foreign.pk}/"
    assert as_user(stage.world.maria).get(address).status_code == 404


def test_handing_the_account_over_needs_a_colleague(stage: Stage, as_user: SignedIn) -> None:
    address = f"/accounts/{stage.world.account.pk}/hand-over/"
    owner = as_user(stage.world.maria)
    assert owner.post(address, {"hand-owner": ""}).status_code == 422
    assert owner.post(address, {"hand-owner": str(stage.world.tom.pk)}).status_code == 303
    assert Account.objects.get(pk=stage.world.account.pk).owner == stage.world.tom


def test_a_bounced_address_is_repaired_on_the_workers_page(stage: Stage, as_user: SignedIn) -> None:
    worker = Worker.objects.get(mail_state=MailState.BOUNCED.value)
    owner, address = as_user(stage.world.maria), f"/workers/{worker.pk}/"
    assert "must be repaired" in owner.get(address).content.decode()
    assert owner.post(f"{address}repair/", {"email": "olena@lindgren.example"}).status_code == 422
    assert owner.post(f"{address}repair/", {"email": "v.koval@lindgren.example"}).status_code == 303
    assert Worker.objects.get(pk=worker.pk).mail_state == MailState.GOOD.value


def test_a_worker_is_found_by_a_part_of_the_name(stage: Stage, as_user: SignedIn) -> None:
    page = (
        as_user(stage.world.maria).get(f"/accounts/{stage.world.account.pk}/workers/?q=kova").content.decode()
    )
    assert "Olena Kovalenko" in page
    assert "Rui Carvalho" not in page


def test_who_is_left_alone_is_said_to_be_so_in_the_list(stage: Stage, as_user: SignedIn) -> None:
    account, olena = stage.world.account, stage.world.olena
    suppress(address=olena.email, because=SuppressedBecause.REQUEST, now=stage.at)
    page = as_user(stage.world.maria).get(f"/accounts/{account.pk}/workers/").content.decode()
    assert "the list of those we never write to" in page
