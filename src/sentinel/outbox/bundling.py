"""Merging what would otherwise be a burst of mail to one person. The first notice is never held back."""

from __future__ import annotations

from datetime import datetime

from django.db import connection, transaction

from sentinel.kernel.ids import dedupe_key
from sentinel.outbox.messages import Line, merged_mail
from sentinel.outbox.models import Message
from sentinel.outbox.rules import BUNDLE_WITHIN, FEWEST_TO_BUNDLE, Priority, State
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.ui.links import console_url

#: The only kind that is merged: notices to users about duties.
BUNDLED_KIND = "duty.notice"
#: The mail that tells of several. Never merged again: its links would be lost in the second merging.
MERGED_KIND = "duty.notices"

_CROWDED = """
SELECT waiting.recipient_id, waiting.address
FROM outbox_message waiting
WHERE waiting.state = 'pending' AND waiting.kind = %(kind)s AND waiting.channel = 'email'
  AND waiting.recipient_kind = 'user' AND waiting.attempts = 0 AND waiting.visible_at <= %(now)s
GROUP BY waiting.recipient_id, waiting.address
HAVING count(*) >= %(fewest)s AND EXISTS (
    SELECT FROM outbox_message told
    WHERE told.recipient_kind = 'user' AND told.recipient_id = waiting.recipient_id
      AND told.channel = 'email' AND told.kind IN (%(kind)s, %(merged)s)
      AND (told.state = 'sending'
           OR told.state IN ('accepted', 'delivered') AND told.settled_at > %(since)s))
"""


def bundle_pending(*, now: datetime) -> int:
    """Merge waiting duty notices of users who got one a moment ago. Returns how many were merged away.

    Nothing waits for this: it merges only what is due and unsent at this moment, into a mail that is
    due at this moment. The merged ones become ``bundled`` and point to the mail that tells of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _CROWDED,
            {
                "kind": BUNDLED_KIND,
                "merged": MERGED_KIND,
                "now": now,
                "since": now - BUNDLE_WITHIN,
                "fewest": FEWEST_TO_BUNDLE,
            },
        )
        crowded = cursor.fetchall()
    return sum(_bundle(recipient_id=user, address=address, now=now) for user, address in crowded)


def _bundle(*, recipient_id: int, address: str, now: datetime) -> int:
    with transaction.atomic():
        rows = list(
            Message.objects.select_for_update(skip_locked=True)
            .filter(
                state=State.PENDING.value,
                channel="email",
                kind=BUNDLED_KIND,
                recipient_kind="user",
                recipient_id=recipient_id,
                address=address,
                attempts=0,
                visible_at__lte=now,
            )
            .order_by("priority", "id")
        )
        # Another engine may have claimed or merged some of them since they were counted.
        if len(rows) < FEWEST_TO_BUNDLE:
            return 0
        lines = [Line(title=str(row.payload.get("subject", row.kind)), url=_where(row)) for row in rows]
        key = dedupe_key("bundle", "user", recipient_id, *sorted(row.pk for row in (rows[0], rows[-1])))
        enqueue(
            [
                NewMessage(
                    dedupe_key=key,
                    channel="email",
                    kind=MERGED_KIND,
                    recipient_kind="user",
                    recipient_id=recipient_id,
                    address=address,
                    priority=Priority(min(row.priority for row in rows)),
                    payload=merged_mail(newest=rows[-1].payload, lines=lines),
                    account_id=_common([row.account_id for row in rows]),
                    problem_id=None,
                )
            ],
            now=now,
        )
        merged = Message.objects.get(dedupe_key=key)
        return Message.objects.filter(pk__in=[row.pk for row in rows]).update(
            state=State.BUNDLED.value, settled_at=now, bundle=merged
        )


def _where(row: Message) -> str:
    return console_url(f"/problems/{row.problem_id}/") if row.problem_id is not None else ""


def _common(ids: list[int | None]) -> int | None:
    """The account all are about, if it is one: the merged mail is about no single problem."""
    return ids[0] if len(set(ids)) == 1 else None
