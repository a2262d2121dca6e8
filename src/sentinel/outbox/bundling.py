"""Merging what would otherwise be a burst to one person. The first notice is never held back.

The merged ones become ``bundled`` and point to the message that tells of them. That one carries on what they
asked for: their later ways are taken back, or let go at once, as theirs would have been.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from sentinel.kernel.ids import dedupe_key
from sentinel.outbox.messages import Line, merged_mail, merged_on_way
from sentinel.outbox.models import Message
from sentinel.outbox.rules import BUNDLE_WITHIN, FEWEST_TO_BUNDLE, Priority, State
from sentinel.outbox.services import NewMessage, enqueue
from sentinel.ui.links import console_url

#: The only kind that is merged: notices to users about duties.
BUNDLED_KIND = "duty.notice"
#: The message that tells of several. Never merged again: its links would be lost in the second merging.
MERGED_KIND = "duty.notices"

_CROWDED = """
SELECT waiting.recipient_id, waiting.address
FROM outbox_message waiting
WHERE waiting.state = 'pending' AND waiting.kind = %(kind)s AND waiting.channel = 'email'
  AND waiting.recipient_kind = 'user' AND waiting.attempts = 0 AND waiting.visible_at <= %(now)s
  AND NOT waiting.held
GROUP BY waiting.recipient_id, waiting.address
HAVING count(*) >= %(fewest)s AND EXISTS (
    SELECT FROM outbox_message told
    WHERE told.recipient_kind = 'user' AND told.recipient_id = waiting.recipient_id
      AND told.channel = 'email' AND told.kind IN (%(kind)s, %(merged)s)
      AND (told.state = 'sending'
           OR told.state IN ('accepted', 'delivered') AND told.settled_at > %(since)s))
"""


def bundle_pending(*, now: datetime) -> int:
    """Merge waiting duty mails of users who got one a moment ago. Returns how many were merged away.

    Nothing waits for this: it merges only what is due and unsent at this moment, into a mail that is
    due at this moment.
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
                held=False,
                visible_at__lte=now,
            )
            .order_by("priority", "id")
        )
        # Another engine may have claimed or merged some of them since they were counted.
        if len(rows) < FEWEST_TO_BUNDLE:
            return 0
        merged = merge(rows, now=now)
        # These have passed the gate, and so has what stands for them.
        Message.objects.filter(pk=merged.pk).update(held=False, released_at=now)
        return len(rows)


def bundle_on_way(passing: Sequence[Message], *, now: datetime) -> list[Message]:
    """Of what goes to one push, chat or webhook at this moment: the first alone, the others as one.

    Nothing goes first when this target got a notice a moment ago. The caller has locked the rows.
    """
    notices = [row for row in passing if row.kind == BUNDLED_KIND]
    others = [row for row in passing if row.kind != BUNDLED_KIND]
    if len(notices) < FEWEST_TO_BUNDLE:
        return list(passing)
    notices.sort(key=lambda row: (row.priority, row.pk))
    told = Message.objects.filter(
        target=notices[0].target, channel=notices[0].channel, released_at__gt=now - BUNDLE_WITHIN
    )
    if not told.exclude(state=State.CANCELLED.value).exists():
        others.append(notices.pop(0))
    if len(notices) < FEWEST_TO_BUNDLE:
        return [*others, *notices]
    return [*others, merge(notices, now=now)]


def merge(rows: Sequence[Message], *, now: datetime, opening: str = "") -> Message:
    """One message with a line and a link for each of ``rows``, which become bundled.

    ``opening``: why they come together, when that is not that they came at the same time.
    """
    lines = [
        Line(title=str(row.payload.get("subject") or row.payload.get("title") or row.kind), url=_where(row))
        for row in rows
    ]
    newest = rows[-1].payload
    if rows[0].channel == "email":
        payload = merged_mail(newest=newest, lines=lines, opening=opening)
    else:
        payload = merged_on_way(newest=newest, lines=lines, url=console_url("/notices/"), opening=opening)
    payload.pop("crowd", None)
    key = dedupe_key("bundle", "user", rows[0].recipient_id, *sorted((rows[0].pk, rows[-1].pk)))
    return bundle_rows(rows, key=key, kind=MERGED_KIND, payload=payload, crowd="", now=now)


def bundle_rows(
    rows: Sequence[Message], *, key: str, kind: str, payload: dict[str, Any], crowd: str, now: datetime
) -> Message:
    """Enqueue the message that stands for ``rows`` and let them point to it. Returns it."""
    one = rows[0]
    enqueue(
        [
            NewMessage(
                dedupe_key=key,
                channel=one.channel,
                kind=kind,
                recipient_kind="user",
                recipient_id=one.recipient_id,
                address=one.address,
                priority=Priority(min(row.priority for row in rows)),
                payload={**payload, **_further([row.payload for row in rows])},
                account_id=_common([row.account_id for row in rows]),
                problem_id=None,
                crowd=crowd,
            )
        ],
        now=now,
    )
    merged = Message.objects.get(dedupe_key=key)
    Message.objects.filter(pk__in=[row.pk for row in rows]).update(
        state=State.BUNDLED.value, settled_at=now, bundle=merged, held=False, waits_for=""
    )
    return merged


def _further(payloads: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The later ways of all of them. ``next``: the first of each, to go at once when this one fails."""
    named = [list(payload.get("further") or ()) for payload in payloads]
    further = [key for keys in named for key in keys]
    return {
        "further": further,
        "next": [keys[0] for keys in named if keys],
        "insists": any(payload.get("insists") for payload in payloads),
        "wait": 0,
    }


def _where(row: Message) -> str:
    return console_url(f"/problems/{row.problem_id}/") if row.problem_id is not None else ""


def _common(ids: list[int | None]) -> int | None:
    """The account all are about, if it is one: the merged message is about no single problem."""
    return ids[0] if len(set(ids)) == 1 else None
