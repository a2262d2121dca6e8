"""A test call: only the user's own telephone rings, and what came of it is said on their console.

It is no call about a problem, so it has no row and no timeline of a problem: its name says whose it is.
"""

from __future__ import annotations

import re
from datetime import datetime

from django.conf import settings
from django.db import transaction

from sentinel.calls.errors import CallRefused
from sentinel.calls.messages import TEST_WHISPER, test_words
from sentinel.calls.numbers import callable_number, sip_hosts
from sentinel.calls.rules import CallEvent, CallState, EndReason, Provider, WhyNot
from sentinel.kernel.ids import dedupe_key
from sentinel.outbox.rules import Priority
from sentinel.outbox.selectors import messages_to
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people.errors import ContactRefused
from sentinel.people.models import User
from sentinel.timeline.services import About, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import user_actor
from sentinel.workflows.telling import console_notice
from sentinel.workflows.ways import SECONDS_BETWEEN_TESTS

KIND = "call.test"
TOLD_KIND = "call.tested"
_KEY = re.compile(r"test-([0-9]{1,18})-([0-9]{1,18})")


def place_test_call(*, user: User, now: datetime) -> str:
    """Let the user's own telephone ring once; returns the name of the call. What came of it is told on their
    console. CallRefused without an exchange or a number, ContactRefused when the last test was just now."""
    if Provider(settings.CALLS_BY.provider) is Provider.TEL:
        raise CallRefused(WhyNot.NO_PROVIDER)
    number = callable_number(user.telephone, sip_hosts=sip_hosts())
    if not number:
        raise CallRefused(WhyNot.NO_OWNER_NUMBER)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        last = messages_to(recipient_kind="user", recipient_id=user.pk, kind=KIND)[-1:]
        if last and (now - last[0].created_at).total_seconds() < SECONDS_BETWEEN_TESTS:
            raise ContactRefused("test_too_soon", "A test has just been sent; see what becomes of it.")
        key = f"test-{user.pk}-{int(now.timestamp() * 1000)}"
        enqueue([_message(key, user, number)], now=now)
        record_event(
            verb=Verb.CONTACT_TESTED,
            at=now,
            actor=user_actor(user),
            about=About(user_id=user.pk),
            data={"channel": "voice", "address": number},
        )
    return key


def is_test(key: str) -> bool:
    """Whether a call of that name is a test."""
    return _KEY.fullmatch(key) is not None


def follow_test(*, event: CallEvent, now: datetime) -> bool:
    """Take an event of a test; the user is told of its end, once."""
    found = _KEY.fullmatch(event.key)
    user = User.objects.filter(pk=int(found[1])).first() if found else None
    if user is None or event.state is not CallState.ENDED:
        return False
    reason = event.reason or EndReason.FAILED
    title, text = test_words(user.language, reason=reason, detail=event.detail)
    notice = console_notice(
        user,
        key=dedupe_key("call", event.key, "ended"),
        kind=TOLD_KIND,
        priority=Priority.NOTICE,
        title=title,
        text=text,
        path="/profile/",
    )
    with transaction.atomic():
        return enqueue([notice], now=now) == 1


def _message(key: str, user: User, number: str) -> NewMessage:
    return NewMessage(
        dedupe_key=dedupe_key("call", key),
        channel="voice",
        kind=KIND,
        recipient_kind="user",
        recipient_id=user.pk,
        address=number,
        priority=Priority.LADDER,
        payload={
            "key": key,
            "owner_number": number,
            "worker_number": "",
            "whisper": TEST_WHISPER.get(user.language.split("-")[0], TEST_WHISPER["en"]),
            "language": user.language,
        },
    )
