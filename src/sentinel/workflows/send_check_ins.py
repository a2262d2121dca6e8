"""Due check-ins go out, or are let pass with a reason. Everything is judged again at this moment."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from sentinel.accounts.models import Worker
from sentinel.accounts.selectors import calendar_of_site, permitted_site_ids
from sentinel.checkins.messages import (
    AboutFacts,
    ProofFacts,
    QuestionFacts,
    question_in,
    sender_of,
)
from sentinel.checkins.models import CheckIn, Programme
from sentinel.checkins.rules import CheckInState, WhyNot, slot_after_a_missed_window, why_not_asked
from sentinel.checkins.selectors import (
    History,
    active_programme,
    due_check_ins,
    histories,
    window_of,
)
from sentinel.checkins.services import mark_sent, mark_skipped, save_outcomes
from sentinel.kernel.calendars import NeverOpen
from sentinel.timeline.services import ENGINE, About, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.check_in_facts import (
    ProblemFacts,
    StandingFacts,
    about_facts,
    asking_facts,
    problem_facts,
    proof_facts,
    standing_facts,
)
from sentinel.workflows.launch_check_ins import Asking, launch_check_ins


@dataclass(frozen=True, kw_only=True)
class _Batch:
    """Everything about the workers of one batch, by id; loaded in a fixed number of queries."""

    programme: Programme | None
    permitted: frozenset[int]
    past: dict[int, History]
    problems: dict[int, ProblemFacts]
    standing: StandingFacts
    about: dict[int, AboutFacts]
    proof: dict[int, ProofFacts]
    now: datetime


def send_check_ins(*, now: datetime, limit: int = 200) -> int:
    """Launch, let pass or move up to ``limit`` due check-ins; returns how many were due.

    One transaction: the check-in is marked sent together with its delivery, which is its only one for
    ever, so a second launch is impossible. ``sent`` means launched: should the delivery end badly,
    ``report_deliveries`` takes it back. The next check-in is planned by the planning pass.
    """
    with transaction.atomic():
        due = list(
            due_check_ins(now)
            .select_for_update(of=("self",), skip_locked=True)
            .select_related("programme", "worker__site__account__owner", "worker__site__calendar")[:limit]
        )
        if not due:
            return 0
        batch = _load(due, now)
        askings = [asking for check_in in due if (asking := _settle(check_in, batch))]
        save_outcomes(due)
        for account_id, sent in sorted(
            Counter(asking.check_in.worker.site.account_id for asking in askings).items()
        ):
            # One line per account and batch: the check-ins themselves are the record per worker.
            record_event(
                verb=Verb.CHECK_IN_SENT,
                at=now,
                actor=ENGINE,
                about=About(account_id=account_id),
                data={"check_ins": sent},
            )
        # Last: the sender counts on the same run, and should not wait for us.
        skipped = [check_in for check_in in due if check_in.state == CheckInState.SKIPPED.value]
        launch_check_ins(askings=askings, skipped=skipped, now=now)
        return len(due)


def _load(due: list[CheckIn], now: datetime) -> _Batch:
    ids = [check_in.worker_id for check_in in due]
    sites = {check_in.worker.site_id: check_in.worker.site for check_in in due}
    problems = problem_facts(ids)
    return _Batch(
        programme=active_programme(),
        permitted=permitted_site_ids(now, sites.values()),
        past=histories(ids, now),
        problems=problems,
        standing=standing_facts(check_in.worker for check_in in due),
        about=about_facts([facts.about_problem_id for facts in problems.values() if facts.about_problem_id]),
        proof=proof_facts(sites.values(), now),
        now=now,
    )


def _settle(check_in: CheckIn, batch: _Batch) -> Asking | None:
    """Decide about one due check-in; returns what it says when it goes out."""
    worker, now = check_in.worker, batch.now
    problems = batch.problems[worker.pk]
    facts = asking_facts(
        worker,
        programme=batch.programme,
        is_permitted=worker.site_id in batch.permitted,
        history=batch.past[worker.pk],
        problems=problems,
        standing=batch.standing,
        now=now,
    )
    reasons = why_not_asked(facts, now)
    if reasons or batch.programme is None:
        mark_skipped(check_in, reasons=reasons)
        return None
    try:
        later = slot_after_a_missed_window(
            worker.pk, window=window_of(batch.programme), calendar=calendar_of_site(worker.site), now=now
        )
    except NeverOpen:
        mark_skipped(check_in, reasons=[WhyNot.NO_SENDING_DAY])
        return None
    if later is not None:
        check_in.planned_for = later
        return None
    check_in.about_problem_id = problems.about_problem_id
    check_in.language = worker.spoken_language
    mark_sent(check_in, now=now)
    return Asking(check_in=check_in, facts=_facts(check_in, worker, batch.programme, batch))


def _facts(check_in: CheckIn, worker: Worker, programme: Programme, batch: _Batch) -> QuestionFacts:
    return QuestionFacts(
        check_in_id=check_in.pk,
        programme_id=programme.pk,
        worker_id=worker.pk,
        worker_name=worker.name,
        language=check_in.language,
        site_name=worker.site.name,
        sender=sender_of(programme=programme, person=worker.site.account.owner),
        question=question_in(programme.questions, check_in.language),
        is_first=not batch.past[worker.pk].sent,
        now=batch.now,
        proof=batch.proof.get(worker.site_id),
        about=batch.about.get(check_in.about_problem_id) if check_in.about_problem_id else None,
    )
