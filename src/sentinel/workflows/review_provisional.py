"""A frown nobody can vouch for becomes a quiet line for the owner, never an alarm."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.checkins.models import Response
from sentinel.checkins.selectors import unvouched_frowns
from sentinel.checkins.services import raise_please_check
from sentinel.escalation.messages import PleaseCheckFacts, please_check_notice
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.timeline.services import ENGINE, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_worker


def review_provisional(*, now: datetime, limit: int = 100) -> int:
    """Ask owners to look at provisional frowns that nothing contradicted for a quarter of an hour.

    Returns how many were raised. Console only: a scanner's click must not ring anybody's telephone.
    """
    with transaction.atomic():
        frowns = list(unvouched_frowns(now).select_for_update(of=("self",), skip_locked=True)[:limit])
        for response in frowns:
            _raise(response, now)
    return len(frowns)


def _raise(response: Response, now: datetime) -> None:
    worker = response.worker
    account, owner = worker.site.account, worker.site.account.owner
    check = raise_please_check(response=response, now=now)
    notice = please_check_notice(
        PleaseCheckFacts(
            please_check_id=check.pk,
            recipient_language=owner.language,
            worker_name=worker.name,
            account_name=account.name,
            site_name=worker.site.name,
            now=now,
        )
    )
    enqueue(
        [
            NewMessage(
                dedupe_key=f"please_check:{check.pk}:{owner.pk}:console",
                channel="console",
                kind="please_check.raised",
                recipient_kind="user",
                recipient_id=owner.pk,
                priority=Priority.NOTICE,
                payload=dict(notice.payload()),
                account_id=account.pk,
            )
        ],
        now=now,
    )
    record_event(
        verb=Verb.PLEASE_CHECK_RAISED,
        at=now,
        actor=ENGINE,
        about=about_worker(worker),
        data={"response": response.pk, "please_check": check.pk},
    )
