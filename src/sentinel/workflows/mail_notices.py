"""Telling users about mail: the owner what a worker wrote, administrators what is wrong with addresses."""

from __future__ import annotations

from datetime import datetime

from sentinel.accounts.models import Worker
from sentinel.escalation.mail_messages import MailNewsFacts, mail_news
from sentinel.kernel.errors import Refused
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import enqueue
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.people.selectors import active_users_with_role
from sentinel.workflows.letters import sender_for
from sentinel.workflows.mail_outcome import Arrival
from sentinel.workflows.telling import console_notice, news


def tell_owner(arrival: Arrival, what: str) -> None:
    """Tell the account's owner on the console and their ways that a worker ``what``, with the words."""
    worker = arrival.thread.worker
    if worker is None:
        return
    account = worker.site.account
    owner = account.owner
    try:
        sender = sender_for(owner)
    except Refused:
        return  # before the set-up there is no address to write from; the mail itself waits in the list
    notice = mail_news(
        MailNewsFacts(
            recipient_language=owner.language,
            sender=sender,
            incoming_id=arrival.mail.pk,
            what=what,
            worker_name=worker.name,
            account_name=account.name,
            site_name=worker.site.name,
            words=arrival.words,
            words_language=arrival.mail.language or worker.spoken_language,
            note=arrival.note,
        )
    )
    key = f"mail.news:{arrival.mail.pk}"
    messages = news(owner, key=key, kind="mail.news", notice=notice, account_id=account.pk, now=arrival.now)
    enqueue(messages, now=arrival.now)


def tell_of_bounce(worker: Worker, *, user: User, reason: str, key: str, now: datetime) -> None:
    """Tell whoever can do something about it that a worker's address does not take mail."""
    _notify(
        [user] if user.is_active else list(active_users_with_role(Role.ADMINISTRATOR)),
        key=f"mail.bounced:{key}",
        title=f"Mail to {worker.name} comes back",
        text=f"{worker.email} does not take our mail. Please reach them another way and repair the address. "
        f"Reason: {reason[:300]}",
        path=f"/accounts/{worker.site.account_id}/",
        account_id=worker.site.account_id,
        now=now,
    )


def tell_administrators(*, key: str, title: str, text: str, path: str, now: datetime) -> None:
    """Tell every administrator by console, once per ``key``."""
    _notify(
        list(active_users_with_role(Role.ADMINISTRATOR)), key=key, title=title, text=text, path=path, now=now
    )


def _notify(
    users: list[User],
    *,
    key: str,
    title: str,
    text: str,
    path: str,
    now: datetime,
    account_id: int | None = None,
) -> None:
    notices = [
        console_notice(
            user,
            key=key,
            kind="mail.trouble",
            priority=Priority.LADDER,
            title=title,
            text=text,
            path=path,
            account_id=account_id,
        )
        for user in users
    ]
    enqueue(notices, now=now)
