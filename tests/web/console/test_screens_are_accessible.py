"""No serious axe finding on any screen, in light and in dark, on a phone and on a desk.

With SENTINEL_TEST_SCREENSHOTS=<folder> every screen is also kept as a picture.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

from tests.web.console.screens import screens
from tests.web.console.stage import Stage

SIZES: dict[str, ViewportSize] = {
    "desk": {"width": 1280, "height": 900},
    "phone": {"width": 390, "height": 844},
}
EVERYTHING: dict[str, Any] = {"resultTypes": ["violations"]}
COLOURS: dict[str, Any] = EVERYTHING | {"runOnly": ["color-contrast"]}
PICTURES = os.environ.get("SENTINEL_TEST_SCREENSHOTS", "")
ONLY = os.environ.get("SENTINEL_TEST_SCREENS", "")


@pytest.fixture(autouse=True)
def _demonstration(settings: Any) -> None:
    settings.DEMONSTRATION = True


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize("size", SIZES)
def test_no_screen_has_a_serious_axe_finding(
    played: Stage, live_server: Any, browser: Browser, size: str
) -> None:
    found: list[str] = []
    context = browser.new_context(viewport=SIZES[size], color_scheme="light")
    for name, (address, viewer) in screens(played).items():
        if not ONLY or name in ONLY.split(","):
            _sign_in(context, viewer, live_server.url)
            found += _look(context, live_server.url + address, f"{name}-{size}")
    context.clear_cookies()
    found += _look(context, f"{live_server.url}/sign-in/", f"sign-in-{size}")
    context.close()
    assert not found, "\n".join(found)


def _sign_in(context: BrowserContext, viewer: Any, url: str) -> None:
    client = Client()
    client.force_login(viewer)
    # Within playwright's loop Django opens a connection of its own, which nobody else would close.
    connections.close_all()
    context.clear_cookies()
    context.add_cookies([{"name": "sessionid", "value": client.cookies["sessionid"].value, "url": url}])


def _look(context: BrowserContext, address: str, name: str) -> list[str]:
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda said: troubles.append(f"{name}: {said.text}") if said.type == "error" else None)
    answer = page.goto(address)
    assert answer is not None
    if answer.status != 200:
        troubles.append(f"{name}: answered {answer.status}")
    _keep(page, f"{name}-light")
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if width > 0:
        troubles.append(f"{name}: {width} px wider than the screen")
    troubles += _held_against(page, f"{name}-light", EVERYTHING)
    # The theme changes colours alone: what else axe finds, it has found in the light.
    page.emulate_media(color_scheme="dark")
    _keep(page, f"{name}-dark")
    troubles += _held_against(page, f"{name}-dark", COLOURS)
    page.close()
    return troubles


def _keep(page: Page, name: str) -> None:
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=True)


def _held_against(page: Page, name: str, options: dict[str, Any]) -> list[str]:
    return [
        f"{name}: {violation['id']}: {violation['help']}: "
        + "; ".join(node["html"][:120] for node in violation["nodes"][:3])
        for violation in Axe().run(page, options=options).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
