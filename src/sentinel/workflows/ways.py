"""Messages along the ways that users added themselves: notices, codes and tests.

The target travels sealed and the masked address in its place, so that nobody who reads the outbox learns
where a chat or a browser is reached. One payload for all of these channels:

``title``, ``text``, ``url``, ``language`` what to say; ``target`` the sealed target; ``code`` a sealed code
that the sender puts into the text; ``method_id`` the way; ``problem_id`` for the buttons of a push notice.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.kernel.ids import dedupe_key
from sentinel.outbox.rules import Priority
from sentinel.outbox.selectors import MessageView, messages_to
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people.contacts import add_contact_method, issue_code, own_method, record_test
from sentinel.people.errors import ContactRefused
from sentinel.people.messages import code_words, test_words
from sentinel.people.models import ContactMethod, User
from sentinel.people.rules import ContactChannel
from sentinel.people.sealing import seal_target
from sentinel.ui.links import console_url
from sentinel.ui.mail import Letter, automatic_headers, compose, headline, plain
from sentinel.workflows.letters import sender_for

CODE_KIND = "contact.code"
TEST_KIND = "contact.test"
#: A person who presses the test button again and again would only annoy a service.
SECONDS_BETWEEN_TESTS = 20


def way_message(
    method: ContactMethod,
    *,
    key: str,
    kind: str,
    priority: Priority,
    title: str,
    text: str,
    url: str,
    language: str,
    due_at: datetime | None = None,
    account_id: int | None = None,
    problem_id: int | None = None,
    **more: object,
) -> NewMessage:
    """One message to a user along one of their ways."""
    return NewMessage(
        dedupe_key=key,
        channel=method.channel,
        kind=kind,
        recipient_kind="user",
        recipient_id=method.user_id,
        address=method.address,
        priority=priority,
        payload={
            "title": title,
            "text": text,
            "url": url,
            "language": language,
            "target": method.sealed,
            "method_id": method.pk,
            "problem_id": problem_id,
            **more,
        },
        due_at=due_at,
        account_id=account_id,
        problem_id=problem_id,
    )


def add_way(
    *, user: User, channel: ContactChannel, target: str, shown: str, label: str, now: datetime
) -> ContactMethod:
    """Enter a way and send the code through it, in one transaction."""
    with transaction.atomic():
        method = add_contact_method(
            user=user, channel=channel, target=target, shown=shown, label=label, now=now
        )
        send_code(method_id=method.pk, user=user, now=now)
    return method


def send_code(*, method_id: int, user: User, now: datetime) -> None:
    """Send a fresh code through a way that is not verified yet."""
    with transaction.atomic():
        method = own_method(method_id=method_id, user=user, lock=True)
        if method.verified_at is not None:
            raise ContactRefused("contact_verified", "This way is verified already.")
        code, number = issue_code(method=method, now=now)
        title, text = code_words(user.language)
        message = way_message(
            method,
            key=dedupe_key("contact", method.pk, "code", number),
            kind=CODE_KIND,
            priority=Priority.LADDER,
            title=title,
            text=text,
            url=console_url("/profile/"),
            language=user.language,
            code=seal_target(code, channel=method.channel),
        )
        enqueue([message], now=now)


def send_test(*, method_id: int | None, user: User, now: datetime) -> None:
    """Send a test along a way (None: by e-mail); it travels through the outbox like any notice."""
    with transaction.atomic():
        method = own_method(method_id=method_id, user=user, lock=True) if method_id is not None else None
        if method is not None and method.verified_at is None:
            raise ContactRefused("contact_unverified", "Type the code first; then it can be tested.")
        last = last_tests(user).get(method_id)
        if last is not None and (now - last.created_at).total_seconds() < SECONDS_BETWEEN_TESTS:
            raise ContactRefused("test_too_soon", "A test has just been sent; see what becomes of it.")
        enqueue([_test_message(method, user=user, now=now)], now=now)
        record_test(method=method, user=user, now=now)


def _test_message(method: ContactMethod | None, *, user: User, now: datetime) -> NewMessage:
    title, text = test_words(user.language)
    key = dedupe_key("contact", method.pk if method else f"email-{user.pk}", "test", now.isoformat())
    url = console_url("/profile/")
    if method is not None:
        return way_message(
            method,
            key=key,
            kind=TEST_KIND,
            priority=Priority.LADDER,
            title=title,
            text=text,
            url=url,
            language=user.language,
        )
    letter = Letter(
        subject=title,
        preheader=text,
        language=user.language,
        sender=sender_for(user),
        before=(headline(title), plain(text)),
    )
    mail = compose(letter, headers=automatic_headers(stream="test", subject_id=user.pk))
    return NewMessage(
        dedupe_key=key,
        channel="email",
        kind=TEST_KIND,
        recipient_kind="user",
        recipient_id=user.pk,
        address=user.email,
        priority=Priority.LADDER,
        payload={**mail.payload(), "from_name": "Sentinel"},
    )


def last_tests(user: User) -> dict[int | None, MessageView]:
    """The newest test of each way of a user; the key None is e-mail."""
    found: dict[int | None, MessageView] = {}
    for message in messages_to(recipient_kind="user", recipient_id=user.pk, kind=TEST_KIND):
        found[message.payload.get("method_id")] = message
    return found


def last_codes(user: User) -> dict[int | None, MessageView]:
    """The newest message with a code of each way of a user."""
    rows = messages_to(recipient_kind="user", recipient_id=user.pk, kind=CODE_KIND)
    return {row.payload.get("method_id"): row for row in rows}


__all__ = [
    "CODE_KIND",
    "TEST_KIND",
    "add_way",
    "last_codes",
    "last_tests",
    "send_code",
    "send_test",
    "way_message",
]
