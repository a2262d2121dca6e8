"""The mail screens: what each shows, what a press does, and that no file of a stranger ever runs."""

from __future__ import annotations

import csv
import io

from sentinel.accounts.models import Worker
from sentinel.bulk.models import DomainLane, Run, SenderState
from sentinel.inbound.models import IncomingMail
from sentinel.problems.models import Problem
from sentinel.standing.models import Brake, CheckUp, Suppression
from sentinel.timeline.models import Event
from tests.web.console.conftest import SignedIn
from tests.web.console.mail_stage import PICTURE, SCRIPT
from tests.web.console.stage import Stage


def _page(stage: Stage, as_user: SignedIn, address: str) -> str:
    return as_user(stage.world.ada).get(address).content.decode()


def test_a_run_shows_what_became_of_everybody(stage: Stage, as_user: SignedIn) -> None:
    page = _page(stage, as_user, f"/mail/runs/{stage.post.run.pk}/")
    assert "550 5.2.2 mailbox is full" in " ".join(page.split())
    assert "3 of 4 settled" in page
    assert "lindgren.example" in page


def test_the_single_recipients_are_those_of_accounts_one_may_see(stage: Stage, as_user: SignedIn) -> None:
    address = f"/mail/runs/{stage.post.run.pk}/?state=failed"
    assert "mailbox is full" in as_user(stage.world.alan).get(address).content.decode()
    stage.post.run.deliveries.update(account_id=stage.world.other_account.pk)
    assert "mailbox is full" not in as_user(stage.world.petra).get(address).content.decode()


def test_pausing_needs_a_reason_and_writes_history(stage: Stage, as_user: SignedIn) -> None:
    client, run = as_user(stage.world.ada), stage.post.run
    assert client.post(f"/mail/runs/{run.pk}/pause/", {"reason": ""}).status_code == 422
    assert Run.objects.get(pk=run.pk).state == "running"
    assert client.post(f"/mail/runs/{run.pk}/pause/", {"reason": "wrong text"}).status_code == 303
    assert Run.objects.get(pk=run.pk).state_reason == "wrong text"
    assert Event.objects.filter(verb="run.paused").get().data["reason"] == "wrong text"
    assert client.post(f"/mail/runs/{run.pk}/resume/").status_code == 303
    assert Run.objects.get(pk=run.pk).state == "running"


def test_everything_can_be_stopped_at_once(stage: Stage, as_user: SignedIn) -> None:
    client = as_user(stage.world.ada)
    client.post("/mail/sender/pause/", {"reason": "fire drill"})
    assert SenderState.objects.get().paused_reason == "fire drill"
    assert "All check-ins stand still" in client.get("/mail/runs/").content.decode()
    client.post("/mail/sender/resume/")
    assert SenderState.objects.get().paused_at is None


def test_the_failed_are_tried_again_unless_a_reason_still_holds(stage: Stage, as_user: SignedIn) -> None:
    client, run = as_user(stage.world.ada), stage.post.run
    stage.world.account.permissions.update(withdrawn_at=stage.world.now)
    answer = client.post(f"/mail/runs/{run.pk}/retry/", follow=True)
    assert "None can be tried again" in answer.content.decode()
    assert run.deliveries.get(state="failed").answer == "mailbox is full"
    stage.world.account.permissions.update(withdrawn_at=None)
    worker = Worker.objects.create(
        site=stage.world.kyiv, name="Nina Hrytsenko", email="nina@lindgren.example", joined_at=stage.world.now
    )
    run.deliveries.filter(state="failed").update(worker_id=worker.pk)
    answer = client.post(f"/mail/runs/{run.pk}/retry/", follow=True)
    assert "1 tried again" in answer.content.decode()
    assert not run.deliveries.filter(state="failed").exists()


def test_the_export_names_every_recipient_and_holds_no_formula(stage: Stage, as_user: SignedIn) -> None:
    stage.post.run.deliveries.filter(state="failed").update(answer="=HYPERLINK(1)")
    answer = as_user(stage.world.ada).get(f"/mail/runs/{stage.post.run.pk}/export/")
    text = answer.getvalue().decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    assert len(rows) == 1 + stage.post.run.deliveries.count()
    assert not [cell for row in rows for cell in row if cell.startswith("=")]


