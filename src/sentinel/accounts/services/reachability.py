"""What we learn about a worker's address from the mail that we send."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction

from sentinel.accounts.models import Worker
from sentinel.accounts.rules import MailState
from sentinel.accounts.services.access import about, locked_worker, require_change
from sentinel.accounts.services.workers import change_worker
from sentinel.people.models import User
from sentinel.people.services import actor_of
from sentinel.timeline.services import ENGINE, Actor, record_event
from sentinel.timeline.verbs import ActorKind, Verb


def mark_bounced(*, worker_id: int, reason: str, now: datetime, complained: bool = False) -> Worker:
    """The address does not work (or its owner complained about our mail): stop, until it is repaired.

    A complaint is stronger than a bounce and is not taken back by a later one. Twice is once.
    """
    state = MailState.COMPLAINED if complained else MailState.BOUNCED
    with transaction.atomic():
        worker = locked_worker(worker_id)
        if worker.mail_state in (state.value, MailState.COMPLAINED.value):
            return worker
        worker.mail_state = state.value
        worker.mail_state_reason = reason.strip()[:500]
        worker.save(update_fields=["mail_state", "mail_state_reason"])
        data = {"state": state.value, "reason": worker.mail_state_reason}
        record_event(verb=Verb.WORKER_BOUNCED, at=now, actor=ENGINE, about=about(worker), data=data)
    return worker


def mark_away(*, worker_id: int, until: date, now: datetime) -> Worker:
    """The worker's own absence note names the first day back; see ``Worker.away_until``. Twice is once."""
    with transaction.atomic():
        # Not the key: whoever stores an answer of this worker at the same moment need not wait.
        rows = Worker.objects.select_for_update(of=("self",), no_key=True).select_related("site__account")
        worker = rows.get(pk=worker_id)
        if worker.away_until == until:
            return worker
        worker.away_until = until
        worker.save(update_fields=["away_until"])
        data = {"until": until.isoformat()}
        actor = Actor(kind=ActorKind.WORKER, id=worker.pk, name=worker.name)
        record_event(verb=Verb.WORKER_AWAY, at=now, actor=actor, about=about(worker), data=data)
    return worker


def mark_back(*, worker_id: int) -> None:
    """Whoever writes by hand is not away, whatever their absence note said."""
    Worker.objects.filter(pk=worker_id, away_until__isnull=False).update(away_until=None)


def repair_address(*, worker_id: int, email: str, now: datetime, user: User | None = None) -> Worker:
    """Enter the right address, or say that the one we have is right: mail goes there again."""
    with transaction.atomic():
        worker = locked_worker(worker_id)
        require_change(user, worker.site.account, now)
        before = worker.email
        was_good = worker.mail_state == MailState.GOOD.value
        worker = change_worker(worker_id=worker_id, email=email, now=now, user=user)
        worker.mail_state, worker.mail_state_reason = MailState.GOOD.value, ""
        worker.save(update_fields=["mail_state", "mail_state_reason"])
        if not was_good:
            data = {"email": [before, worker.email]}
            record_event(
                verb=Verb.WORKER_REPAIRED, at=now, actor=actor_of(user), about=about(worker), data=data
            )
    return worker
