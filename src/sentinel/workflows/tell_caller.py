"""Telling a caller that their call is over: on the console, and along their ways."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sentinel.calls.messages import OPEN_BRIEF, Ended, EndFacts, end_words
from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import EndReason, WhyNot
from sentinel.checkins.models import Programme
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people.models import User
from sentinel.people.reach import without_mail
from sentinel.people.selectors import usable_ways
from sentinel.problems.models import Problem
from sentinel.ui.links import console_url
from sentinel.ui.mail import Letter, automatic_headers, compose, headline, link, plain
from sentinel.workflows.letters import sender_for
from sentinel.workflows.next_way import in_turn
from sentinel.workflows.telling import console_notice
from sentinel.workflows.ways import way_message

KIND = "call.ended"


def tell_caller(
    call: PlacedCall, problem: Problem, *, ended: Ended, why: WhyNot | None = None, now: datetime
) -> None:
    """One notice to the caller, at once: they were on the telephone a moment ago.

    A call that did not come about goes on from way to way until it is read, because somebody waits. What is
    logged already stands on the console only. ``why``: what stood against a call that was refused.
    """
    user = call.user
    title, text = end_words(
        EndFacts(
            ended=ended,
            reason=EndReason(call.reason),
            why=why,
            language=user.language,
            worker=problem.worker.name,
            number=call.worker_number,
        )
    )
    key = f"call:{call.pk}:ended"
    priority = Priority.ALARM if ended in (Ended.NOTHING, Ended.LOST) else Priority.ANSWER
    common: dict[str, Any] = {"account_id": problem.account_id, "problem_id": problem.pk}
    path = f"/problems/{problem.pk}/call/"
    notice = console_notice(
        user, key=key, kind=KIND, priority=priority, title=title, text=text, path=path, **common
    )
    if ended is Ended.TRIED:
        enqueue([notice], now=now)
        return
    ways = [
        way_message(
            method,
            key=f"{key}:{user.pk}:{method.channel}-{method.pk}",
            kind=KIND,
            priority=priority,
            title=title,
            text=text,
            url=console_url(path),
            language=user.language,
            **common,
        )
        for method in usable_ways([user]).get(user.pk, [])
    ]
    turned = in_turn([*ways, *_mail(user, key=key, priority=priority, words=(title, text), path=path,
                                    common=common)], start=now)  # fmt: skip
    further = [message.dedupe_key for message in turned[1:]]
    if further:
        notice = replace(notice, payload={**notice.payload, "other_ways": further})
    enqueue([notice, *turned], now=now)


def _mail(
    user: User, *, key: str, priority: Priority, words: tuple[str, str], path: str, common: dict[str, Any]
) -> list[NewMessage]:
    """The last way of everybody who has not switched it off."""
    if user.pk in without_mail([user]) or not Programme.objects.exists():
        return []
    title, text = words
    label = OPEN_BRIEF.get(user.language.split("-")[0], OPEN_BRIEF["en"])
    letter = Letter(
        subject=title,
        preheader=text,
        language=user.language,
        sender=sender_for(user),
        before=(headline(title), plain(text), link(label, console_url(path))),
    )
    mail = compose(letter, headers=automatic_headers(stream="call", subject_id=common["problem_id"]))
    return [
        NewMessage(
            dedupe_key=f"{key}:{user.pk}:email",
            channel="email",
            kind=KIND,
            recipient_kind="user",
            recipient_id=user.pk,
            address=user.email,
            priority=priority,
            payload={**mail.payload(), "from_name": "Sentinel"},
            **common,
        )
    ]
