"""The officers' rota among officers: asking another to take a day, and the note to whoever comes next.

A question changes nothing; the rota changes when the other accepts, and everything is judged again then.
Days that are over stay as they were.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from sentinel.kernel.calendars import local_instant
from sentinel.kernel.errors import NotAllowed, NotFound
from sentinel.people.errors import ShiftRefused
from sentinel.people.models import Absence, OfficerShift, ShiftSwap, User
from sentinel.people.reach import reaches, without_way
from sentinel.people.rules import Role, SwapState
from sentinel.people.selectors import who_acts
from sentinel.people.services import actor_of, assign_officer
from sentinel.timeline.services import About, record_event
from sentinel.timeline.verbs import Verb

#: A note from longer ago says nothing to the officer of today.
NOTE_COUNTS = timedelta(days=7)
_VERBS = {
    SwapState.ACCEPTED: Verb.SWAP_ACCEPTED,
    SwapState.DECLINED: Verb.SWAP_DECLINED,
    SwapState.WITHDRAWN: Verb.SWAP_WITHDRAWN,
}


def put_on_rota(
    *, on: date, officer_id: int, now: datetime, actor: User | None = None, hand_over_note: str = ""
) -> OfficerShift:
    """Put an officer on a day as :func:`assign_officer` does, but nobody whom no notice reaches.

    Raises ShiftRefused, also for a day that is over.
    """
    with transaction.atomic():
        officer = User.objects.filter(pk=officer_id).first()
        if officer is not None:
            _require_not_over(on, officer, now)
            require_reachable(officer, now=now)
        shift = assign_officer(
            on=on, officer_id=officer_id, now=now, actor=actor, hand_over_note=hand_over_note
        )
        _drop_questions(shift, now=now)
    return shift


def ask_swap(*, on: date, of_id: int, note: str, actor: User, now: datetime) -> ShiftSwap:
    """The officer of a day asks another officer to take it. One question per day at a time.

    Raises ShiftRefused when the day is over or not the actor's, or when the other could not take it.
    """
    with transaction.atomic():
        shift = OfficerShift.objects.select_for_update().filter(on=on).first()
        if shift is None or shift.officer_id != actor.pk:
            raise NotAllowed("shift_not_yours", "This day is not yours to give away.")
        _require_can_take(shift, of_id, now)
        swap = ShiftSwap(
            shift=shift, asked_by=actor, asked_of_id=of_id, note=note.strip()[:500], asked_at=now
        )
        try:
            with transaction.atomic():
                swap.save()
        except IntegrityError:
            raise ShiftRefused(
                "swap_open", "Somebody has been asked for this day already; take that back first."
            ) from None
        _record(Verb.SWAP_ASKED, swap, actor=actor, now=now)
    return swap


def answer_swap(*, swap_id: int, accept: bool, actor: User, now: datetime) -> ShiftSwap:
    """Whoever was asked says yes or no. A yes is judged again: much may have happened since the question.

    Raises NotAllowed for anybody else, and ShiftRefused when it is settled or no longer possible.
    """
    with transaction.atomic():
        swap = _open_swap(swap_id, seen_by=actor)
        if swap.asked_of_id != actor.pk:
            raise NotAllowed("swap_not_yours", "Only the person who was asked may answer.")
        if accept:
            if swap.shift.officer_id != swap.asked_by_id:
                raise ShiftRefused("shift_changed", "The rota has changed since; this day is another's now.")
            _require_can_take(swap.shift, actor.pk, now)
            assign_officer(on=swap.shift.on, officer_id=actor.pk, now=now, actor=actor)
        _settle(swap, SwapState.ACCEPTED if accept else SwapState.DECLINED, actor=actor, now=now)
    return swap


def withdraw_swap(*, swap_id: int, actor: User, now: datetime) -> ShiftSwap:
    """Whoever asked takes the question back."""
    with transaction.atomic():
        swap = _open_swap(swap_id, seen_by=actor)
        if swap.asked_by_id != actor.pk:
            raise NotAllowed("swap_not_yours", "Only the person who asked may take it back.")
        _settle(swap, SwapState.WITHDRAWN, actor=actor, now=now)
    return swap


def leave_note(*, on: date, text: str, actor: User, now: datetime) -> OfficerShift:
    """The officer of a day (or whoever stands in for them) writes what the next one must know.

    Until the end of the day after; another text replaces the first. Raises ShiftRefused outside of that.
    """
    with transaction.atomic():
        shift = OfficerShift.objects.select_for_update(of=("self",)).filter(on=on).first()
        if shift is None or actor.pk not in (shift.officer_id, who_acts(shift.officer_id, now)):
            raise NotAllowed("shift_not_yours", "Only the officer of this day leaves its note.")
        today = now.astimezone(ZoneInfo(shift.officer.zone)).date()
        if not on <= today <= on + timedelta(days=1):
            raise ShiftRefused("note_not_now", "A note is left during the shift or on the day after it.")
        shift.left_note, shift.left_at, shift.left_by = text.strip()[:4000], now, actor
        shift.save(update_fields=["left_note", "left_at", "left_by"])
        about = About(user_id=actor.pk)
        data = {"on": on, "note": shift.left_note}
        record_event(verb=Verb.SHIFT_NOTE_LEFT, at=now, actor=actor_of(actor), about=about, data=data)
    return shift


def note_before(on: date) -> OfficerShift | None:
    """The latest shift before a day whose officer left a note, as long as it still says something."""
    rows = OfficerShift.objects.filter(on__lt=on, on__gte=on - NOTE_COUNTS).exclude(left_note="")
    return rows.select_related("officer", "left_by").order_by("-on").first()


def shifts_to_note(user: User, now: datetime) -> list[OfficerShift]:
    """The user's shifts for which a note can be left now: today's and yesterday's, today's first."""
    today = now.astimezone(ZoneInfo(user.zone)).date()
    rows = OfficerShift.objects.filter(officer=user, on__range=(today - timedelta(days=1), today))
    return list(rows.order_by("-on"))


def open_swaps(user: User) -> QuerySet[ShiftSwap]:
    """Questions that wait for an answer and that the user asked or was asked."""
    rows = ShiftSwap.objects.filter(Q(asked_by=user) | Q(asked_of=user), state=SwapState.ASKED.value)
    return rows.select_related("shift", "asked_by", "asked_of").order_by("shift__on")


def own_days(user: User, now: datetime) -> QuerySet[OfficerShift]:
    """The user's days on the rota from today on."""
    today = now.astimezone(ZoneInfo(user.zone)).date()
    return OfficerShift.objects.filter(officer=user, on__gte=today).order_by("on")


