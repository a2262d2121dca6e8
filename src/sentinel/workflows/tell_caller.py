"""Telling a caller that their call is over: on the console, and along their ways."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sentinel.calls.messages import OPEN_BRIEF, Ended, EndFacts, end_words
from sentinel.calls.models import PlacedCall
from sentinel.calls.rules import EndReason, WhyNot
from sentinel.checkins.models import Programme
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import enqueue
from sentinel.people.models import User
from sentinel.people.reach import without_mail
from sentinel.people.selectors import usable_ways
from sentinel.problems.models import Problem
from sentinel.ui.links import console_url
from sentinel.ui.mail import Letter, automatic_headers, compose, headline, link, plain
from sentinel.workflows.letters import sender_for
from sentinel.workflows.telling import one_notice

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
    url = console_url(f"/problems/{problem.pk}/call/")
    is_noted = ended is Ended.TRIED
    messages = one_notice(
        user,
        key=key,
        kind=KIND,
        priority=priority,
        said={"title": title, "text": text, "url": url},
        ways=() if is_noted else usable_ways([user]).get(user.pk, ()),
        mail=None if is_noted else _mail(user, problem, title=title, text=text, url=url),
        start=now,
        account_id=problem.account_id,
        problem_id=problem.pk,
    )
    enqueue(messages, now=now)


def _mail(user: User, problem: Problem, *, title: str, text: str, url: str) -> dict[str, Any] | None:
    """The last way of everybody who has not switched it off."""
    if user.pk in without_mail([user]) or not Programme.objects.exists():
        return None
    label = OPEN_BRIEF.get(user.language.split("-")[0], OPEN_BRIEF["en"])
    letter = Letter(
        subject=title,
        preheader=text,
        language=user.language,
        sender=sender_for(user),
        before=(headline(title), plain(text), link(label, url)),
    )
    mail = compose(letter, headers=automatic_headers(stream="call", subject_id=problem.pk))
    return {**mail.payload(), "from_name": "Sentinel"}
