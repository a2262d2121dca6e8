"""A call in a real browser: from the press, past every state, to the outcome; with a script and without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, expect

from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import CallState, EndReason
from sentinel.problems.models import Call
from sentinel.problems.rules import CallOutcome
from tests.web.browser import PHONE
from tests.web.console.stage import Stage
from tests.web.console.test_calls import brief, exchange, ring

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def phones(played: Stage, live_server: Any, browser: Browser) -> Iterator[dict[bool, BrowserContext]]:
    """The account manager's telephone, with scripts (True) and without (False)."""
    client = Client()
    client.force_login(played.world.maria)
    connections.close_all()
    cookie = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": live_server.url}
    made = {}
    for scripts in (True, False):
        made[scripts] = browser.new_context(
            base_url=live_server.url, viewport=PHONE, java_script_enabled=scripts
        )
        made[scripts].add_cookies([cookie])  # type: ignore[list-item]
    yield made
    for context in made.values():
        context.close()
    # Within playwright's loop Django opens a connection of its own, which nobody else would close.
    connections.close_all()


def test_a_call_goes_from_the_press_to_the_outcome(
    played: Stage, phones: dict[bool, BrowserContext], settings: Any
) -> None:
    telephone, world = exchange(played, settings), played.world
    page = phones[True].new_page()
    line = page.locator("#line")

    page.goto(brief(played))
    page.get_by_role("button", name="Call now").click()
    expect(line).to_contain_text("Your telephone rings in a moment")
    expect(page.locator("#outcomes")).to_be_hidden()
    page.get_by_label("What you learned").fill("The roller is worn")
    ring(played, telephone)
    for state, words in (
        (CallState.OWNER_RINGS, "Your telephone rings: pick up"),
        (CallState.OWNER_ANSWERED, "You picked up"),
        (CallState.WORKER_RINGS, "Olena Kovalenko’s telephone rings"),
        (CallState.BRIDGED, "You are connected"),
    ):
        telephone.comes_to(state, at=world.now)
        expect(line).to_contain_text(words)
    world.clock.advance(seconds=75)
    expect(page.get_by_role("timer")).to_have_text("1:15")
    page.get_by_role("button", name="Hang up").click()
    expect(line).to_contain_text("Hanging up")
    telephone.ends(EndReason.COMPLETED, at=world.now, talked=75)
    expect(line).to_contain_text("You talked with Olena Kovalenko for 1:15")
    page.get_by_label("What you learned").press("Enter")
    assert not Call.objects.filter(problem=played.reported), "Enter in the note is no outcome"
    with page.expect_navigation():
        page.get_by_role("button", name="Reached").click()
    assert page.url.endswith(f"/problems/{played.reported.pk}/?open=promise#act-promise")
    logged = Call.objects.get(problem=played.reported)
    assert (logged.outcome, logged.note) == (CallOutcome.REACHED.value, "The roller is worn")
    assert PlacedCall.objects.get(problem=played.reported).outcome == logged


def test_without_a_script_a_press_looks_again_and_who_dialled_is_asked_with_one(
    played: Stage, phones: dict[bool, BrowserContext], settings: Any
) -> None:
    # Nobody places calls yet: who comes back from dialling finds the question in focus.
    page = phones[True].new_page()
    page.goto(brief(played))
    page.evaluate(
        "document.querySelector('[data-dial]').addEventListener('click', (e) => e.preventDefault())"
    )
    page.get_by_role("link", name="Call +380 44 555 0101").click()
    page.evaluate("dispatchEvent(new Event('focus'))")
    expect(page.get_by_role("heading", name="How did it go?")).to_be_focused()
    expect(page.locator(".outcomes--asked")).to_be_visible()

    telephone = exchange(played, settings)
    plain = phones[False].new_page()
    plain.goto(brief(played))
    plain.get_by_role("button", name="Call now").click()
    expect(plain.locator("#line")).to_contain_text("Your telephone rings in a moment")
    ring(played, telephone)
    telephone.comes_to(CallState.OWNER_RINGS, at=played.world.now)
    plain.get_by_role("link", name="How far is it?").click()
    expect(plain.locator("#line")).to_contain_text("Your telephone rings: pick up")
    plain.get_by_role("button", name="Hang up").click()
    expect(plain.locator("#line")).to_contain_text("Hanging up")
    telephone.ends(EndReason.CANCELLED, at=played.world.now)
    plain.reload()
    expect(plain.locator("#line")).to_contain_text("Ended before Olena Kovalenko picked up")
    plain.locator(".later > summary").click()
    with plain.expect_navigation():
        plain.get_by_role("button", name="Fri 13:00").click()
    assert Call.objects.get(problem=played.reported).outcome == CallOutcome.CALL_BACK.value


def test_a_test_call_is_watched_on_the_profile(
    played: Stage, phones: dict[bool, BrowserContext], settings: Any
) -> None:
    telephone, world = exchange(played, settings), played.world
    page, plain = phones[True].new_page(), phones[False].new_page()
    page.goto("/profile/")
    page.get_by_role("button", name="Call me as a test").click()
    line = page.locator("#test-call")
    expect(line).to_contain_text("Your telephone rings in a moment")
    ring(played, telephone)
    for state, words in (
        (CallState.DIALING_OWNER, "Calling your telephone"),
        (CallState.OWNER_RINGS, "Your telephone rings: pick up"),
    ):
        telephone.comes_to(state, at=world.now)
        expect(line).to_contain_text(words)
    plain.goto("/profile/")
    expect(plain.get_by_role("link", name="How far is it?")).to_be_visible()
    telephone.ends(EndReason.COMPLETED, at=world.now)
    expect(line).to_contain_text("Your telephone works")
    plain.get_by_role("link", name="How far is it?").click()
    expect(plain.locator("#test-call")).to_contain_text("Your telephone works")
