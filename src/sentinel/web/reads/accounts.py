"""What the account's pages show about its workers, sites and numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Q

from sentinel.accounts.models import Account, Site, Worker
from sentinel.accounts.rules import MailState, Rhythm, WorkerStatus
from sentinel.accounts.selectors import calendar_of_site, permitted_site_ids, sites_of
from sentinel.checkins.models import CheckIn, Response
from sentinel.checkins.rules import CheckInState, Evidence
from sentinel.problems.models import Problem
from sentinel.problems.rules import OPEN_STATES, ProblemState

_OPEN = [s.value for s in OPEN_STATES]


@dataclass(frozen=True, kw_only=True)
class SiteView:
    """One site: whether the people there work now, and whether they may be asked."""

    site: Site
    worker_count: int
    open_count: int
    is_open_now: bool
    is_permitted: bool
    hours: list[tuple[str, str]]


def site_views(account: Account, now: datetime) -> list[SiteView]:
    """All sites of an account, by name."""
    sites = list(sites_of(account))
    permitted = permitted_site_ids(now, sites=sites)
    open_by_site = dict(
        Problem.objects.filter(account=account, state__in=_OPEN)
        .values_list("site")
        .annotate(n=Count("id"))
        .order_by()
    )
    return [
        SiteView(
            site=site,
            worker_count=getattr(site, "worker_count", 0),
            open_count=open_by_site.get(site.pk, 0),
            is_open_now=calendar_of_site(site).is_open(now),
            is_permitted=site.pk in permitted,
            hours=week_lines(site.calendar.week),
        )
        for site in sites
    ]


def week_lines(week: dict[str, list[list[str]]]) -> list[tuple[str, str]]:
    """Working hours for people: runs of days with the same hours on one line."""
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    lines: list[tuple[str, str, str]] = []
    for day in names:
        hours = ", ".join("–".join(span) for span in week.get(day, []))
        if not hours:
            continue
        if lines and lines[-1][2] == hours and names.index(lines[-1][1]) == names.index(day) - 1:
            lines[-1] = (lines[-1][0], day, hours)
        else:
            lines.append((day, day, hours))
    return [
        (first.title() if first == last else f"{first.title()}–{last.title()}", hours)
        for first, last, hours in lines
    ]


def numbers_of(account: Account, now: datetime) -> dict[str, int]:
    """The last 30 days of an account in counts; no percentages of small numbers."""
    since = now - timedelta(days=30)
    problems = Problem.objects.filter(account=account)
    counted = problems.aggregate(
        open=Count("id", filter=Q(state__in=_OPEN)),
        unconfirmed=Count("id", filter=Q(state=ProblemState.PROPOSED.value)),
        reported=Count("id", filter=Q(opened_at__gte=since)),
        confirmed=Count("id", filter=Q(state=ProblemState.CONFIRMED.value, closed_at__gte=since)),
    )
    asked = CheckIn.objects.filter(
        worker__site__account=account, state=CheckInState.SENT.value, sent_at__gte=since
    )
    answered = Response.objects.filter(
        worker__site__account=account, evidence=Evidence.VERIFIED.value, received_at__gte=since
    )
    workers = Worker.objects.filter(site__account=account, status=WorkerStatus.ACTIVE.value)
    return {**counted, "asked": asked.count(), "answered": answered.count(), "workers": workers.count()}


def why_not_asked(worker: Worker, *, is_permitted: bool, now: datetime) -> str:
    """Why no check-in goes to this worker; empty when one will."""
    if worker.status == WorkerStatus.LEFT.value:
        return "has left"
    if not is_permitted:
        return "no permission for the site"
    if worker.unsubscribed_at is not None:
        return "unsubscribed"
    if worker.mail_state == MailState.BOUNCED.value:
        return "mail comes back"
    if worker.mail_state == MailState.COMPLAINED.value:
        return "complained about our mail"
    if worker.rhythm == Rhythm.PAUSE.value:
        return "paused by the worker"
    today = now.astimezone(ZoneInfo(worker.site.zone)).date()
    if worker.paused_until is not None and worker.paused_until > today:
        return f"paused until {worker.paused_until:%-d %b %Y}"
    return ""
