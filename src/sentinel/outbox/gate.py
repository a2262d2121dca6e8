"""What stands between a decided notice and a user's telephone: storms, limits, mutes.

A held message cannot be claimed. Before each claim the gate looks at what is due on the channel, target by
target, and lets it through, merges it into one picture, or puts it off with the reason in ``waits_for``.
One target is looked at by one engine at a time; what another one looks at is left to it.

What cannot be judged goes through unjudged: one notice too many does no harm, one that waits for ever does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q

from sentinel.kernel.ids import dedupe_key
from sentinel.outbox.bundling import bundle_on_way, bundle_pending, bundle_rows
from sentinel.outbox.crowds import CROWD_WITHIN, HOUR, MINUTE, Heard, Waiting, judge_crowd, room
from sentinel.outbox.limits import limits_of
from sentinel.outbox.models import Message
from sentinel.outbox.mutes import hold_muted, tell_after_mute
from sentinel.outbox.pictures import MOST_LINES, Report, in_order, picture
from sentinel.outbox.rules import WAYS, Priority, State
from sentinel.ui.links import console_url

logger = logging.getLogger(__name__)

#: The notice that stands for a storm. Never merged again: its links would be lost.
PICTURE_KIND = "duty.picture"
#: What people send to themselves.
OWN_KINDS = "contact."
#: So many targets in one turn; the next turn goes on.
_MOST_TARGETS = 200

# Nearly always a target has one notice waiting and heard nothing lately: those need no closer look.
_RELEASE_LONE = """
UPDATE outbox_message SET held = false, released_at = %(now)s, waits_for = ''
WHERE id IN (
    SELECT one.id FROM outbox_message one
    WHERE one.state = 'pending' AND one.held AND one.channel = %(channel)s AND one.visible_at <= %(now)s
      AND NOT EXISTS (
        SELECT FROM outbox_message other
        WHERE other.target = one.target AND other.channel = one.channel AND other.id <> one.id
          AND other.target <> ''
          AND (other.released_at > %(since)s
               OR other.state = 'pending' AND other.held
                  AND (other.visible_at <= %(now)s OR other.waits_for <> '')))
    FOR UPDATE SKIP LOCKED)
"""
_TARGETS = """
SELECT target, min(priority) FROM outbox_message
WHERE state = 'pending' AND held AND channel = %(channel)s AND visible_at <= %(now)s
GROUP BY target ORDER BY min(priority), min(visible_at) LIMIT %(most)s
"""
_ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 20260306))"


def open_gate(*, channel: str, now: datetime) -> None:
    """Decide about everything that is due on a channel to users. Called before each claim."""
    if channel not in WAYS:
        return
    hold_muted(channel=channel, now=now)
    _worked(partial(tell_after_mute, channel=channel, now=now))
    waiting = Message.objects.filter(
        state=State.PENDING.value, held=True, channel=channel, visible_at__lte=now
    )
    if waiting.exists():
        with connection.cursor() as cursor:
            cursor.execute(_RELEASE_LONE, {"now": now, "since": now - HOUR, "channel": channel})
            cursor.execute(_TARGETS, {"now": now, "channel": channel, "most": _MOST_TARGETS})
            targets = [row[0] for row in cursor.fetchall()]
        for target in targets:
            if not _worked(partial(_look_at, channel=channel, target=target, now=now)):
                waiting.filter(target=target).update(held=False, released_at=now, waits_for="")
    if channel == "email":
        _worked(partial(bundle_pending, now=now))


def _worked(judge: Callable[[], object]) -> bool:
    """Whether it could be done; a database that is away is nobody's fault and comes through."""
    try:
        with transaction.atomic():
            judge()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("notices at the gate cannot be judged; they go as they are")
        return False
    return True


def _look_at(*, channel: str, target: str, now: datetime) -> None:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ALONE, [f"{channel}:{target}"])
            if not cursor.fetchone()[0]:
                return
        rows = list(
            Message.objects.select_for_update(skip_locked=True)
            .filter(Q(visible_at__lte=now) | Q(waits_for="crowd"))
            .filter(state=State.PENDING.value, held=True, channel=channel, target=target)
            .order_by("priority", "id")
        )
        passing = [row for row in rows if not row.crowd]
        for crowd in sorted({row.crowd for row in rows if row.crowd}):
            passing += _look_at_crowd([row for row in rows if row.crowd == crowd], now=now)
        if channel != "email":
            passing = bundle_on_way(passing, now=now)
        _let_through(sorted(passing, key=lambda row: (row.priority, row.pk)), now=now)


