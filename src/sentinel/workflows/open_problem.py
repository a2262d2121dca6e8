"""A frown becomes a problem: ticket, frozen ladder, first duty, timeline and messages, or nothing (L2)."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from django.db import transaction

from sentinel.accounts.models import Worker
from sentinel.accounts.selectors import accounts_visible_to
from sentinel.accounts.services.reachability import mark_back
from sentinel.checkins.models import Response
from sentinel.checkins.rules import Severity
from sentinel.escalation.messages import Reason
from sentinel.escalation.models import Duty
from sentinel.escalation.rules import DutyKind, PolicyFacts, RungFacts, acknowledge_due, call_due
from sentinel.escalation.selectors import accountable_for, heat_of, hours_for, people_on, policy_of
from sentinel.escalation.services import freeze_policy, set_duty
from sentinel.kernel import traces
from sentinel.kernel.errors import NotFound
from sentinel.people.models import User
from sentinel.people.presence import PeopleAt
from sentinel.problems.messages import ReceiptFacts, problem_receipt
from sentinel.problems.models import Problem
from sentinel.problems.services import create_problem
from sentinel.timeline.services import Actor, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_problem, user_actor, worker_actor
from sentinel.workflows.letters import letterhead, mail_worker
from sentinel.workflows.notices import News, tell_users

logger = logging.getLogger(__name__)


def open_problem(
    *,
    worker: Worker,
    response: Response | None,
    words: str,
    severity: Severity,
    now: datetime,
    actor: Actor | None = None,
    note: str = "",
) -> Problem:
    """Open the problem of one worker and start its loop. Everything commits together.

    The owner (or whoever stands in) is told at once and owes an acknowledgement, then a call.
    ``note`` (for that notice): what came with the words, such as pictures.
    """
    with transaction.atomic():
        problem = create_problem(
            worker=worker,
            response=response,
            words=words,
            severity=severity,
            owner=worker.site.account.owner,
            now=now,
        )
        people = PeopleAt(now)
        policy = freeze_policy(problem=problem, is_first=True, now=now)
        duty = _owe_acknowledgement(problem, policy=policy, people=people, now=now)
        record_event(
            verb=Verb.PROBLEM_OPENED,
            at=now,
            actor=actor or worker_actor(worker),
            about=about_problem(problem),
            data={
                "words": words,
                "severity": severity.value,
                "owner": str(problem.owner),
                "accountable": str(duty.accountable),
                "due_at": duty.due_at.isoformat(),
            },
        )
        if actor is None and worker.away_until is not None:
            mark_back(worker_id=worker.pk)  # whoever reports it is there, whatever an absence note said
        _tell_first(problem, first=policy.rungs[0], duty=duty, note=note, people=people, now=now)
        _send_receipt(problem, duty=duty, policy=policy, now=now)
        traces.follow(problem.pk)
        transaction.on_commit(partial(traces.say, logger, "problem opened", problem_id=problem.pk))
    return problem


def _owe_acknowledgement(problem: Problem, *, policy: PolicyFacts, people: PeopleAt, now: datetime) -> Duty:
    accountable = accountable_for(owner=problem.owner, account=problem.account, now=now, people=people)
    hours = hours_for(kind=DutyKind.ACKNOWLEDGE, accountable=accountable, site=problem.site)
    due_at = acknowledge_due(policy=policy, heat=heat_of(problem), hours=hours, now=now)
    return set_duty(
        problem=problem, kind=DutyKind.ACKNOWLEDGE, accountable=accountable, due_at=due_at, now=now
    )


def _tell_first(
    problem: Problem, *, first: RungFacts, duty: Duty, note: str, people: PeopleAt, now: datetime
) -> None:
    """Rung 0: the owner, or whoever stands in, hears of it in the frown's own transaction."""
    users = people_on(
        audience=first.audience,
        account=problem.account,
        owner=problem.owner,
        accountable=duty.accountable,
        now=now,
        people=people,
    )
    news = News(
        reason=Reason.NEW,
        key=f"opened:{problem.pk}",
        note=note,
        breaks_quiet_hours=first.breaks_quiet_hours,
    )
    tell_users(problem, users=users, duty=duty, news=news, now=now)


def expected_call_by(
    problem: Problem, *, accountable: User, now: datetime, policy: PolicyFacts | None = None
) -> datetime | None:
    """By when the worker is called at the latest, as promised on the thank-you page and in the receipt;
    None when they want no call. ``policy``: the problem's own, for whoever has read it already."""
    if not problem.may_call:
        return None
    hours = hours_for(kind=DutyKind.CALL, accountable=accountable, site=problem.site)
    return call_due(
        policy=policy or policy_of(problem),
        heat=heat_of(problem),
        hours=hours,
        since=problem.opened_at,
        now=now,
    )


def _send_receipt(problem: Problem, *, duty: Duty, policy: PolicyFacts, now: datetime) -> None:
    person = duty.accountable
    receipt = problem_receipt(
        ReceiptFacts(
            head=letterhead(problem, person=person, now=now),
            call_by=expected_call_by(problem, accountable=person, policy=policy, now=now),
            number=problem.call_number,
        )
    )
    mail_worker(problem, kind="problem.receipt", mail=receipt, key="receipt", now=now)


def open_problem_for(*, user: User, worker_id: int, words: str, severity: Severity, now: datetime) -> Problem:
    """A user who sees the account enters what a worker told them (on the telephone, at a visit)."""
    visible = accounts_visible_to(user, now)
    worker = (
        Worker.objects.select_related("site__account__owner", "site__calendar")
        .filter(pk=worker_id, site__account__in=visible)
        .first()
    )
    if worker is None:
        raise NotFound("worker_unknown", "There is no such worker.")
    return open_problem(
        worker=worker, response=None, words=words.strip(), severity=severity, now=now, actor=user_actor(user)
    )
