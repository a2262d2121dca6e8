"""Sign-in, and the cast of a demonstration."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from sentinel.timeline.models import Event
from sentinel.timeline.verbs import Verb
from tests.web.console.stage import Stage


def test_the_page_is_ours_and_offers_nobody_in_production(stage: Stage) -> None:
    page = Client().get("/sign-in/").content.decode()
    assert "auth__split" in page
    assert stage.world.maria.name not in page


def test_the_address_is_spelled_one_way(stage: Stage) -> None:
    for address in ("/sign-in/", reverse("account_reset_password")):
        page = Client().get(address).content.decode()
        assert 'placeholder="E-mail address"' in page
        assert "Email" not in page


def test_a_user_signs_in_by_mail_address_and_password(stage: Stage) -> None:
    typed = {"login": "Maria@example.com", "password": "pass-maria"}
    answer = Client().post("/sign-in/", typed, follow=True)
    assert answer.redirect_chain[-1][0] == "/today/"
    came_in = Event.objects.filter(verb=Verb.USER_SIGNED_IN.value).latest("id")
    assert (came_in.user_id, came_in.actor_name) == (stage.world.maria.pk, str(stage.world.maria))


def test_a_wrong_password_is_no_sign_in(stage: Stage) -> None:
    before = Event.objects.filter(verb=Verb.USER_SIGNED_IN.value).count()
    Client().post("/sign-in/", {"login": "maria@example.com", "password": "wrong"})
    assert Event.objects.filter(verb=Verb.USER_SIGNED_IN.value).count() == before


def test_a_wrong_password_is_said_without_telling_who_exists(stage: Stage) -> None:
    pages = [
        Client().post("/sign-in/", {"login": login, "password": "wrong"}).content.decode()
        for login in ("maria@example.com", "nobody@example.com")
    ]
    assert all("are not correct" in page for page in pages)


def test_nobody_lets_themselves_in(stage: Stage) -> None:
    assert "Administrators add users" in Client().get("/sign-in/signup/").content.decode()


def test_a_demonstration_shows_its_cast_and_lets_everybody_be_one_of_them(
    stage: Stage, settings: Any
) -> None:
    settings.DEMONSTRATION = True
    client = Client()
    page = client.get("/sign-in/").content.decode()
    assert stage.world.maria.name in page
    assert "ribbon" in page
    answer = client.post("/demonstration/sign-in/", {"user": str(stage.world.maria.pk)}, follow=True)
    assert "Call now" in answer.content.decode()


def test_production_lets_nobody_in_without_a_password(stage: Stage) -> None:
    client = Client()
    assert client.post("/demonstration/sign-in/", {"user": str(stage.world.maria.pk)}).status_code == 404
    assert client.get("/today/").status_code == 302


def test_signing_out_takes_a_post(stage: Stage) -> None:
    client = Client()
    client.force_login(stage.world.maria)
    client.get("/sign-in/logout/")
    assert client.get("/today/").status_code == 200
    client.post("/sign-in/logout/")
    assert client.get("/today/").status_code == 302
