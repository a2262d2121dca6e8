"""A worker marked our mail as spam: stop at once, tell the owner, and brake the account when many do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from sentinel.accounts.models import Account, Worker
from sentinel.accounts.services import mark_bounced, unsubscribe_worker
from sentinel.bulk.selectors import delivered_since
from sentinel.kernel.errors import NotFound
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import enqueue
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.people.selectors import active_users_with_role
from sentinel.standing.messages import ComplaintFacts, RateFacts, StandingNews, complaint_news, rate_news
from sentinel.standing.models import Brake, MailComplaint
from sentinel.standing.rules import Complaints, judge_complaints
from sentinel.standing.selectors import complaints_count_since, complaints_of
from sentinel.standing.services import record_complaint, suppress
from sentinel.standing.states import SuppressedBecause
from sentinel.timeline.services import ENGINE, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import about_worker
from sentinel.workflows.letters import sender_for
from sentinel.workflows.telling import along_ways


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a complaint led to. ``is_new``: False for one that was taken before."""

    is_new: bool
    verdict: Complaints = Complaints.FEW
    brake: Brake | None = None


def worker_complained(
    *, worker_id: int, incoming_id: int | None, source: str, now: datetime, addresses: Iterable[str] = ()
) -> Taken:
    """Act on one complaint about mail to a worker, in one transaction; the same incoming mail counts once.

    The worker is unsubscribed, the address suppressed for good (a roster that brings it back changes
    nothing), and the account's owner told. From the alarm rate on, owner, manager and administrators are
    told; at the stop rate the account's check-ins stand still until an administrator releases them.
    ``source``: who reported it, as people know them; ``addresses``: where the mail had gone, if not only to
    the worker's present address. Raises NotFound for an unknown worker.
    """
    with transaction.atomic():
        worker = Worker.objects.select_related("site__account__owner", "site__account__manager").filter(
            pk=worker_id
        )
        found = worker.select_for_update(of=("self",)).first()
        if found is None:
            raise NotFound("worker_unknown", "There is no such worker.")
        if incoming_id is not None and MailComplaint.objects.filter(incoming_id=incoming_id).exists():
            return Taken(is_new=False)
        _leave_alone(found, addresses, source, now)
        account = found.site.account
        delivered = delivered_since(account.pk, complaints_count_since(account.pk, now))
        brake = record_complaint(
            account_id=account.pk,
            worker_id=found.pk,
            incoming_id=incoming_id,
            source=source,
            delivered=delivered,
            now=now,
        )
        verdict = _tell(found, account, source=source, delivered=delivered, brake=brake, now=now)
        return Taken(is_new=True, verdict=verdict, brake=brake)


def _leave_alone(worker: Worker, addresses: Iterable[str], source: str, now: datetime) -> None:
    record_event(
        verb=Verb.WORKER_COMPLAINED_OF_MAIL,
        at=now,
        actor=ENGINE,
        about=about_worker(worker),
        data={"source": source[:200], "address": worker.email},
    )
    unsubscribe_worker(worker_id=worker.pk, how="complaint", now=now)
    mark_bounced(worker_id=worker.pk, reason=f"marked as spam ({source})", complained=True, now=now)
    for address in sorted({worker.email.lower(), *addresses}):
        suppress(
            address=address,
            because=SuppressedBecause.COMPLAINT,
            note=f"reported by {source}" if source else "",
            account_id=worker.site.account_id,
            worker_id=worker.pk,
            now=now,
        )


def _tell(
    worker: Worker, account: Account, *, source: str, delivered: int, brake: Brake | None, now: datetime
) -> Complaints:
    complaints = complaints_of(account.pk, now)
    # A mail provider may report one reader twice; the count makes each notice one of its own.
    key = f"complaint:{worker.pk}:{MailComplaint.objects.filter(worker_id=worker.pk).count()}"
    for user in _owner_or_administrators(account):
        one = ComplaintFacts(
            sender=sender_for(account.owner),
            language=user.language,
            worker_id=worker.pk,
            worker_name=worker.name,
            account_name=account.name,
            source=source,
        )
        _enqueue(user, complaint_news(one), key=key, account=account, is_urgent=False, now=now)
    verdict = judge_complaints(complaints=complaints, delivered=delivered)
    # While the brake is on, further complaints (about what was on its way) repeat nothing.
    if verdict is Complaints.FEW or (verdict is Complaints.STOP and brake is None):
        return verdict
    rate_key = f"brake:{brake.pk}" if brake else f"complaint_alarm:{account.pk}:{now:%Y-%m-%d}"
    for user in _who_hears(account):
        many = RateFacts(
            sender=sender_for(account.owner),
            language=user.language,
            account_id=account.pk,
            account_name=account.name,
            complaints=complaints,
            delivered=delivered,
            is_stopped=brake is not None,
        )
        _enqueue(user, rate_news(many), key=rate_key, account=account, is_urgent=brake is not None, now=now)
    return verdict


def _owner_or_administrators(account: Account) -> list[User]:
    return [account.owner] if account.owner.is_active else list(active_users_with_role(Role.ADMINISTRATOR))


def _who_hears(account: Account) -> Iterable[User]:
    named = [user for user in (account.owner, account.manager) if user is not None and user.is_active]
    everybody = [*named, *active_users_with_role(Role.ADMINISTRATOR)]
    return {user.pk: user for user in everybody}.values()


def _enqueue(
    user: User, news: StandingNews, *, key: str, account: Account, is_urgent: bool, now: datetime
) -> None:
    """One console notice at once, the same along their ways; an urgent one waits for no working hours."""
    messages = along_ways(
        user,
        key=key,
        kind="standing.complaint",
        priority=Priority.LADDER if is_urgent else Priority.NOTICE,
        said=news.console_payload(),
        mail=dict(news.mail.payload()),
        account_id=account.pk,
        is_urgent=is_urgent,
        now=now,
    )
    enqueue(messages, now=now)
