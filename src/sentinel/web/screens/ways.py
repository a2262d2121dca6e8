"""The ways to reach a user, entered and tested by themselves on their profile."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.http import HttpResponse

from sentinel.kernel.errors import NotFound, Refused
from sentinel.people.contacts import (
    own_method,
    prefer_contact_method,
    remove_contact_method,
    switch_contact_method,
    verify_contact_method,
)
from sentinel.people.rules import ContactChannel
from sentinel.people.targets import (
    Webhook,
    check_chat_target,
    check_webhook_url,
    masked,
    read_subscription,
    written_subscription,
    written_webhook,
)
from sentinel.web.access import ConsoleRequest, done, refusals_on, screen, status_of
from sentinel.web.forms.ways import ChatForm, PushForm, WebhookForm
from sentinel.web.screens.profile import profile_page
from sentinel.workflows.ways import add_way, send_code, send_test

TEST_SENT = "The test is on its way. Below you see what becomes of it."


@screen(methods=("POST",))
def way_add(request: ConsoleRequest) -> HttpResponse:
    """The user enters a chat or SMS address; a code goes there at once."""
    form = ChatForm(request.POST, prefix="chat")
    if not form.is_valid():
        return profile_page(request, chat=form, status=422)
    target = form.cleaned_data["target"].strip()
    with refusals_on(form, "target") as refused:
        check_chat_target(target, allowed=settings.CHAT_TARGETS)
        add_way(
            user=request.user,
            channel=ContactChannel.CHAT,
            target=target,
            shown=masked(target),
            label=form.cleaned_data["label"],
            now=request.now,
        )
    if refused:
        return profile_page(request, chat=form, status=refused.status)
    return done(request, "A code is on its way there. Type it below.", "profile")


@screen(methods=("POST",))
def way_add_push(request: ConsoleRequest) -> HttpResponse:
    """The user's browser subscribed; a code is pushed to it at once."""
    form = PushForm(request.POST, prefix="push")
    if not form.is_valid():
        return profile_page(request, push=form, status=422)
    with refusals_on(form) as refused:
        found = read_subscription(
            form.cleaned_data["subscription"],
            services=settings.PUSH_SERVICES,
            plain=settings.PRIVATE_TARGETS,
        )
        add_way(
            user=request.user,
            channel=ContactChannel.PUSH,
            target=written_subscription(found),
            shown=masked(found.endpoint),
            label=form.cleaned_data["label"] or "This browser",
            now=request.now,
        )
    if refused:
        return profile_page(request, push=form, status=refused.status)
    return done(request, "A code is on its way to this browser. Type it below.", "profile")


@screen(methods=("POST",))
def way_add_webhook(request: ConsoleRequest) -> HttpResponse:
    """The user enters an address that takes signed notices; the code goes there first."""
    form = WebhookForm(request.POST, prefix="webhook")
    if not form.is_valid():
        return profile_page(request, webhook=form, status=422)
    hook = Webhook(url=form.cleaned_data["url"].strip(), secret=form.cleaned_data["secret"])
    with refusals_on(form, "url") as refused:
        check_webhook_url(hook.url, plain=settings.PRIVATE_TARGETS)
        add_way(
            user=request.user,
            channel=ContactChannel.WEBHOOK,
            target=written_webhook(hook),
            shown=masked(hook.url),
            label=form.cleaned_data["label"],
            now=request.now,
        )
    if refused:
        return profile_page(request, webhook=form, status=refused.status)
    return done(request, "A code is on its way there. Type it below.", "profile")


@screen(methods=("POST",))
def way_test_mail(request: ConsoleRequest) -> HttpResponse:
    """The user sends themselves a test by e-mail."""
    send_test(method_id=None, user=request.user, now=request.now)
    return done(request, TEST_SENT, "profile")


@screen(methods=("POST",))
def way_act(request: ConsoleRequest, method_id: str, act: str) -> HttpResponse:
    """The user verifies, tests, switches, prefers or removes one of their own ways."""
    number = int(method_id)
    own_method(method_id=number, user=request.user)
    act_on, said = _acts(request, number)[act]
    try:
        act_on()
    except NotFound:
        raise
    except Refused as refused:
        return profile_page(request, refused=(number, refused.message), status=status_of(refused))
    return done(request, said, "profile")


def _acts(request: ConsoleRequest, method_id: int) -> dict[str, tuple[Callable[[], object], str]]:
    user, now = request.user, request.now
    code = request.POST.get("code", "")
    switch = partial(switch_contact_method, method_id=method_id, user=user, now=now)
    return {
        "verify": (
            partial(verify_contact_method, method_id=method_id, user=user, code=code, now=now),
            "It works.",
        ),
        "code": (partial(send_code, method_id=method_id, user=user, now=now), "A new code is on its way."),
        "test": (partial(send_test, method_id=method_id, user=user, now=now), TEST_SENT),
        "on": (partial(switch, is_enabled=True), "Switched on."),
        "off": (partial(switch, is_enabled=False), "Switched off. E-mail and console still tell you."),
        "first": (
            partial(prefer_contact_method, method_id=method_id, user=user),
            "This way is tried first.",
        ),
        "remove": (
            partial(remove_contact_method, method_id=method_id, user=user, now=now),
            "Removed, and its address forgotten.",
        ),
    }
