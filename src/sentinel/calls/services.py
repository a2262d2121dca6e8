"""Writing placed calls. Workflows add the duty, the timeline and the notices.

Whoever changes a call holds the lock of its problem's row first, then the call's own; a test has no problem.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, connection, transaction

from sentinel.calls.errors import CallRefused
from sentinel.calls.models import CallStep, PlacedCall
from sentinel.calls.rules import CallEvent, CallState, EndReason, Provider, WhyNot, rank
from sentinel.kernel.errors import NotFound
from sentinel.kernel.ids import new_token
from sentinel.people.models import User
from sentinel.problems.models import Call, Problem

#: PostgreSQL channel that tells engines about wishes to hang up; a hint, never the carrier.
HANG_UP = "sentinel_calls"
_LONGEST_DETAIL = 300


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What an event meant. ``is_news``: the call came further. ``is_first``: nobody had said so before, be it
    that this came late."""

    is_news: bool
    is_first: bool
    at: datetime


def store_placed_call(
    *,
    problem: Problem | None,
    user: User,
    provider: Provider,
    owner_number: str,
    worker_number: str,
    now: datetime,
) -> PlacedCall:
    """Insert a call that is wanted; without a problem and a worker's number a test. CallRefused (talking)
    when the problem or the user has one going on: the database decides, whoever asked at the same time."""
    try:
        with transaction.atomic():
            return PlacedCall.objects.create(
                key=new_token(),
                problem=problem,
                user=user,
                provider=provider.value,
                owner_number=owner_number,
                worker_number=worker_number,
                requested_at=now,
                changed_at=now,
                seen_at=now,
            )
    except IntegrityError:
        raise CallRefused(WhyNot.TALKING) from None


def lock_call(call_id: int) -> PlacedCall:
    """The call, its row locked until commit. Raises NotFound."""
    call = (
        PlacedCall.objects.select_for_update(of=("self",))
        .select_related("user__calendar")
        .filter(pk=call_id)
        .first()
    )
    if call is None:
        raise NotFound("call_unknown", "There is no such call.")
    return call


def take_event(*, call: PlacedCall, event: CallEvent, now: datetime) -> Taken | None:
    """Store what a provider said and let the call come as far as it says; None for a repeat.

    A state of a lower or the same rank changes nothing, nor does anything after the end, nor what a placing
    says that was given up. The call must be locked.
    """
    if CallStep.objects.filter(call=call, event_id=event.event_id).exists():
        return None
    at = max(call.requested_at, min(event.at, now))
    is_first = not CallStep.objects.filter(call=call, state=event.state.value).exists()
    is_ours = not (event.ref and call.provider_ref) or event.ref == call.provider_ref
    is_news = is_ours and call.is_going_on and rank(event.state) > rank(CallState(call.state))
    CallStep.objects.create(
        call=call,
        event_id=event.event_id,
        state=event.state.value,
        leg=event.leg.value if event.leg else "",
        at=at,
        detail=_short(event.detail),
        is_news=is_news,
    )
    if is_ours and call.is_going_on:
        _advance(call, event, at=at, is_news=is_news, now=now)
    return Taken(is_news=is_news, is_first=is_first and is_ours, at=at)


def _advance(call: PlacedCall, event: CallEvent, *, at: datetime, is_news: bool, now: datetime) -> None:
    call.provider_ref = call.provider_ref or event.ref
    call.seen_at = now
    if event.detail and (is_news or event.state.value == call.state):
        call.detail = _short(event.detail)
    if is_news:
        call.state, call.changed_at = event.state.value, at
        if event.state is CallState.BRIDGED:
            call.bridged_at = at
        elif event.state is CallState.ENDED:
            _end(call, event, at=at)
    call.save()


def _end(call: PlacedCall, event: CallEvent, *, at: datetime) -> None:
    reason = event.reason or EndReason.FAILED
    call.ended_at, call.reason = at, reason.value
    call.talk_seconds = max(0, event.talk_seconds)
    if reason is not EndReason.COMPLETED:
        call.failed_leg = event.leg.value if event.leg else ""
    elif call.bridged_at is None:  # that news is late, or lost
        call.bridged_at = max(call.requested_at, at - timedelta(seconds=call.talk_seconds))
    elif not call.talk_seconds:
        call.talk_seconds = max(0, int((at - call.bridged_at).total_seconds()))


def begin_placing(*, call: PlacedCall, now: datetime) -> None:
    """A provider is about to be asked. Written down before, so that whoever takes over knows of it."""
    call.placing_at = call.seen_at = now
    call.save(update_fields=["placing_at", "seen_at"])


def take_back_placing(*, call: PlacedCall) -> None:
    """The provider has refused for the moment: nothing rings, and it may be asked again."""
    call.placing_at = None
    call.save(update_fields=["placing_at"])


def name_call(*, call: PlacedCall, ref: str, now: datetime) -> None:
    """The provider has accepted the call and calls it ``ref``."""
    if call.is_going_on and not call.provider_ref:
        call.provider_ref, call.seen_at = ref[:200], now
        call.save(update_fields=["provider_ref", "seen_at"])


def keep_in_sight(refs: Iterable[str], *, provider: str, now: datetime) -> int:
    """A provider still knows these calls; returns how many."""
    rows = PlacedCall.objects.filter(ended_at=None, provider=provider, provider_ref__in=list(refs))
    return rows.update(seen_at=now)


def ask_to_hang_up(*, call: PlacedCall, now: datetime) -> None:
    """Wish the end of a call; the engine that holds it hears of it with the commit."""
    call.hang_up_asked_at = call.hang_up_asked_at or now
    call.save(update_fields=["hang_up_asked_at"])
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [HANG_UP, str(call.pk)])


def settle_outcome(*, call: PlacedCall, outcome: Call) -> None:
    """What came of a placed call."""
    call.outcome = outcome
    call.save(update_fields=["outcome"])


def _short(detail: str) -> str:
    return detail.replace("\0", "")[:_LONGEST_DETAIL]
