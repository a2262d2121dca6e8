"""One mail each working morning for whoever wants it: at the start of their day, in their zone, once."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.db import transaction

from sentinel.escalation.digest_messages import DigestFacts, DigestLine, digest_mail, step_words
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind
from sentinel.kernel.calendars import BusinessCalendar, local_instant
from sentinel.kernel.errors import Refused
from sentinel.outbox.digests import Wish, take_digest_turn, wanted_digests
from sentinel.outbox.rules import Priority
from sentinel.outbox.selectors import unread_notices
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people.models import User
from sentinel.people.selectors import absences_at, calendar_of, users_by_id
from sentinel.ui.dates import local_moment, local_time
from sentinel.workflows.letters import sender_for

KIND = "digest.morning"
#: So many notices are looked through for what is new.
MOST_NOTICES = 200
_LONGEST_WORDS = 120


def send_digests(*, now: datetime) -> int:
    """Send the morning mails whose working day has begun and is not over; returns how many users were looked
    at. Whoever is away gets none; what happened meanwhile stands in the first one after. Whoever left gets
    none at all: it quotes what customers said."""
    wishes = wanted_digests()
    if not wishes:
        return 0
    people = users_by_id([wish.user_id for wish in wishes])
    away = {absence.user_id for absence in absences_at(now)}
    handled = 0
    for wish in wishes:
        user = people.get(wish.user_id)
        if user is None or not user.is_active or user.pk in away:
            continue
        if _is_due(calendar_of(user), wish, now):
            handled += _send(user, wish, now)
    return handled


def _is_due(calendar: BusinessCalendar, wish: Wish, now: datetime) -> bool:
    day = calendar.localdate(now)
    start, end = calendar.start_of_day(day), calendar.end_of_day(day)
    if start is None or end is None or not start <= now < end:
        return False
    return wish.told_until is None or wish.told_until < start


def _send(user: User, wish: Wish, now: datetime) -> int:
    with transaction.atomic():
        if not take_digest_turn(user_id=user.pk, since=wish.told_until, now=now):
            return 0
        try:
            facts = _facts(user, since=wish.told_until, now=now)
        except Refused:
            return 1  # before the set-up there is no address to write from
        if not facts.is_empty:
            enqueue([_message(user, facts, now)], now=now)
        return 1


def _message(user: User, facts: DigestFacts, now: datetime) -> NewMessage:
    day = calendar_of(user).localdate(now)
    return NewMessage(
        dedupe_key=f"digest:{user.pk}:{day:%Y-%m-%d}",
        channel="email",
        kind=KIND,
        recipient_kind="user",
        recipient_id=user.pk,
        address=user.email,
        priority=Priority.NOTICE,
        payload=dict(digest_mail(facts).payload()),
    )


def _facts(user: User, *, since: datetime | None, now: datetime) -> DigestFacts:
    calendar = calendar_of(user)
    # The whole day: a date promised to a worker ends with the day of their site, not with the user's.
    end = local_instant(calendar.localdate(now) + timedelta(days=1), time(), user.zone)
    duties = Duty.objects.filter(accountable=user).select_related(
        "problem__worker", "problem__site", "problem__account"
    )
    waiting = duties.filter(kind=DutyKind.ASK.value)
    due = duties.exclude(kind=DutyKind.ASK.value).filter(due_at__lt=end)
    fresh = unread_notices(user.pk, since=since, limit=MOST_NOTICES)
    return DigestFacts(
        user_id=user.pk,
        language=user.language,
        sender=sender_for(user),
        due=[_due_line(duty, user, now) for duty in due.order_by("due_at", "problem_id")],
        unconfirmed=[_line(duty, "") for duty in waiting.order_by("problem__proposed_at", "problem_id")],
        news=[
            DigestLine(text=str(notice.payload.get("title", notice.kind)), path=_path(notice.problem_id))
            for notice in fresh
        ],
    )


def _due_line(duty: Duty, user: User, now: datetime) -> DigestLine:
    calendar = calendar_of(user)
    is_today = calendar.localdate(duty.due_at) == calendar.localdate(now)
    at = (local_time if is_today else local_moment)(duty.due_at, user.zone, user.language)
    return _line(duty, f"{at}, {step_words(duty.kind, user.language)}: ")


def _line(duty: Duty, before: str) -> DigestLine:
    problem = duty.problem
    words = f", “{problem.words[:_LONGEST_WORDS]}”" if problem.words else ""
    where = f"{problem.account.name}, {problem.site.name}"
    return DigestLine(text=f"{before}{problem.worker.name} ({where}){words}", path=f"/problems/{problem.pk}/")


def _path(problem_id: int | None) -> str:
    return f"/problems/{problem_id}/" if problem_id is not None else "/notices/"
