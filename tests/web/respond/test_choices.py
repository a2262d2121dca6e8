"""Preferences and unsubscribing, by page and by the mail program's own button (RFC 8058)."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client

from sentinel.accounts.models import Worker
from sentinel.kernel.links import Purpose
from tests.web.respond.asking import BARE, HUMAN, everything_stored, take_the_plain_step
from tests.web.respond.cast import Cast

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def preferences(cast: Cast) -> str:
    """Anna's preferences."""
    return cast.path(Purpose.PREFERENCES, cast.anna.pk)


@pytest.fixture
def unsubscribe(cast: Cast) -> str:
    """Anna's unsubscribe page."""
    return cast.path(Purpose.UNSUBSCRIBE, cast.anna.pk)


def anna_now(cast: Cast) -> Worker:
    """Anna as stored."""
    return Worker.objects.get(pk=cast.anna.pk)


def choices(**changes: str) -> dict[str, str]:
    """What the form sends."""
    kept = {"rhythm": "programme", "paused_until": "", "language": "en", "telephone": "+493012345"}
    return {**HUMAN, **kept, **changes}


def test_it_shows_what_is_known_about_her(cast: Cast, stranger: Client, preferences: str) -> None:
    html = stranger.get(preferences).content.decode()
    for known in ("Anna Adler", "anna@acme.example", "Berlin, Acme", "Accounting", "+493012345"):
        assert known in html


def test_it_saves_her_choices(cast: Cast, stranger: Client, preferences: str) -> None:
    form = choices(rhythm="quarterly", paused_until="2027-01-10", language="de", telephone="+49 30 5550100")
    page = stranger.post(preferences, form, follow=True)
    anna = anna_now(cast)
    assert (anna.rhythm, anna.paused_until, anna.language) == ("quarterly", date(2027, 1, 10), "de")
    assert anna.telephone == "+49305550100"
    assert "gespeichert" in page.content.decode()


@pytest.mark.parametrize(
    "change", [{"telephone": "call me"}, {"paused_until": "2026-11-23"}, {"rhythm": "hourly"}]
)
def test_it_explains_what_cannot_be_saved(
    cast: Cast, stranger: Client, preferences: str, change: dict[str, str]
) -> None:
    before = everything_stored()
    page = stranger.post(preferences, choices(**change))
    assert "field__error" in page.content.decode()
    assert everything_stored() == before


def test_it_saves_without_a_script_by_the_plain_step(cast: Cast, stranger: Client, preferences: str) -> None:
    page = stranger.post(preferences, {**choices(rhythm="pause"), **BARE})
    assert anna_now(cast).rhythm == "programme"
    take_the_plain_step(stranger, preferences, page.content.decode())
    assert anna_now(cast).rhythm == "pause"


def test_it_lists_her_own_problems(cast: Cast, stranger: Client, preferences: str) -> None:
    problem = cast.problem(cast.anna)
    assert cast.path(Purpose.PROBLEM, problem.pk) in stranger.get(preferences).content.decode()


def test_it_unsubscribes_and_takes_her_back(cast: Cast, stranger: Client, unsubscribe: str) -> None:
    page = stranger.post(unsubscribe, {**HUMAN, "act": "unsubscribe"}, follow=True)
    assert anna_now(cast).unsubscribed_at == cast.now
    assert "Please ask me again" in page.content.decode()
    stranger.post(unsubscribe, {**HUMAN, "act": "resubscribe"})
    assert anna_now(cast).unsubscribed_at is None


def test_it_lets_no_robot_silence_her(cast: Cast, stranger: Client, unsubscribe: str) -> None:
    before = everything_stored()
    page = stranger.post(unsubscribe, {**BARE, "act": "unsubscribe"})
    assert everything_stored() == before
    take_the_plain_step(stranger, unsubscribe, page.content.decode())
    assert anna_now(cast).unsubscribed_at is not None


def test_it_says_that_an_open_problem_is_followed_up(cast: Cast, stranger: Client, unsubscribe: str) -> None:
    assert "followed up all the same" not in stranger.get(unsubscribe).content.decode()
    cast.problem(cast.anna)
    assert "followed up all the same" in stranger.get(unsubscribe).content.decode()


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart", "unnamed"])
def test_it_obeys_the_mail_programs_button_at_once(
    cast: Cast, stranger: Client, unsubscribe: str, encoding: str
) -> None:
    path = f"{unsubscribe}one-click/"
    if encoding == "multipart":
        response = stranger.post(path, ONE_CLICK)
    else:
        kind = "application/x-www-form-urlencoded" if encoding == "urlencoded" else "text/plain"
        response = stranger.generic("POST", path, b"List-Unsubscribe=One-Click", content_type=kind)
    assert response.status_code == 200
    assert response.content == b"Unsubscribed.\n"
    assert response["Content-Type"].startswith("text/plain")
    assert not response.cookies
    assert anna_now(cast).unsubscribed_at == cast.now
    before = everything_stored()
    assert stranger.post(path, ONE_CLICK).status_code == 200
    assert everything_stored() == before


@pytest.mark.parametrize("body", [b"", b"List-Unsubscribe=Two-Clicks", b"act=unsubscribe", b"\xff\xfe"])
def test_it_obeys_nothing_else_there(cast: Cast, stranger: Client, unsubscribe: str, body: bytes) -> None:
    before = everything_stored()
    for kind in ("application/x-www-form-urlencoded", "text/plain"):
        answer = stranger.generic("POST", f"{unsubscribe}one-click/", body, content_type=kind)
        assert answer.status_code == 400
    assert everything_stored() == before


def test_it_unsubscribes_nobody_with_a_forged_link(cast: Cast, stranger: Client) -> None:
    assert stranger.post(f"/u/{'a' * 44}/one-click/", ONE_CLICK).status_code == 404
    assert anna_now(cast).unsubscribed_at is None
