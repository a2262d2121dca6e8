"""Webhooks of the house: which other systems are told of which events, and what became of each delivery."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponse

from sentinel.hooks.models import WebhookEndpoint
from sentinel.hooks.services import (
    RECIPIENT,
    add_endpoint,
    remove_endpoint,
    send_test_to,
    switch_endpoint,
)
from sentinel.outbox.selectors import newest_to
from sentinel.people.rules import Role
from sentinel.people.targets import Webhook, check_webhook_url
from sentinel.web.access import ConsoleRequest, done, refusals_on, screen, show
from sentinel.web.forms.ways import HookForm, fresh_key
from sentinel.web.reads.ways import outcome_of

#: Deliveries shown per endpoint.
LOG = 20


@screen(Role.ADMINISTRATOR, methods=("GET", "POST"))
def hook_list(request: ConsoleRequest) -> HttpResponse:
    """Administrators see all endpoints with their deliveries, and add one."""
    if request.method != "POST":
        return _page(request, HookForm(initial={"secret": fresh_key()}))
    form = HookForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    values = form.cleaned_data
    hook = Webhook(url=values["url"].strip(), secret=values["secret"])
    with refusals_on(form, "url") as refused:
        check_webhook_url(hook.url, plain=settings.PRIVATE_TARGETS)
        add_endpoint(
            name=values["label"], hook=hook, kinds=values["kinds"], actor=request.user, now=request.now
        )
    if refused:
        return _page(request, form, status=refused.status)
    return done(request, "Added. It hears of what happens from now on.", "hook-list")


@screen(Role.ADMINISTRATOR, methods=("POST",))
def hook_act(request: ConsoleRequest, endpoint_id: str, act: str) -> HttpResponse:
    """An administrator tests, switches or removes an endpoint."""
    common: dict[str, Any] = {"endpoint_id": int(endpoint_id), "actor": request.user, "now": request.now}
    acts: dict[str, tuple[Callable[[], None], str]] = {
        "test": (
            partial(send_test_to, **common),
            "The test is on its way. Its log shows what becomes of it.",
        ),
        "on": (partial(switch_endpoint, **common, is_enabled=True), "It hears of what happens from now on."),
        "off": (partial(switch_endpoint, **common, is_enabled=False), "Switched off."),
        "remove": (partial(remove_endpoint, **common), "Removed, and its key forgotten."),
    }
    act_on, said = acts[act]
    act_on()
    return done(request, said, "hook-list")


def _page(request: ConsoleRequest, form: HookForm, *, status: int = 200) -> HttpResponse:
    found = []
    for endpoint in WebhookEndpoint.objects.all():
        log = newest_to(recipient_kind=RECIPIENT, recipient_id=endpoint.pk, limit=LOG)
        found.append((endpoint, [outcome_of(message) for message in log]))
    return show(request, "web/hooks/page.html", {"endpoints": found, "form": form}, status=status)
