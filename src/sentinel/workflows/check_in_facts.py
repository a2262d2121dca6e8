"""What check-ins must know about problems, for many workers at once; problems stand above check-ins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Max, Min, Q

from sentinel.accounts.models import Site, Worker
from sentinel.accounts.rules import MailState, Rhythm, WorkerStatus
from sentinel.accounts.selectors import permitted_site_ids
from sentinel.checkins.messages import AboutFacts, ProofFacts
from sentinel.checkins.models import Programme
from sentinel.checkins.rules import AskingFacts, CadenceFacts, WhyNot, why_not_asked
from sentinel.checkins.selectors import History, active_programme, histories
from sentinel.kernel.calendars import local_instant
from sentinel.problems.models import Commitment, Problem, Proposal
from sentinel.problems.rules import OPEN_STATES, ProblemState
from sentinel.standing.selectors import braked_account_ids, suppressed_among

_OPEN = [state.value for state in OPEN_STATES]
_WEEK = timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class ProblemFacts:
    """One worker's problems, as far as check-ins care.

    ``about_problem_id``: a proposed problem whose reminders are through; the check-in asks about it.
    """

    has_open: bool = False
    about_problem_id: int | None = None
    last_confirmed_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class StandingFacts:
    """Whom mail systems, or people, told us to leave alone: addresses, and accounts that stand still."""

    suppressed: frozenset[str]
    braked: frozenset[int]


def standing_facts(workers: Iterable[Worker]) -> StandingFacts:
    """The standing of many workers' addresses and accounts; two queries."""
    return StandingFacts(
        suppressed=suppressed_among(worker.email for worker in workers), braked=braked_account_ids()
    )


def problem_facts(worker_ids: Collection[int]) -> dict[int, ProblemFacts]:
    """The problem facts of many workers; two queries. Workers without problems get empty facts."""
    rows = (
        Problem.objects.filter(worker__in=worker_ids)
        .values("worker_id")
        .annotate(
            open=Count("pk", filter=Q(state__in=_OPEN)),
            confirmed=Max("closed_at", filter=Q(state=ProblemState.CONFIRMED.value)),
        )
        .order_by()
    )
    known = {row["worker_id"]: row for row in rows}
    about = dict(
        Proposal.objects.filter(
            settled_at__isnull=True,
            asks__gt=F("problem__policy__ask_again_after_days__len"),
            problem__state=ProblemState.PROPOSED.value,
            problem__worker__in=[pk for pk, row in known.items() if row["open"]],
        )
        .values_list("problem__worker_id")
        .annotate(oldest=Min("problem_id"))
        .order_by()
    )
    return {
        pk: ProblemFacts(
            has_open=bool(row["open"]), about_problem_id=about.get(pk), last_confirmed_at=row["confirmed"]
        )
        if (row := known.get(pk))
        else ProblemFacts()
        for pk in worker_ids
    }


def about_facts(problem_ids: Collection[int]) -> dict[int, AboutFacts]:
    """What a check-in about an unconfirmed problem says, by problem."""
    proposals = Proposal.objects.filter(settled_at__isnull=True, problem__in=problem_ids)
    return {
        proposal.problem_id: AboutFacts(
            proposal_id=proposal.pk,
            words=proposal.problem.words,
            words_language=proposal.problem.language,
            reported_on=proposal.problem.opened_at.astimezone(ZoneInfo(proposal.problem.site.zone)).date(),
            what_was_done=proposal.what_was_done,
        )
        for proposal in proposals.select_related("problem__site")
    }