def test_a_domain_is_limited_stopped_and_let_go_on(stage: Stage, as_user: SignedIn) -> None:
    client = as_user(stage.world.ada)
    client.post("/mail/domains/limit/", {"domain": "Slow.Example", "limit_per_minute": "12"})
    assert DomainLane.objects.get(domain="slow.example").limit_per_minute == 12
    client.post("/mail/domains/pause/", {"domain": "slow.example", "reason": "they asked"})
    assert DomainLane.objects.get(domain="slow.example").paused_reason == "they asked"
    client.post("/mail/domains/resume/", {"domain": "blocked.example"})
    assert DomainLane.objects.get(domain="blocked.example").paused_at is None
    assert client.post("/mail/domains/pause/", {"domain": "slow.example"}).status_code == 422


def test_a_plain_picture_is_shown_and_everything_else_is_only_handed_out(
    stage: Stage, as_user: SignedIn
) -> None:
    client, mail = as_user(stage.world.maria), stage.post.placed
    picture = client.get(f"/mail/incoming/{mail.pk}/files/0/")
    assert picture.content == PICTURE
    assert picture["Content-Type"] == "image/gif"
    assert picture["Content-Disposition"].startswith("inline")
    script = client.get(f"/mail/incoming/{mail.pk}/files/1/")
    assert script.content == SCRIPT
    assert script["Content-Type"] == "application/octet-stream"
    assert script["Content-Disposition"].startswith("attachment")
    for answer in (picture, script):
        assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert answer["X-Content-Type-Options"] == "nosniff"
    assert client.get(f"/mail/incoming/{mail.pk}/files/2/").status_code == 404, "it was not kept"
    assert client.get(f"/mail/incoming/{mail.pk}/files/9/").status_code == 404


def test_the_raw_mail_is_for_administrators_and_comes_as_it_came(stage: Stage, as_user: SignedIn) -> None:
    address = f"/mail/incoming/{stage.post.placed.pk}/raw/"
    answer = as_user(stage.world.ada).get(address)
    assert answer.content.startswith(b"From: somebody@example.net\r\n")
    assert answer["Content-Disposition"].startswith("attachment")
    assert as_user(stage.world.maria).get(address).status_code == 403


def test_one_sees_the_mails_of_ones_own_accounts_only(stage: Stage, as_user: SignedIn) -> None:
    mine = as_user(stage.world.maria).get("/mail/incoming/?show=all").content.decode()
    assert stage.post.placed.words in mine
    assert stage.post.foreign.words not in mine
    assert stage.post.unplaced.words not in mine
    assert as_user(stage.world.maria).get(f"/mail/incoming/{stage.post.foreign.pk}/").status_code == 404


def test_an_unplaced_mail_becomes_part_of_a_problem(stage: Stage, as_user: SignedIn) -> None:
    client, mail = as_user(stage.world.ada), stage.post.unplaced
    address = f"/mail/incoming/{mail.pk}/"
    assert client.post(address, {"what": "problem"}).status_code == 422
    assert client.post(address, {"what": "nothing"}).status_code == 422, "why nothing follows is needed"
    answer = client.post(address, {"what": "problem", "problem": stage.reported.pk})
    assert answer.status_code == 303, answer.content.decode()
    assert IncomingMail.objects.get(pk=mail.pk).problem_id == stage.reported.pk
    assert client.post(address, {"what": "nothing", "note": "late"}).status_code == 409, "it is settled"


def test_an_unplaced_mail_becomes_a_problem_of_its_worker(stage: Stage, as_user: SignedIn) -> None:
    before = Problem.objects.count()
    answer = as_user(stage.world.ada).post(
        f"/mail/incoming/{stage.post.unplaced.pk}/", {"what": "worker", "worker": stage.world.olena.pk}
    )
    assert answer.status_code == 303, answer.content.decode()
    assert Problem.objects.count() == before + 1


