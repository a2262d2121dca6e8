"""What automatic visitors do at each receiving domain: learned from the journal, never while a page opens.

Opening a link writes its line of the journal and nothing else; this reads the journal an hour later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from itertools import takewhile

from django.db import transaction

from sentinel.accounts.models import Worker
from sentinel.bulk.models import Delivery
from sentinel.bulk.states import DeliveryState
from sentinel.checkins.models import CheckIn, LinkVisit, Response
from sentinel.checkins.rules import Evidence
from sentinel.outbox.selectors import was_mailed_since
from sentinel.standing.models import HabitMark
from sentinel.standing.rules import (
    AT_ONCE,
    PRESSES_TO_DOUBT,
    Opening,
    Seen,
    completes_both_faces,
    domain_of,
    is_doubtful_here,
    seen_in,
)
from sentinel.standing.selectors import habit_of
from sentinel.standing.services import count_habits, habit_mark

#: Until then a human may still override what looked like a robot, and every transaction has ended.
SETTLED_AFTER = timedelta(hours=1)
#: Whoever takes the plain step this soon after a press is the person who pressed.
_SAME_PERSON = timedelta(minutes=10)


def is_doubtful(check_in: CheckIn, now: datetime) -> bool:
    """Whether a press without words on this check-in proves little: it came within a minute of sending,
    at a domain whose scanners were seen pressing buttons."""
    sent_at = handed_over_at([check_in]).get(check_in.pk)
    habit = habit_of(check_in.worker.email)
    presses = habit.presses_set_aside if habit else 0
    return is_doubtful_here(presses_set_aside=presses, sent_at=sent_at, now=now)


def is_doubtful_worker(worker: Worker, now: datetime) -> bool:
    """The same for any other page: some mail to this worker left within the last minute."""
    habit = habit_of(worker.email)
    if habit is None or habit.presses_set_aside < PRESSES_TO_DOUBT:
        return False
    since = now - AT_ONCE
    return (
        was_mailed_since(recipient_kind="worker", recipient_id=worker.pk, since=since)
        or CheckIn.objects.filter(worker=worker, sent_at__gte=since).exists()
        or Delivery.objects.filter(worker_id=worker.pk, settled_at__gte=since).exists()
    )


def handed_over_at(check_ins: Collection[CheckIn]) -> dict[int, datetime]:
    """When each check-in's mail was handed to a mail server, as exactly as it is known."""
    known = {check_in.pk: check_in.sent_at for check_in in check_ins if check_in.sent_at is not None}
    settled = Delivery.objects.filter(
        check_in_id__in=list(known), state=DeliveryState.SENT.value, settled_at__isnull=False
    )
    exact = {row.check_in_id: row.settled_at for row in settled if row.settled_at is not None}
    return known | exact


def learn_scanner_habits(*, now: datetime, limit: int = 2_000) -> int:
    """Count what up to ``limit`` openings and as many answers say about their domains; returns how many
    were read. One transaction moves the mark with the counts, so that nothing is counted twice."""
    with transaction.atomic():
        mark = habit_mark()
        if mark is None:
            return 0
        seen: dict[str, Seen] = defaultdict(Seen)
        openings = _next_openings(mark, now, limit)
        for opening in openings:
            seen[opening.domain] += seen_in(opening)
        for domain in _both_faces(openings):
            seen[domain] += Seen(both_faces=1)
        answers = _next_answers(mark, now, limit)
        for answer in answers:
            seen[domain_of(answer.worker.email)] += _seen_in_answer(answer)
        if openings:
            mark.visits_to = openings[-1].id
        if answers:
            mark.responses_to = answers[-1].pk
        if openings or answers:
            count_habits(seen={d: s for d, s in seen.items() if d and s != Seen()}, mark=mark, now=now)
        return len(openings) + len(answers)


def _next_openings(mark: HabitMark, now: datetime, limit: int) -> list[Opening]:
    rows = LinkVisit.objects.filter(pk__gt=mark.visits_to).select_related("check_in__worker").order_by("pk")
    # Stop at the first young one: what lies behind it is read in a later turn, nothing is skipped.
    settled = list(takewhile(lambda visit: visit.at <= now - SETTLED_AFTER, rows[:limit]))
    return _openings(settled)


def _openings(visits: Iterable[LinkVisit]) -> list[Opening]:
    visits = list(visits)
    sent = handed_over_at(list({visit.check_in_id: visit.check_in for visit in visits}.values()))
    return [
        Opening(
            id=visit.pk,
            check_in_id=visit.check_in_id,
            domain=domain_of(visit.check_in.worker.email),
            at=visit.at,
            method=visit.method,
            target=visit.target,
            sent_at=sent.get(visit.check_in_id),
        )
        for visit in visits
    ]


def _both_faces(openings: Collection[Opening]) -> list[str]:
    """The domain of each check-in whose two faces were first open together by one of these openings."""
    by_check_in: dict[int, list[Opening]] = defaultdict(list)
    rows = LinkVisit.objects.filter(check_in__in={opening.check_in_id for opening in openings})
    for opening in _openings(rows.select_related("check_in__worker").order_by("pk")):
        by_check_in[opening.check_in_id].append(opening)
    new = {opening.id: opening.domain for opening in openings}
    completed = (completes_both_faces(group) for group in by_check_in.values())
    return [new[number] for number in completed if number in new]


def _next_answers(mark: HabitMark, now: datetime, limit: int) -> list[Response]:
    rows = Response.objects.filter(pk__gt=mark.responses_to).select_related("worker", "superseded_by")
    rows = rows.order_by("pk")
    return list(takewhile(lambda answer: answer.received_at <= now - SETTLED_AFTER, rows[:limit]))


def _seen_in_answer(answer: Response) -> Seen:
    if answer.evidence == Evidence.VERIFIED.value:
        return Seen(human_answers=1)
    if answer.evidence != Evidence.ROBOT.value:
        return Seen()
    return Seen() if _was_vouched_for(answer) else Seen(presses_set_aside=1)


def _was_vouched_for(answer: Response) -> bool:
    """A person without JavaScript, or with a hasty thumb, begins like a robot, then takes the plain step."""
    later = answer.superseded_by
    return (
        later is not None
        and "plain step passed" in later.evidence_reasons
        and later.received_at - answer.received_at <= _SAME_PERSON
    )
