"""Writing findings: seen again, seen anew, over. And telling of them, once."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction

from sentinel.assurance.models import Canary, Finding
from sentinel.assurance.repairs import repair
from sentinel.assurance.rules import Fault
from sentinel.outbox.rules import Priority
from sentinel.outbox.selectors import message_by_key
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.people.rules import Role
from sentinel.people.selectors import active_users_with_role
from sentinel.timeline.services import ENGINE, About, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.telling import console_notice

#: One canary per route and this time.
CANARY_EVERY = timedelta(minutes=5)
KEEP_CANARIES = timedelta(days=7)
ROUTE_OUTBOX = "through the outbox"


def record_findings(*, faults: Collection[Fault], now: datetime) -> list[Finding]:
    """Bring the open findings in line with what was seen: new ones open (and are repaired and told),
    those no longer seen are over. Returns the open ones.

    One transaction; several engines may audit at once, the second waits and sees what the first wrote.
    """
    with transaction.atomic():
        known = {row.key: row for row in Finding.objects.select_for_update().filter(over_at__isnull=True)}
        seen = {fault.key for fault in faults}
        for row in known.values():
            if row.key not in seen:
                row.over_at = now
                row.save(update_fields=["over_at"])
                _record(Verb.FINDING_OVER, row, now)
        return [_seen_again(known[f.key], f, now) if f.key in known else _opened(f, now) for f in faults]


def _seen_again(row: Finding, fault: Fault, now: datetime) -> Finding:
    row.last_seen_at = now
    row.times_seen += 1
    row.words = fault.words
    row.ids = list(fault.ids)
    row.worst_late_seconds = max(row.worst_late_seconds, fault.late_seconds)
    row.save(update_fields=["last_seen_at", "times_seen", "words", "ids", "worst_late_seconds"])
    return row


def _opened(fault: Fault, now: datetime) -> Finding:
    row = Finding.objects.create(
        key=fault.key,
        check_name=fault.check.value,
        grade=fault.grade.value,
        words=fault.words,
        what_to_do=fault.what_to_do,
        ids=list(fault.ids),
        first_seen_at=now,
        last_seen_at=now,
        worst_late_seconds=fault.late_seconds,
        repaired=repair(fault, now=now)[:500],
    )
    _record(Verb.FINDING_OPENED, row, now)
    if fault.is_told:
        _tell(row, now)
    return row


def _record(verb: Verb, row: Finding, now: datetime) -> None:
    data = {"finding": row.pk, "check": row.check_name, "words": row.words, "repaired": row.repaired}
    record_event(verb=verb, at=now, actor=ENGINE, about=About(), data=data)


def _tell(row: Finding, now: datetime) -> None:
    """Tell the administrators in the console. Whoever watches from outside hears it by the missing ping."""
    text = f"{row.what_to_do} {row.repaired}".strip()
    notices = [
        console_notice(
            user,
            key=f"finding:{row.pk}",
            kind="assurance.finding",
            priority=Priority.LADDER,
            title=f"Sentinel: {row.words}",
            text=text,
            path="/health/",
        )
        for user in active_users_with_role(Role.ADMINISTRATOR)
    ]
    enqueue(notices, now=now)
    row.told_at = now
    row.save(update_fields=["told_at"])


def fly_canary(*, now: datetime) -> bool:
    """Send a test message through the outbox when the last one is old enough, and see which have arrived.

    It goes to the console of one administrator, under a kind that no screen shows, by the same claim,
    try and settlement as any alarm. False when there is nobody to send it to.
    """
    with transaction.atomic():
        for bird in Canary.objects.select_for_update(skip_locked=True).filter(arrived_at__isnull=True):
            message = message_by_key(bird.dedupe_key)
            if message is not None and message.settled_at is not None and message.state == "accepted":
                bird.arrived_at = message.settled_at
                bird.save(update_fields=["arrived_at"])
        Canary.objects.filter(sent_at__lt=now - KEEP_CANARIES).delete()
        if Canary.objects.filter(route=ROUTE_OUTBOX, sent_at__gt=now - CANARY_EVERY).exists():
            return False
        keeper = active_users_with_role(Role.ADMINISTRATOR).first()
        if keeper is None:
            return False
        key = f"canary:{now:%Y%m%d%H%M%S}"
        _, created = Canary.objects.get_or_create(
            dedupe_key=key, defaults={"route": ROUTE_OUTBOX, "sent_at": now}
        )
        if created:
            enqueue([_bird(key, keeper.pk)], now=now)
        return created


def _bird(key: str, user_id: int) -> NewMessage:
    return NewMessage(
        dedupe_key=key,
        channel="canary",
        kind="assurance.canary",
        recipient_kind="user",
        recipient_id=user_id,
        priority=Priority.ALARM,
        payload={},
    )
