"""A person on a phone brings the absences of another calendar, and takes their own along."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connections
from django.test import Client
from playwright.sync_api import Browser, expect

from sentinel.people.models import Absence
from tests.web.browser import PHONE, serious_findings
from tests.web.console.stage import Stage
from tests.web.console.test_calendars import FILE

PICTURES = os.environ.get("SENTINEL_TEST_SCREENSHOTS", "")


@pytest.mark.e2e
@pytest.mark.slow
def test_absences_come_in_and_an_address_goes_out(played: Stage, live_server: Any, browser: Browser) -> None:
    maria = played.world.maria
    client = Client()
    client.force_login(maria)
    connections.close_all()
    context = browser.new_context(viewport=PHONE, color_scheme="dark")
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    page = context.new_page()
    page.goto(f"{live_server.url}/profile/hours/")
    file = {"name": "away.ics", "mimeType": "text/calendar", "buffer": FILE.encode()}
    page.get_by_label("Calendar file").set_input_files(file)  # type: ignore[arg-type]
    page.get_by_role("button", name="Look at it first").click()
    expect(page.get_by_label("Family <script>")).to_be_checked()
    expect(page.get_by_label("Dentist")).not_to_be_checked()
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / "absence-file-phone-dark.png", full_page=True)
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    page.get_by_role("button", name="Enter what is ticked").click()
    page.wait_for_url("**/profile/")
    assert Absence.objects.get(user=maria).reason == "From a calendar file"
    page.goto(f"{live_server.url}/profile/hours/")
    page.get_by_role("button", name="Make an address").click()
    address = page.locator("code").inner_text()
    if PICTURES:
        page.screenshot(path=Path(PICTURES) / "hours-address-phone-dark.png", full_page=True)
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    assert "BEGIN:VCALENDAR" in Client().get(urlsplit(address).path).content.decode()
    context.close()
