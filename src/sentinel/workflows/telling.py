"""What many workflows tell users alike: a notice on the console, or one there and along their ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from sentinel.escalation.messages import Notice
from sentinel.escalation.rules import tell_at
from sentinel.outbox.digests import told_by_digest
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage
from sentinel.people.models import ContactMethod, User
from sentinel.people.reach import without_mail
from sentinel.people.selectors import calendar_for_telling, usable_ways
from sentinel.ui.links import console_url
from sentinel.workflows.next_way import in_turn
from sentinel.workflows.ways import way_message

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


def news(
    user: User, *, key: str, kind: str, notice: Notice, account_id: int, now: datetime
) -> list[NewMessage]:
    """Something good to know, on the console and along the user's ways; it is no alarm."""
    return along_ways(
        user,
        key=key,
        kind=kind,
        priority=Priority.NOTICE,
        said=dict(notice.console.payload()),
        mail=dict(notice.mail.payload()),
        account_id=account_id,
        now=now,
    )


def along_ways(
    user: User,
    *,
    key: str,
    kind: str,
    priority: Priority,
    said: Mapping[str, str],
    mail: Mapping[str, Any],
    account_id: int | None,
    is_urgent: bool = False,
    now: datetime,
) -> list[NewMessage]:
    """A notice on the console at once, and the same in turn on the user's ways, e-mail last.

    ``said``: ``title``, ``text`` and ``url``; ``mail``: a mail's payload. The ways wait for the hours in
    which the user may be disturbed, unless ``is_urgent``. Who wants what is not urgent in the morning mail
    only, gets it there (:mod:`sentinel.workflows.send_digests`).
    """
    is_for_digest = priority >= Priority.NOTICE and user.pk in told_by_digest([user.pk])
    is_silent = is_for_digest or user.pk in without_mail([user])
    return one_notice(
        user,
        key=key,
        kind=kind,
        priority=priority,
        said=said,
        ways=() if is_for_digest else usable_ways([user]).get(user.pk, ()),
        mail=None if is_silent else mail,
        start=tell_at(calendar=calendar_for_telling(user), breaks_quiet_hours=is_urgent, now=now),
        account_id=account_id,
    )


def one_notice(
    user: User,
    *,
    key: str,
    kind: str,
    priority: Priority,
    said: Mapping[str, str],
    ways: Iterable[ContactMethod],
    mail: Mapping[str, Any] | None,
    start: datetime,
    account_id: int | None,
    problem_id: int | None = None,
) -> list[NewMessage]:
    """The same notice on the console, on these ways in turn from ``start`` on, and by ``mail`` (a payload)
    last; reads nothing. The console's names the keys of the ways after the first."""
    common: dict[str, Any] = {
        "kind": kind,
        "priority": priority,
        "account_id": account_id,
        "problem_id": problem_id,
    }
    to_user: dict[str, Any] = {"recipient_kind": "user", "recipient_id": user.pk, **common}
    one_by_one = [
        way_message(
            method,
            key=f"{key}:{user.pk}:{method.channel}-{method.pk}",
            title=said["title"],
            text=said["text"],
            url=said["url"],
            language=user.language,
            **common,
        )
        for method in ways
    ]
    if mail is not None:
        mail_key = f"{key}:{user.pk}:email"
        one_by_one.append(
            NewMessage(
                dedupe_key=mail_key, channel="email", address=user.email, payload=dict(mail), **to_user
            )
        )
    turned = in_turn(one_by_one, start=start)
    further = [message.dedupe_key for message in turned[1:]]
    shown = {**said, **({"other_ways": further} if further else {})}
    console = NewMessage(dedupe_key=f"{key}:{user.pk}:console", channel="console", payload=shown, **to_user)
    return [console, *turned]
