"""The service worker in a real browser: what it shows, and that a press opens a page and writes nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Browser

NOTICE = {
    "title": "Call Olena now",
    "body": "“The printer eats every page”",
    "path": "/problems/17/",
    "tag": "k:1",
    "problem": 17,
    "labels": {"acknowledge": "I have it", "call": "Call", "hand_over": "Hand over"},
}

SHOW = """async (notice) => {
    const kept = [];
    self.registration.showNotification = async (title, options) => {
        kept.push({ title, ...options });
    };
    const most = (number) =>
        Object.defineProperty(Notification, "maxActions", { value: number, configurable: true });
    most(2);
    self.dispatchEvent(new PushEvent("push", { data: notice }));
    self.dispatchEvent(new PushEvent("push", { data: "no json" }));
    most(3);
    self.dispatchEvent(new PushEvent("push", { data: notice }));
    await new Promise((done) => setTimeout(done));
    return kept;
}"""
PRESS = """async () => {
    const kept = [];
    self.clients.openWindow = async (address) => {
        const { pathname, search } = new URL(address);
        kept.push(pathname + search);
    };
    for (const [action, path] of [["", "/problems/17/"], ["acknowledge", "/problems/17/"],
                                  ["call", "/problems/17/"], ["hand_over", "/problems/17/"],
                                  ["", "https://elsewhere.example/x"]]) {
        const event = new Event("notificationclick");
        const notification = { close: () => {}, data: { path, problem: 17 } };
        Object.assign(event, { action, notification, waitUntil: () => {} });
        self.dispatchEvent(event);
    }
    return kept;
}"""


@pytest.mark.e2e
def test_a_pushed_notice_is_shown_with_its_buttons(
    transactional_db: None, live_server: Any, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    # why: playwright's own event loop runs in this thread, and Django would refuse to touch the database.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    context = browser.new_context(permissions=["notifications"])
    page = context.new_page()
    page.goto(f"{live_server.url}/sign-in/")
    # Registered from the page like the profile does, under the page's own strict policy.
    page.evaluate(
        "navigator.serviceWorker.register('/service-worker.js').then(() => navigator.serviceWorker.ready)"
    )
    worker = (
        context.service_workers[0] if context.service_workers else context.wait_for_event("serviceworker")
    )
    shown = worker.evaluate(
        SHOW,
        json.dumps(NOTICE),
    )
    assert [one["title"] for one in shown] == ["Call Olena now", "Sentinel", "Call Olena now"]
    assert [action["title"] for action in shown[0]["actions"]] == ["I have it", "Call"]
    assert [action["title"] for action in shown[2]["actions"]] == ["I have it", "Call", "Hand over"]
    assert (shown[0]["tag"], shown[0]["data"]["problem"]) == ("k:1", 17)
    assert shown[1]["data"]["path"] == "/notices/"
    opened = worker.evaluate(PRESS)
    assert opened == [
        "/problems/17/",
        "/problems/17/?open=acknowledge",
        "/problems/17/call/",
        "/problems/17/pass-on/",
    ]
    context.close()
