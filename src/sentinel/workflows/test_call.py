"""A test call: only the user's own telephone rings, and what came of it is said on their profile and console.

It is a call without a problem: the same row, the same steps and the same engine follow it, so that it ends
whatever its provider does, and nobody is left with a telephone that never rang and a page that never said so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import transaction

from sentinel.calls.errors import CallRefused
from sentinel.calls.messages import TEST_WHISPER, test_words
from sentinel.calls.models import PlacedCall
from sentinel.calls.numbers import callable_number, sip_hosts
from sentinel.calls.rules import CallEvent, CallState, EndReason, Provider, WhyNot
from sentinel.calls.selectors import newest_test
from sentinel.calls.services import lock_call, store_placed_call, take_event
from sentinel.kernel.ids import dedupe_key
from sentinel.outbox.rules import Priority
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


def place_test_call(*, user: User, now: datetime) -> PlacedCall:
    """Let the user's own telephone ring once. CallRefused without an exchange or a number, and while they are
    on the telephone; ContactRefused when the last test was just now."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        last = newest_test(user.pk)
        if last is not None and (now - last.requested_at).total_seconds() < SECONDS_BETWEEN_TESTS:
            raise ContactRefused("test_too_soon", "A test has just been sent; see what becomes of it.")
        call = store_test_call(user=user, now=now)
        enqueue([_message(call)], now=now)
    return call


def store_test_call(*, user: User, now: datetime) -> PlacedCall:
    """The row of a test, for whoever lets the telephone ring themselves. CallRefused as above."""
    provider = Provider(settings.CALLS_BY.provider)
    if provider is Provider.TEL:
        raise CallRefused(WhyNot.NO_PROVIDER)
    number = callable_number(user.telephone, sip_hosts=sip_hosts())
    if not number:
        raise CallRefused(WhyNot.NO_OWNER_NUMBER)
    with transaction.atomic():
        call = store_placed_call(
            problem=None, user=user, provider=provider, owner_number=number, worker_number="", now=now
        )
        record_event(
            verb=Verb.CONTACT_TESTED,
            at=now,
            actor=user_actor(user),
            about=About(user_id=user.pk),
            data={"channel": "voice", "address": number},
        )
    return call


def wish_of(call: PlacedCall) -> dict[str, Any]:
    """What a provider is asked for: the payload of the message that lets the telephone ring."""
    language = call.user.language
    return {
        "key": call.key,
        "owner_number": call.owner_number,
        "worker_number": "",
        "whisper": TEST_WHISPER.get(language.split("-")[0], TEST_WHISPER["en"]),
        "language": language,
    }


def follow_test(*, call_id: int, event: CallEvent, now: datetime) -> bool:
    """Take an event of a test; the user is told of its end, once. Returns whether the test came further."""
    with transaction.atomic():
        call = lock_call(call_id)
        taken = take_event(call=call, event=event, now=now)
        if taken is None or not taken.is_news:
            return False
        if event.state is CallState.ENDED:
            enqueue([_notice(call)], now=now)
        return True


def _notice(call: PlacedCall) -> NewMessage:
    title, text = test_words(call.user.language, reason=EndReason(call.reason), detail=call.detail)
    return console_notice(
        call.user,
        key=dedupe_key("call", call.key, "ended"),
        kind=TOLD_KIND,
        priority=Priority.NOTICE,
        title=title,
        text=text,
        path="/profile/#telephone",
    )


def _message(call: PlacedCall) -> NewMessage:
    return NewMessage(
        dedupe_key=dedupe_key("call", call.key),
        channel="voice",
        kind=KIND,
        recipient_kind="user",
        recipient_id=call.user_id,
        address=call.owner_number,
        priority=Priority.LADDER,
        payload=wish_of(call),
    )