def proof_facts(sites: Iterable[Site], now: datetime) -> dict[int, ProofFacts]:
    """What became of what each site reported last month (of its own calendar); two queries per zone."""
    by_zone: dict[str, list[int]] = defaultdict(list)
    for site in sites:
        by_zone[site.zone].append(site.pk)
    found: dict[int, ProofFacts] = {}
    for zone, site_ids in by_zone.items():
        since, until = _last_month(zone, now)
        reported = Problem.objects.filter(site__in=site_ids, opened_at__gte=since, opened_at__lt=until)
        # A promise that has passed proves nothing; it is shown as work.
        today = now.astimezone(ZoneInfo(zone)).date()
        promises = {
            row["problem__site_id"]: (row["n"], row["first"])
            for row in Commitment.objects.filter(
                problem__in=reported.filter(state=ProblemState.COMMITTED.value),
                superseded_at__isnull=True,
                due_on__gte=today,
            )
            .values("problem__site_id")
            .annotate(n=Count("pk"), first=Min("due_on"))
            .order_by()
        }
        rows = reported.values("site_id").annotate(
            n=Count("pk"),
            confirmed=Count("pk", filter=Q(state=ProblemState.CONFIRMED.value)),
            open=Count("pk", filter=Q(state__in=_OPEN)),
        )
        for row in rows.order_by():
            found[row["site_id"]] = _proof(row, *promises.get(row["site_id"], (0, None)))
    return found


def cadence_facts(worker: Worker, history: History, problems: ProblemFacts) -> CadenceFacts:
    """A worker as the cadence sees them."""
    return CadenceFacts(
        worker_id=worker.pk,
        rhythm=Rhythm(worker.rhythm),
        paused_until=worker.paused_until,
        away_until=worker.away_until,
        sent=history.sent,
        last_answer_at=history.last_answer_at,
        last_skipped_for=history.last_skipped_for,
        last_confirmed_at=problems.last_confirmed_at,
        about_problem_id=problems.about_problem_id,
    )


def asking_facts(
    worker: Worker,
    *,
    programme: Programme | None,
    is_permitted: bool,
    history: History,
    problems: ProblemFacts,
    standing: StandingFacts,
    now: datetime,
) -> AskingFacts:
    """A worker as the question "may we ask now?" sees them.

    Check-ins are the only mail a worker gets that is no answer to their own words, hence the history of
    check-ins is the whole of what tires them.
    """
    return AskingFacts(
        zone=worker.site.zone,
        has_programme=programme is not None,
        account_is_active=worker.site.account.is_active,
        is_permitted=is_permitted,
        has_left=worker.status == WorkerStatus.LEFT.value,
        is_unsubscribed=worker.unsubscribed_at is not None,
        rhythm=Rhythm(worker.rhythm),
        paused_until=worker.paused_until,
        away_until=worker.away_until,
        mail_state=MailState(worker.mail_state),
        is_suppressed=worker.email in standing.suppressed,
        is_braked=worker.site.account_id in standing.braked,
        has_open_problem=problems.has_open,
        about_problem_id=problems.about_problem_id,
        last_sent_at=history.sent[-1] if history.sent else None,
        mails_in_7_days=history.sent_since(now - _WEEK),
        minimum_days_between=programme.minimum_days_between if programme else 7,
    )


def why_not_asked_now(workers: Collection[Worker], now: datetime) -> dict[int, tuple[WhyNot, ...]]:
    """For screens: every reason why each of these workers would not be asked at this moment.

    ``workers`` come with ``site__account`` selected.
    """
    programme = active_programme()
    ids = [worker.pk for worker in workers]
    past, problems, standing = histories(ids, now), problem_facts(ids), standing_facts(workers)
    permitted = permitted_site_ids(now, {worker.site_id: worker.site for worker in workers}.values())
    return {
        worker.pk: why_not_asked(
            asking_facts(
                worker,
                programme=programme,
                is_permitted=worker.site_id in permitted,
                history=past[worker.pk],
                problems=problems[worker.pk],
                standing=standing,
                now=now,
            ),
            now,
        )
        for worker in workers
    }


def _proof(row: Mapping[str, Any], promised: int, first: date | None) -> ProofFacts:
    return ProofFacts(
        reported=row["n"],
        confirmed=row["confirmed"],
        promised=promised,
        open_count=row["open"] - promised,
        next_promise=first,
    )


def _last_month(zone: str, now: datetime) -> tuple[datetime, datetime]:
    this_month = now.astimezone(ZoneInfo(zone)).date().replace(day=1)
    last_month = (this_month - timedelta(days=1)).replace(day=1)
    return local_instant(last_month, time(0), zone), local_instant(this_month, time(0), zone)
