"""The mail screens say what stands still and why, and find a mail by the name its reader knows."""

from __future__ import annotations

from datetime import timedelta

from sentinel.bulk.models import DomainLane, SenderState
from sentinel.inbound.models import IncomingMail
from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage


def _run_page(stage: Stage, as_user: SignedIn) -> str:
    page = as_user(stage.world.ada).get(f"/mail/runs/{stage.post.run.pk}/").content.decode()
    return " ".join(page.split())


def test_a_run_that_waits_for_a_stopped_sender_says_so(stage: Stage, as_user: SignedIn) -> None:
    as_user(stage.world.ada).post("/mail/sender/pause/", {"reason": "fire drill"})
    page = _run_page(stage, as_user)
    assert "Stands still" in page
    assert "All check-ins stand still: fire drill." in page


def test_a_run_without_a_sender_says_who_is_missing(stage: Stage, as_user: SignedIn) -> None:
    assert "No sender process has run yet" in _run_page(stage, as_user)
    SenderState.objects.create(alive_at=stage.world.now - timedelta(hours=1))
    assert "No sender is at work" in _run_page(stage, as_user)
    SenderState.objects.update(alive_at=stage.world.now)
    assert "No sender" not in _run_page(stage, as_user)


def test_a_run_shows_the_limit_of_a_domain(stage: Stage, as_user: SignedIn) -> None:
    DomainLane.objects.create(domain="lindgren.example", limit_per_minute=1200, changed_at=stage.world.now)
    assert "limited to 1200 a minute" in _run_page(stage, as_user)


def test_the_states_are_called_as_the_counts_are(stage: Stage, as_user: SignedIn) -> None:
    page = _run_page(stage, as_user)
    assert ">Not sent</option>" in page
    assert ">Skipped</option>" not in page


def test_a_mail_is_found_by_the_name_of_its_worker(stage: Stage, as_user: SignedIn) -> None:
    client = as_user(stage.world.ada)
    found = client.get("/mail/incoming/", {"show": "all", "q": stage.world.olena.name}).content.decode()
    assert "The second tray jams again" in found
    assert "coffee machine" not in found


def test_only_words_of_a_person_are_called_somebody_elses(stage: Stage, as_user: SignedIn) -> None:
    mail = IncomingMail.objects.filter(pk=stage.post.placed.pk)
    mail.update(is_from_worker=False, kind="human")
    client = as_user(stage.world.ada)
    address = f"/mail/incoming/{stage.post.placed.pk}/"
    assert "It never confirms anything" in client.get(address).content.decode()
    mail.update(kind="delivery_report")
    assert "It never confirms anything" not in client.get(address).content.decode()


def test_a_refused_domain_is_told_what_is_wrong_with_it(stage: Stage, as_user: SignedIn) -> None:
    client = as_user(stage.world.ada)
    answer = client.post("/mail/domains/limit/", {"domain": "not a domain", "limit_per_minute": "10"})
    assert answer.status_code == 422
    assert "Domain: Enter a domain name, for example example.com." in answer.content.decode()
