"""Today."""

from __future__ import annotations

import re

from django.test import Client

from sentinel.escalation.models import Duty
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


def test_who_is_not_at_work_is_called_when_they_open(stage: Stage, as_user: SignedIn) -> None:
    owner = as_user(stage.world.maria)
    at_noon = owner.get("/today/").context["today"]
    assert stage.reported.pk in {row.duty.pk for row in at_noon.calls}
    assert "at work" in owner.get("/today/").content.decode()
    stage.world.clock.advance(hours=14)
    answer = owner.get("/today/")
    assert not answer.context["today"].calls
    assert stage.reported.pk in {row.duty.pk for row in answer.context["today"].calls_later}
    assert "Call when they open" in answer.content.decode()
    assert re.search(r"opens <time[^>]*>\w+ \d\d:\d\d", answer.content.decode())


def test_late_rows_come_first_and_then_the_next_due(stage: Stage, as_user: SignedIn) -> None:
    calls = as_user(stage.world.maria).get("/today/").context["today"].calls
    late = [row.duty.due_at < stage.world.now for row in calls]
    assert late == sorted(late, reverse=True)


def test_what_somebody_else_answers_for_stands_apart_without_a_call_button(
    stage: Stage, as_user: SignedIn
) -> None:
    Duty.objects.filter(problem=stage.reported).update(accountable=stage.world.tom)
    page = as_user(stage.world.maria).get("/today/").content.decode()
    apart = page[page.index("With somebody else") :]
    assert stage.reported.worker.name in apart
    assert f"With {stage.world.tom.name}" in apart
    assert f'href="/problems/{stage.reported.pk}/call/"' not in page