def days_away(shifts: Iterable[OfficerShift]) -> set[date]:
    """The days whose officer is away for a part of them or all day, as the officer's own zone counts days."""
    rows = list(shifts)
    absences = Absence.objects.filter(user__in={row.officer_id for row in rows})
    away: dict[int, list[tuple[datetime, datetime]]] = {}
    for user_id, starts_at, ends_at in absences.values_list("user_id", "starts_at", "ends_at"):
        away.setdefault(user_id, []).append((starts_at, ends_at))
    return {row.on for row in rows if _is_touched(row, away.get(row.officer_id, []))}


def own_days_within(
    user: User, times: Iterable[tuple[datetime, datetime]], now: datetime
) -> list[OfficerShift]:
    """The user's days on the rota from today on of which one of the times (from, until) takes a part."""
    spans = list(times)
    return touched_days(own_days(user, now).select_related("officer"), spans) if spans else []


def touched_days(
    shifts: Iterable[OfficerShift], times: Sequence[tuple[datetime, datetime]]
) -> list[OfficerShift]:
    """Those of the shifts (with their officers) of which one of the times (from, until) takes a part."""
    return [row for row in shifts if _is_touched(row, times)]


def own_days_away(user: User, now: datetime) -> list[OfficerShift]:
    """The user's days on the rota from today on for which an absence of theirs is entered."""
    rows = Absence.objects.filter(user=user, ends_at__gt=now)
    return own_days_within(user, list(rows.values_list("starts_at", "ends_at")), now)


