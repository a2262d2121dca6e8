"""Check-ins that no mail server took become visible: in the history, on the timeline, to the owner."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from sentinel.accounts.models import Account
from sentinel.accounts.services.reachability import mark_bounced
from sentinel.bulk.models import Delivery, DomainLane
from sentinel.bulk.refusals import refuses_address
from sentinel.bulk.selectors import lanes_to_report, unreported_failures
from sentinel.bulk.services import mark_lanes_reported, mark_reported
from sentinel.checkins.services import mark_undelivered
from sentinel.outbox.rules import Priority
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.people.selectors import active_users_with_role
from sentinel.timeline.services import ENGINE, About, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.telling import console_notice

#: So many of the addresses stand in a notice; the rest is a number.
NAMED = 5


def report_deliveries(*, now: datetime, limit: int = 500) -> int:
    """Report up to ``limit`` deliveries that failed for good, and domains that stopped; returns how many.

    One transaction: the check-in counts as never asked, a refused address is marked as bounced (the
    owner's repair task), the timeline keeps the mail server's words, and each account's owner, else the
    administrators, get one notice per batch. Administrators hear of every domain that stopped by itself.
    """
    with transaction.atomic():
        failed = list(unreported_failures().select_for_update(skip_locked=True)[:limit])
        lanes = list(lanes_to_report().select_for_update(skip_locked=True))
        if not failed and not lanes:
            return 0
        mark_undelivered([delivery.check_in_id for delivery in failed])
        by_account: dict[int, list[Delivery]] = defaultdict(list)
        for delivery in failed:
            by_account[delivery.account_id].append(delivery)
        administrators = list(active_users_with_role(Role.ADMINISTRATOR))
        messages = [
            notice
            for account_id, deliveries in sorted(by_account.items())
            for notice in _report_account(account_id, deliveries, administrators, now)
        ]
        messages += [notice for lane in lanes for notice in _report_lane(lane, administrators, now)]
        mark_reported([delivery.pk for delivery in failed], now=now)
        mark_lanes_reported([lane.domain for lane in lanes], now=now)
        enqueue(messages, now=now)
        return len(failed) + len(lanes)


def _report_account(
    account_id: int, deliveries: list[Delivery], administrators: list[User], now: datetime
) -> Iterable[NewMessage]:
    for delivery in deliveries:
        words = answer_words(delivery)
        if refuses_address(code=delivery.code, enhanced=delivery.enhanced, answer=delivery.answer):
            mark_bounced(worker_id=delivery.worker_id, reason=words, now=now)
        record_event(
            verb=Verb.DELIVERY_FAILED,
            at=now,
            actor=ENGINE,
            about=About(account_id=account_id, worker_id=delivery.worker_id),
            data={
                "check_in_id": delivery.check_in_id,
                "delivery_id": delivery.pk,
                "to": delivery.address,
                "answer": words,
                "tries": delivery.attempts,
            },
        )
    account = Account.objects.select_related("owner").filter(pk=account_id).first()
    owner = account.owner if account is not None and account.owner.is_active else None
    return [
        _notice(deliveries, account=account, user=user) for user in ([owner] if owner else administrators)
    ]


def _notice(deliveries: list[Delivery], *, account: Account | None, user: User) -> NewMessage:
    first, count = deliveries[0], len(deliveries)
    lines = [f"{d.name} <{d.address}>: {answer_words(d)}" for d in deliveries[:NAMED]]
    if count > NAMED:
        lines.append(f"and {count - NAMED} more")
    where = f" at {account.name}" if account else ""
    title = (
        f"The check-in to {first.name}{where} did not arrive"
        if count == 1
        else f"{count} check-ins{where} did not arrive"
    )
    return console_notice(
        user,
        key=f"undelivered:{first.pk}:{first.settled_at:%Y%m%d%H%M%S}",
        kind="delivery.failed",
        priority=Priority.NOTICE,
        title=title,
        text="\n".join(lines),
        path=f"/accounts/{account.pk}/" if account else "/notices/",
        account_id=account.pk if account else None,
    )


def _report_lane(lane: DomainLane, administrators: list[User], now: datetime) -> Iterable[NewMessage]:
    record_event(
        verb=Verb.LANE_PAUSED,
        at=now,
        actor=ENGINE,
        about=About(),
        data={"domain": lane.domain, "reason": lane.paused_reason},
    )
    stamp = f"{lane.paused_at:%Y%m%d%H%M%S}"
    return [
        console_notice(
            user,
            key=f"lane:{lane.domain[:80]}:{stamp}",
            kind="lane.paused",
            priority=Priority.LADDER,
            title=f"{lane.domain} blocks our mail",
            text=f"No check-in goes there until somebody lets it. The mail server said: "
            f"{lane.paused_reason or 'nothing'}",
            path="/mail/domains/",
        )
        for user in administrators
    ]


def answer_words(delivery: Delivery) -> str:
    """The mail server's last words, with its codes."""
    code = str(delivery.code) if delivery.code is not None else ""
    words = " ".join(part for part in (code, delivery.enhanced, delivery.answer) if part)
    return words or "no mail server answered"
