"""What the account's pages show about its workers, sites and numbers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from sentinel.accounts.models import Account, Site, Worker
from sentinel.accounts.rules import WorkerStatus
from sentinel.accounts.selectors import calendar_of_site, permitted_site_ids, sites_of
from sentinel.checkins.models import CheckIn, Response
from sentinel.checkins.rules import CheckInState, Evidence, WhyNot, words_of
from sentinel.problems.models import Problem
from sentinel.problems.rules import OPEN_STATES, ProblemState
from sentinel.workflows.check_in_facts import why_not_asked_now

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


def why_never_asked(workers: Collection[Worker], now: datetime) -> dict[int, str]:
    """Why no check-in goes to each of these workers, the weightiest reason; empty when one will.

    That somebody was asked a few days ago is no reason: it passes by itself. ``workers`` come with
    ``site__account``.
    """
    found = why_not_asked_now(workers, now)
    return {worker.pk: _lasting(worker, found[worker.pk]) for worker in workers}


def _lasting(worker: Worker, reasons: Collection[WhyNot]) -> str:
    reason = next((one for one in reasons if one is not WhyNot.FATIGUE), None)
    if reason is None:
        return ""
    is_dated = reason is WhyNot.PAUSED and worker.paused_until is not None
    return words_of(reason) + (f" until {worker.paused_until:%-d %b %Y}" if is_dated else "")
