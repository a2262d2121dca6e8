"""Real browsers: a scanner's, which says that it is driven, and one that looks like a person's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from django.db import connections
from playwright.sync_api import Browser, Page, ViewportSize, expect, sync_playwright

# However busy the machine is: who waits for something that comes waits no longer for it.
expect.set_options(timeout=30_000)

PHONE: ViewportSize = {"width": 390, "height": 844}


@contextmanager
def browser(*, like_a_person: bool) -> Iterator[Browser]:
    """The system's Chromium. A person's browser does not announce automation; a test cannot press as a
    person in one that does, because the pages look for exactly that."""
    hidden = ["--disable-blink-features=AutomationControlled"] if like_a_person else []
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", *hidden]
        )
        try:
            yield started
        finally:
            # While Playwright's loop runs, this thread has database connections of its own.
            connections.close_all()
            started.close()


def serious_findings(page: Page) -> list[str]:
    """What axe holds against the page, serious or worse."""
    found = Axe().run(page).response["violations"]
    return [
        f"{finding['id']}: {finding['nodes'][0]['html']}"
        for finding in found
        if finding["impact"] in ("serious", "critical")
    ]