def _is_touched(shift: OfficerShift, times: Iterable[tuple[datetime, datetime]]) -> bool:
    start = local_instant(shift.on, time(0), shift.officer.zone)
    end = local_instant(shift.on + timedelta(days=1), time(0), shift.officer.zone)
    return any(begins < end and ends > start for begins, ends in times)


def require_reachable(user: User, *, now: datetime) -> None:
    """Refuse somebody whom no notice would reach as officer of the day."""
    if without_way([user]):
        why = reaches([user], now=now)[user.pk].why_never
        raise ShiftRefused(
            "officer_out_of_reach", f"{why} Nobody can be officer of the day whom no notice reaches."
        )


def _require_can_take(shift: OfficerShift, officer_id: int, now: datetime) -> None:
    officer = User.objects.filter(pk=officer_id, is_active=True).first()
    if officer is None or not officer.has_role(Role.OFFICER, Role.EXECUTIVE):
        raise ShiftRefused("not_an_officer", "Only an active officer or executive can take a day.")
    if officer.pk == shift.officer_id:
        raise ShiftRefused("shift_same_officer", "This day is theirs already.")
    _require_not_over(shift.on, officer, now)
    begins = local_instant(shift.on, time(0), officer.zone)
    ends = local_instant(shift.on + timedelta(days=1), time(0), officer.zone)
    if Absence.objects.filter(user=officer, starts_at__lt=ends, ends_at__gt=begins).exists():
        raise ShiftRefused("officer_away", f"{officer.name} is away on that day.")
    require_reachable(officer, now=now)


def _require_not_over(on: date, officer: User, now: datetime) -> None:
    if on < now.astimezone(ZoneInfo(officer.zone)).date():
        raise ShiftRefused("shift_over", "This day is over; the rota of the past stays as it was.")


def _open_swap(swap_id: int, *, seen_by: User) -> ShiftSwap:
    rows = ShiftSwap.objects.select_for_update(of=("self", "shift")).select_related(
        "shift", "asked_by", "asked_of"
    )
    swap = rows.filter(Q(asked_by=seen_by) | Q(asked_of=seen_by), pk=swap_id).first()
    if swap is None:
        raise NotFound("swap_unknown", "There is no such question.")
    if swap.state != SwapState.ASKED.value:
        raise ShiftRefused("swap_settled", "This question has been settled already.")
    return swap


def _drop_questions(shift: OfficerShift, *, now: datetime) -> None:
    """Whoever was asked for a day that has changed hands need not answer any more."""
    stale = ShiftSwap.objects.filter(shift=shift, state=SwapState.ASKED.value)
    stale.exclude(asked_by_id=shift.officer_id).update(state=SwapState.WITHDRAWN.value, settled_at=now)


def _settle(swap: ShiftSwap, state: SwapState, *, actor: User, now: datetime) -> None:
    swap.state, swap.settled_at = state.value, now
    swap.save(update_fields=["state", "settled_at"])
    _record(_VERBS[state], swap, actor=actor, now=now)


def _record(verb: Verb, swap: ShiftSwap, *, actor: User, now: datetime) -> None:
    other = swap.asked_of if actor.pk == swap.asked_by_id else swap.asked_by
    data = {
        "on": swap.shift.on,
        "asked_by": str(swap.asked_by),
        "asked_of": str(swap.asked_of),
        "note": swap.note,
    }
    record_event(verb=verb, at=now, actor=actor_of(actor), about=About(user_id=other.pk), data=data)