def test_a_worker_beyond_the_list_is_named_by_their_address(stage: Stage, as_user: SignedIn) -> None:
    client, address = as_user(stage.world.ada), f"/mail/incoming/{stage.post.unplaced.pk}/"
    answer = client.post(address, {"what": "worker", "address": "nobody@lindgren.example"})
    assert answer.status_code == 422
    answer = client.post(address, {"what": "worker", "address": stage.world.olena.email.upper()})
    assert answer.status_code == 303
    settled = IncomingMail.objects.get(pk=stage.post.unplaced.pk)
    assert settled.worker_id == stage.world.olena.pk


def test_somebody_is_left_alone_and_may_be_asked_again(stage: Stage, as_user: SignedIn) -> None:
    client = as_user(stage.world.ada)
    client.post("/mail/left-alone/add/", {"address": "@quiet.example", "note": "Their lawyer wrote"})
    row = Suppression.objects.get(address="@quiet.example")
    assert client.post(f"/mail/left-alone/{row.pk}/lift/", {"reason": ""}).status_code == 422
    client.post(f"/mail/left-alone/{row.pk}/lift/", {"reason": "They changed their mind"})
    row.refresh_from_db()
    assert row.lifted_reason == "They changed their mind"
    assert client.post("/mail/left-alone/add/", {"address": "nonsense", "note": "x"}).status_code == 422


def test_a_mail_inside_a_mail_is_for_administrators(stage: Stage, as_user: SignedIn) -> None:
    mail = stage.post.placed
    mail.attachments.filter(position=1).update(sniffed_type="message/rfc822")
    address = f"/mail/incoming/{mail.pk}/files/1/"
    assert as_user(stage.world.maria).get(address).status_code == 403
    assert as_user(stage.world.ada).get(address).status_code == 200


def test_the_addresses_left_alone_are_those_of_accounts_one_may_see(stage: Stage, as_user: SignedIn) -> None:
    world = stage.world
    for address in (world.olena.email, "gone@nowhere.example", "@quiet.example"):
        Suppression.objects.create(address=address, because="complaint", since=world.now)
    page = "/mail/left-alone/"
    assert world.olena.email in as_user(world.petra).get(page).content.decode()
    for viewer in (world.ada, world.alan):
        assert "gone@nowhere.example" in as_user(viewer).get(page).content.decode()
    assert "gone@nowhere.example" not in as_user(world.petra).get(page).content.decode()
    type(world.account).objects.update(manager=None, owner=world.ada)
    theirs = as_user(world.petra).get(page).content.decode()
    assert world.olena.email not in theirs
    assert "@quiet.example" in theirs, "a whole domain names nobody"


def test_a_brake_is_released_with_what_was_done(stage: Stage, as_user: SignedIn) -> None:
    client, brake = as_user(stage.world.ada), stage.post.brake
    assert "3 complaints for 640 mails" in client.get("/mail/left-alone/").content.decode()
    client.post(f"/mail/brakes/{brake.pk}/release/", {"reason": "Their list held strangers"})
    assert Brake.objects.get(pk=brake.pk).released_reason == "Their list held strangers"


def test_the_doctor_says_first_what_must_change(stage: Stage, as_user: SignedIn) -> None:
    page = _page(stage, as_user, "/mail/doctor/")
    assert page.index("No SPF record") < page.index("DMARC is in order")
    answer = as_user(stage.world.ada).post("/mail/doctor/ask/", {"domain": "Example.ORG"})
    asked = CheckUp.objects.get(domain="example.org")
    assert answer["Location"] == f"/mail/doctor/{asked.pk}/"
    assert "The engine examines example.org" in _page(stage, as_user, answer["Location"])


def test_the_analyst_sees_how_many_automatic_answers_were_set_aside(stage: Stage, as_user: SignedIn) -> None:
    page = as_user(stage.world.alan).get("/mail/scanners/").content.decode()
    assert "3 automatic presses" in " ".join(page.split())
    assert "gateway.example" in page


def test_a_problem_shows_the_mails_about_it_with_their_files(stage: Stage, as_user: SignedIn) -> None:
    IncomingMail.objects.filter(pk=stage.post.placed.pk).update(problem_id=stage.reported.pk)
    page = as_user(stage.world.maria).get(f"/problems/{stage.reported.pk}/").content.decode()
    assert f"/mail/incoming/{stage.post.placed.pk}/files/0/" in page
    assert "film.mov (not kept)" in page
