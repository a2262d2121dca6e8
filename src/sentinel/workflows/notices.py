"""Notices to users about a problem: facts in, outbox out. Runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sentinel.checkins.rules import Severity
from sentinel.escalation.messages import Notice, NoticeFacts, Reason, Told, duty_notice
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind, tell_at
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people.models import ContactMethod, User
from sentinel.people.selectors import calendar_for_telling
from sentinel.problems.models import Problem
from sentinel.problems.rules import CallOutcome
from sentinel.timeline.selectors import events_of_problem
from sentinel.timeline.verbs import Verb
from sentinel.workflows.crowds import in_crowd
from sentinel.workflows.letters import sender_for
from sentinel.workflows.next_way import in_turn
from sentinel.workflows.reach import hearers
from sentinel.workflows.ways import way_message

_PRIORITY = {
    Reason.NEW: Priority.ALARM,
    Reason.REOPENED: Priority.ALARM,
    Reason.OBJECTED: Priority.ALARM,
    Reason.CAME_BACK: Priority.ALARM,
    Reason.MANAGER_WANTED: Priority.ALARM,
    Reason.CONFIRMED: Priority.NOTICE,
}


KIND = "duty.notice"


@dataclass(frozen=True, kw_only=True)
class News:
    """Why users are told: the reason, a key that makes the notice unique, and what was said or noted.

    ``instead_of``: why it comes to these users in place of somebody else.
    """

    reason: Reason
    key: str
    new_words: str = ""
    note: str = ""
    rung: int = 0
    repeat: int = 0
    breaks_quiet_hours: bool = False
    collapsed: str = ""
    instead_of: str = ""


def tell_users(
    problem: Problem, *, users: Iterable[User], duty: Duty | None, news: News, now: datetime
) -> list[User]:
    """Enqueue one console notice per user, and the same on their ways. Returns whom it told.

    Whom nothing reaches is told on the console alone, and the next person in their place
    (:mod:`sentinel.workflows.reach`). The console shows it at once. The ways wait for the hours in which the
    person may be disturbed, except from the officer's
    rung up or when work stopped (quiet hours redirect, they never pause the loop). The best way goes
    first; e-mail is the last one of everybody (:mod:`sentinel.workflows.next_way`).
    """
    tried, told = _tried(problem), _told(problem)
    heard = hearers(problem, users=list(users), is_urgent=_priority(news) <= Priority.LADDER, now=now)
    people, silent, ways = heard.people, heard.silent, heard.ways
    messages: list[NewMessage] = []
    for user in people:
        why = f"{heard.notes.get(user.pk, '')} {news.instead_of}".strip()
        said = replace(news, note=f"{why} {news.note}".strip())
        facts = _facts(problem, user=user, duty=duty, news=said, tried=tried, told=told, now=now)
        notice = _with_reason(duty_notice(facts), why)
        start = tell_at(
            calendar=calendar_for_telling(user),
            breaks_quiet_hours=news.breaks_quiet_hours or problem.severity == Severity.STOPPED.value,
            now=now,
        )
        methods = ways.get(user.pk, [])
        turned = in_turn(
            [
                *(_by_way(problem, method, user=user, news=news, notice=notice) for method in methods),
                *([] if user.pk in silent else [_by_mail(problem, user=user, news=news, notice=notice)]),
            ],
            start=start,
        )
        further = [message.dedupe_key for message in turned[1:]]
        messages += [_on_console(problem, user=user, news=news, notice=notice, further=further), *turned]
    enqueue(in_crowd(messages, problem=problem, users=people, reason=news.reason, rung=news.rung), now=now)
    return people


def _with_reason(notice: Notice, why: str) -> Notice:
    """A telephone's screen shows the short text only; why it came to this person belongs there, too."""
    if not why:
        return notice
    return replace(notice, console=replace(notice.console, text=f"{why} {notice.console.text}"))


def _on_console(
    problem: Problem, *, user: User, news: News, notice: Notice, further: list[str]
) -> NewMessage:
    payload: dict[str, Any] = dict(notice.console.payload())
    return NewMessage(
        dedupe_key=f"{news.key}:{user.pk}:console",
        channel="console",
        payload=payload | ({"other_ways": further} if further else {}),
        **_common(problem, user, news),
    )


def _by_mail(problem: Problem, *, user: User, news: News, notice: Notice) -> NewMessage:
    return NewMessage(
        dedupe_key=f"{news.key}:{user.pk}:email",
        channel="email",
        address=user.email,
        payload=dict(notice.mail.payload()),
        **_common(problem, user, news),
    )


def _by_way(problem: Problem, method: ContactMethod, *, user: User, news: News, notice: Notice) -> NewMessage:
    return way_message(
        method,
        key=f"{news.key}:{user.pk}:{method.channel}-{method.pk}",
        kind=KIND,
        priority=_priority(news),
        title=notice.console.title,
        text=notice.console.text,
        url=notice.console.url,
        language=user.language,
        account_id=problem.account_id,
        problem_id=problem.pk,
    )


def _common(problem: Problem, user: User, news: News) -> dict[str, Any]:
    return {
        "kind": KIND,
        "recipient_kind": "user",
        "recipient_id": user.pk,
        "priority": _priority(news),
        "account_id": problem.account_id,
        "problem_id": problem.pk,
    }


def _priority(news: News) -> Priority:
    return _PRIORITY.get(news.reason, Priority.LADDER)


def _facts(
    problem: Problem,
    *,
    user: User,
    duty: Duty | None,
    news: News,
    tried: tuple[str, ...],
    told: tuple[Told, ...],
    now: datetime,
) -> NoticeFacts:
    worker, site = problem.worker, problem.site
    return NoticeFacts(
        reason=news.reason,
        recipient_id=user.pk,
        recipient_language=user.language,
        recipient_zone=user.zone,
        sender=sender_for(problem.owner),
        audience=None,
        rung=news.rung,
        repeat=news.repeat,
        problem_id=problem.pk,
        worker_name=worker.name,
        account_name=problem.account.name,
        site_name=site.name,
        site_zone=site.zone,
        words=problem.words,
        words_language=problem.language,
        severity=Severity(problem.severity),
        may_call=problem.may_call,
        telephone=problem.call_number or worker.telephone,
        call_when=problem.call_when,
        call_language=problem.call_language,
        opened_at=problem.opened_at,
        owed=DutyKind(duty.kind) if duty else None,
        due_at=duty.due_at if duty else None,
        accountable_id=duty.accountable_id if duty else None,
        accountable_name=str(duty.accountable) if duty else "",
        now=now,
        new_words=news.new_words,
        note=news.note,
        tried=tried,
        told=told,
        collapsed=news.collapsed,
    )


def _tried(problem: Problem) -> tuple[str, ...]:
    return tuple(
        f"{call.at:%Y-%m-%d %H:%M} UTC: {CallOutcome(call.outcome).value.replace('_', ' ')}, {call.caller}"
        for call in problem.calls.select_related("caller")
    )


def _told(problem: Problem) -> tuple[Told, ...]:
    fired = events_of_problem(problem.pk).filter(verb=Verb.DUTY_FIRED.value).values_list("at", "data")
    return tuple(Told(name=name, at=at) for at, data in fired for name in data.get("told", ()))
