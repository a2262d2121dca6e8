"""Notices to users about a problem: facts in, outbox out. Runs in the caller's transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sentinel.accounts.selectors import calendar_of_site
from sentinel.checkins.models import Programme
from sentinel.checkins.rules import Severity
from sentinel.escalation.messages import Notice, NoticeFacts, Reason, duty_notice
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind, tell_at
from sentinel.escalation.small_print import Skipped, Told, Tried
from sentinel.kernel.calendars import NeverOpen
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people.models import User
from sentinel.people.selectors import calendar_for_telling
from sentinel.problems.models import Call, Problem
from sentinel.problems.rules import CallOutcome
from sentinel.timeline.selectors import people_told
from sentinel.ui.drafts import draft_of
from sentinel.workflows.crowds import in_crowd
from sentinel.workflows.letters import programme_of_mail, sender_in
from sentinel.workflows.reach import Hearers, hearers
from sentinel.workflows.telling import one_notice

_PRIORITY = {
    Reason.NEW: Priority.ALARM,
    Reason.REOPENED: Priority.ALARM,
    Reason.OBJECTED: Priority.ALARM,
    Reason.CAME_BACK: Priority.ALARM,
    Reason.MANAGER_WANTED: Priority.ALARM,
    Reason.CONFIRMED: Priority.NOTICE,
}

#: These titles say when to call; the others need no look into the calendar of the worker's site.
SAYS_WHEN = frozenset({Reason.NEW, Reason.REOPENED, Reason.CAME_BACK})
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
    skipped: Skipped | None = None
    instead_of: str = ""


@dataclass(frozen=True, kw_only=True)
class Background:
    """What notices need beside the problem, its duty and the news; see :func:`background`.

    ``tried``, ``told``: calls and people by problem.
    """

    tried: Mapping[int, tuple[Tried, ...]]
    told: Mapping[int, tuple[Told, ...]]
    programme: Programme | None


def background(problem_ids: Collection[int]) -> Background:
    """Read what notices about these problems need; three queries for any number of them."""
    return Background(tried=_tried(problem_ids), told=_told(problem_ids), programme=programme_of_mail())


def tell_users(
    problem: Problem, *, users: Iterable[User], duty: Duty | None, news: News, now: datetime
) -> list[User]:
    """Enqueue one console notice per user, and the same on their ways. Returns whom it told.

    Whom nothing reaches is told on the console alone, and the next person in their place
    (:mod:`sentinel.workflows.reach`). The console shows it at once. The ways wait for the hours in which the
    person may be disturbed, except from the officer's rung up or when work stopped (quiet hours redirect,
    they never pause the loop). The best way goes first; e-mail is the last one of everybody
    (:mod:`sentinel.workflows.next_way`).
    """
    heard = hearers(problem, users=list(users), is_urgent=is_urgent(news), now=now)
    # Of a new problem nothing is on record yet.
    known = background([] if news.reason is Reason.NEW else [problem.pk])
    enqueue(notices(problem, heard=heard, duty=duty, news=news, known=known, now=now), now=now)
    return heard.people


def notices(
    problem: Problem, *, heard: Hearers, duty: Duty | None, news: News, known: Background, now: datetime
) -> list[NewMessage]:
    """What :func:`tell_users` puts into the outbox; reads nothing by itself."""
    facts = _facts(problem, duty=duty, news=news, known=known, now=now)
    written: dict[tuple[str, str, bool, str], Notice] = {}
    messages: list[NewMessage] = []
    for user in heard.people:
        why = f"{heard.notes.get(user.pk, '')} {news.instead_of}".strip()
        # Colleagues with one language and one clock read the same words; only "yours" differs.
        reader = (user.language, user.zone, user.pk == facts.accountable_id, why)
        if reader not in written:
            written[reader] = _written(facts, user=user, why=why)
        messages += _to_user(problem, user=user, news=news, notice=written[reader], heard=heard, now=now)
    return in_crowd(messages, problem=problem, users=heard.people, reason=news.reason, rung=news.rung)


def _written(facts: NoticeFacts, *, user: User, why: str) -> Notice:
    said = replace(
        facts,
        recipient_id=user.pk,
        recipient_language=user.language,
        recipient_zone=user.zone,
        note=f"{why} {facts.note}".strip(),
    )
    return _with_reason(duty_notice(said), why)


def _to_user(
    problem: Problem, *, user: User, news: News, notice: Notice, heard: Hearers, now: datetime
) -> list[NewMessage]:
    start = tell_at(
        calendar=calendar_for_telling(user),
        breaks_quiet_hours=news.breaks_quiet_hours or problem.severity == Severity.STOPPED.value,
        now=now,
    )
    return one_notice(
        user,
        key=news.key,
        kind=KIND,
        priority=_priority(news),
        said=notice.console.payload(),
        ways=heard.ways.get(user.pk, ()),
        mail=None if user.pk in heard.silent else draft_of(notice.mail),
        start=start,
        account_id=problem.account_id,
        problem_id=problem.pk,
    )


def _with_reason(notice: Notice, why: str) -> Notice:
    """A telephone's screen shows the short text only; why it came to this person belongs there, too."""
    if not why:
        return notice
    return replace(notice, console=replace(notice.console, text=f"{why} {notice.console.text}"))


def _priority(news: News) -> Priority:
    return _PRIORITY.get(news.reason, Priority.LADDER)


def is_urgent(news: News) -> bool:
    """Whether it goes to the next person when somebody cannot be reached."""
    return _priority(news) <= Priority.LADDER


def _facts(
    problem: Problem, *, duty: Duty | None, news: News, known: Background, now: datetime
) -> NoticeFacts:
    """The facts of a notice, still without a reader."""
    worker, site = problem.worker, problem.site
    return NoticeFacts(
        reason=news.reason,
        recipient_id=0,
        recipient_language="",
        recipient_zone="",
        sender=sender_in(known.programme, person=problem.owner),
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
        tried=known.tried.get(problem.pk, ()),
        told=known.told.get(problem.pk, ()),
        skipped=news.skipped,
        site_opens_at=_opens(problem, now) if news.reason in SAYS_WHEN else None,
    )


def _opens(problem: Problem, now: datetime) -> datetime | None:
    """When the worker's site opens; None while it is open, or when its calendar never does."""
    try:
        opens = calendar_of_site(problem.site).next_open(now)
    except NeverOpen:
        return None
    return opens if opens > now else None


def _tried(problem_ids: Collection[int]) -> dict[int, tuple[Tried, ...]]:
    found: dict[int, tuple[Tried, ...]] = {}
    for call in Call.objects.filter(problem__in=problem_ids).select_related("caller").order_by("id"):
        tried = Tried(at=call.at, outcome=CallOutcome(call.outcome), caller=str(call.caller))
        found[call.problem_id] = (*found.get(call.problem_id, ()), tried)
    return found


def _told(problem_ids: Collection[int]) -> dict[int, tuple[Told, ...]]:
    found: dict[int, list[Told]] = {}
    for problem_id, at, names in people_told(problem_ids):
        found.setdefault(problem_id, []).extend(Told(name=name, at=at) for name in names)
    return {problem_id: tuple(told) for problem_id, told in found.items()}
