"""Today."""

from __future__ import annotations

from django.test import Client

from tests.web.console.conftest import SignedIn
from tests.web.console.stage import Stage


def test_it_shows_the_owner_whom_to_call_now(stage: Stage, as_user: SignedIn) -> None:
    page = as_user(stage.world.maria).get("/today/").content.decode()
    assert page.index("Call now") < page.index("Unconfirmed")
    assert stage.reported.worker.name in page
    assert f'href="/problems/{stage.reported.pk}/call/"' in page
    assert stage.foreign.worker.name not in page


def test_a_refresh_without_news_leaves_the_page_alone(stage: Stage, as_user: SignedIn) -> None:
    owner = as_user(stage.world.maria)
    seen = owner.get("/today/").context["today"].fingerprint
    headers = {"HX-Request": "true"}
    assert owner.get("/today/", {"seen": seen}, headers=headers).status_code == 204
    owner.post(f"/problems/{stage.reported.pk}/acknowledge/")
    fresh = owner.get("/today/", {"seen": seen}, headers=headers)
    assert fresh.status_code == 200
    assert "<html" not in fresh.content.decode()


def test_an_expired_session_leads_a_refresh_to_the_sign_in_page(stage: Stage) -> None:
    answer = Client().get("/today/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/sign-in/")


def test_work_stopped_comes_first(stage: Stage, as_user: SignedIn) -> None:
    page = as_user(stage.world.maria).get("/today/").content.decode()
    assert page.index(stage.reported.worker.name) < page.index(stage.reopened.worker.name)


def test_nothing_to_do_is_a_quiet_joy(stage: Stage, as_user: SignedIn) -> None:
    assert "Nobody is waiting for you" in as_user(stage.world.henrik).get("/today/").content.decode()


def test_the_frame_turns_red_when_the_engine_is_late(stage: Stage, as_user: SignedIn) -> None:
    calm = as_user(stage.world.maria).get("/today/").content.decode()
    stage.world.clock.advance(days=3)
    late = as_user(stage.world.maria).get("/today/").content.decode()
    assert "The engine is late" not in calm
    assert "The engine is late" in late
