"""Keys act on a page at rest; as soon as a form is open, they are letters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, Page

from sentinel.problems.models import Call, Problem
from tests.web.console.stage import Stage

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture
def page(played: Stage, live_server: Any, browser: Browser) -> Iterator[Page]:
    """The account manager's page."""
    client = Client()
    client.force_login(played.world.maria)
    connections.close_all()
    context = browser.new_context(base_url=live_server.url)
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    yield context.new_page()
    context.close()
    # Within playwright's loop Django opens a connection of its own, which nobody else would close.
    connections.close_all()


def test_what_is_typed_after_a_key_goes_into_the_form_it_opened(played: Stage, page: Page) -> None:
    address = f"/problems/{played.reported.pk}/"
    page.goto(address)
    page.keyboard.press("w")
    page.keyboard.type("not acted")
    assert page.locator("#act-write textarea").input_value() == "not acted"
    page.locator("h1").click()
    page.keyboard.type("acn")
    assert page.url.endswith(address)
    assert page.locator("details.act[open]").count() == 1
    assert Problem.objects.get(pk=played.reported.pk).state == "reported"

    page.goto(f"{address}?open=note")
    page.keyboard.type("a note")
    assert page.locator("#act-note textarea").input_value() == "a note"
    page.keyboard.press("Escape")
    with page.expect_navigation():
        page.keyboard.press("a")
    assert Problem.objects.get(pk=played.reported.pk).state == "acknowledged"


def test_no_outcome_is_logged_while_the_call_back_is_being_set(played: Stage, page: Page) -> None:
    page.goto(f"/problems/{played.reported.pk}/call/")
    page.keyboard.press("4")
    page.locator("h1").click()
    page.keyboard.type("123")
    assert page.url.endswith("/call/")
    assert not Call.objects.filter(problem=played.reported).exists()
