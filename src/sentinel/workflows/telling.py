"""Messages to users that many workflows send alike: a notice on the console, or one there and by mail."""

from __future__ import annotations

from sentinel.escalation.messages import Notice
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage
from sentinel.people.models import User
from sentinel.ui.links import console_url

_LONGEST_KEY = 160


def console_notice(
    user: User,
    *,
    key: str,
    kind: str,
    priority: Priority,
    title: str,
    text: str,
    path: str,
    account_id: int | None = None,
    problem_id: int | None = None,
) -> NewMessage:
    """A notice on the user's console, once per ``key``; it leads to the console page at ``path``."""
    return NewMessage(
        dedupe_key=f"{key}:{user.pk}:console"[:_LONGEST_KEY],
        channel="console",
        kind=kind,
        recipient_kind="user",
        recipient_id=user.pk,
        priority=priority,
        payload={"title": title, "text": text, "url": console_url(path)},
        account_id=account_id,
        problem_id=problem_id,
    )


def news(user: User, *, key: str, kind: str, notice: Notice, account_id: int) -> list[NewMessage]:
    """Something good to know, on the console and by mail; neither is an alarm."""
    return [
        NewMessage(
            dedupe_key=f"{key}:{user.pk}:{channel}",
            channel=channel,
            kind=kind,
            recipient_kind="user",
            recipient_id=user.pk,
            address=address,
            priority=Priority.NOTICE,
            payload=dict(payload),
            account_id=account_id,
        )
        for channel, address, payload in (
            ("console", "", notice.console.payload()),
            ("email", user.email, notice.mail.payload()),
        )
    ]