def _look_at_crowd(rows: Sequence[Message], *, now: datetime) -> list[Message]:
    """Judge one crowd; returns what may pass, a fresh picture among it."""
    pictures = [row for row in rows if row.kind == PICTURE_KIND]  # one that waits for room
    singles = [row for row in rows if row.kind != PICTURE_KIND]
    heard, reports = _heard(rows[0], now=now)
    waiting = [
        Waiting(
            message_id=row.pk, problem_id=row.payload["crowd"]["about"], rank=row.payload["crowd"]["rank"]
        )
        for row in singles
    ]
    if not waiting:
        return pictures
    verdict = judge_crowd(waiting=waiting, heard=heard, now=now)
    by_id = {row.pk: row for row in singles}
    if verdict.put_off:
        Message.objects.filter(pk__in=verdict.put_off).update(visible_at=verdict.until, waits_for="crowd")
    if verdict.merged:
        # The one that goes alone beside the picture stands in the picture, too.
        reports += [_report(by_id[pk]) for pk in verdict.alone]
        pictures.append(_make_picture([by_id[pk] for pk in verdict.merged], told=reports, now=now))
    return [*(by_id[pk] for pk in verdict.alone), *pictures]


def _report(row: Message) -> Report:
    return Report.read(row.payload["crowd"])


def _heard(one: Message, *, now: datetime) -> tuple[Heard, list[Report]]:
    """What this target heard of this crowd lately, on this channel."""
    lately = Q(released_at__gt=now - CROWD_WITHIN)
    waiting_picture = Q(kind=PICTURE_KIND, held=True, state=State.PENDING.value)
    earlier = Message.objects.filter(
        lately | waiting_picture, target=one.target, channel=one.channel, crowd=one.crowd
    ).exclude(state=State.CANCELLED.value)
    reports: dict[int, Report] = {}
    last: Message | None = None
    for row in earlier.order_by("id"):
        if row.kind == PICTURE_KIND:
            last = row
            found = [Report.read(facts) for facts in row.payload["reports"]]
        else:
            found = [_report(row)]
        reports |= {report.about: report for report in found}
    heard = Heard(
        ranks={about: report.rank for about, report in reports.items()},
        picture_at=(last.released_at or last.created_at) if last else None,
        picture_count=len(last.payload["reports"]) if last else 0,
    )
    return heard, list(reports.values())


def _make_picture(rows: Sequence[Message], *, told: Sequence[Report], now: datetime) -> Message:
    """One message for all rows, which become bundled and point to it."""
    newest = max(rows, key=lambda row: row.pk)
    reports = in_order([*told, *(_report(row) for row in rows)])
    first = min(reports, key=lambda report: (report.at, report.about))
    payload = picture(
        newest={key: value for key, value in newest.payload.items() if key != "crowd"},
        reports=reports,
        url=console_url(f"/storms/{first.about}/"),
        channel=newest.channel,
        now=now,
    )
    payload["tag"] = f"storm:{first.about}:{newest.crowd}"  # on a screen the next picture takes its place
    # The words of the first stand in the text; the next picture needs of the others who and how bad.
    payload["reports"] = [
        vars(report if place < MOST_LINES else replace(report, words=""))
        for place, report in enumerate(reports)
    ]
    return bundle_rows(
        rows,
        key=dedupe_key("picture", newest.channel, *sorted({rows[0].pk, newest.pk})),
        kind=PICTURE_KIND,
        payload=payload,
        crowd=newest.crowd,
        now=now,
    )


def _let_through(rows: Sequence[Message], *, now: datetime) -> None:
    """Release what the target takes now; the rest waits for room."""
    if not rows:
        return
    channel, target = rows[0].channel, rows[0].target
    earlier = Message.objects.filter(target=target, channel=channel, released_at__gt=now - HOUR)
    past = list(earlier.exclude(state=State.CANCELLED.value).values_list("released_at", "priority"))
    passed = [at for at, _ in past if at is not None]
    alarmed = any(at and at > now - MINUTE and priority == Priority.ALARM for at, priority in past)
    limits = limits_of(channel)
    for row in rows:
        left, free_at = room(limits=limits, passed=passed, now=now)
        is_alarm = row.priority == Priority.ALARM
        is_first_alarm = is_alarm and not alarmed
        # Codes and tests have limits of their own, and somebody waits for them at the screen.
        if left == 0 and not is_first_alarm and not row.kind.startswith(OWN_KINDS):
            # However full the hour is: the next minute lets an alarm through again.
            until = min(free_at or now, now + MINUTE) if is_alarm else free_at
            Message.objects.filter(pk=row.pk).update(visible_at=until, waits_for="limit")
            continue
        Message.objects.filter(pk=row.pk).update(held=False, released_at=now, waits_for="", visible_at=now)
        passed.append(now)
        alarmed = alarmed or row.priority == Priority.ALARM
