"""A user's calendar elsewhere (of their office) from which absences are taken: its address, and each reading.

The address is a secret like any target and rests sealed. The engine fetches it; what it brought is set to
work here, in one transaction. A reading that fails changes no absence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from sentinel.kernel.addresses import is_plainly_private
from sentinel.people.absence_files import joined, read_absences
from sentinel.people.absence_plans import Known, Plan, Span, is_wanted, plan_reading, words_of
from sentinel.people.errors import CalendarFileRefused, ContactRefused
from sentinel.people.models import Absence, AbsenceCalendar, User
from sentinel.people.sealing import open_target, seal_target
from sentinel.people.services import actor_of, end_absence, set_absence
from sentinel.people.targets import masked, parts_of
from sentinel.timeline.services import ENGINE, About, record_event
from sentinel.timeline.verbs import Verb

#: So often a calendar is read.
EVERY = timedelta(hours=6)
#: After a reading that failed: so soon again, twice as late after each further one, up to EVERY.
SOON = timedelta(minutes=30)
#: An engine that takes a calendar and dies: another one takes it so much later.
CLAIM = timedelta(minutes=5)
#: Unchanged content is read as a whole again after this time: its repeating events reach further by then.
WHOLE_AGAIN = timedelta(days=7)
REASON = "From your calendar"
_CHANNEL = "calendar"
_LONGEST_ETAG, _LONGEST_MODIFIED = 300, 100


@dataclass(frozen=True, kw_only=True)
class Due:
    """A calendar that is to be fetched now. ``turn``: who comes later than the next turn is ignored.

    ``etag``, ``modified``: what to ask with whether it changed; empty where it must come as a whole.
    """

    calendar_id: int
    turn: int
    url: str
    etag: str
    modified: str

    def __repr__(self) -> str:
        return f"Due({self.calendar_id})"


def keep_calendar(
    *, user: User, url: str, words: str, deputy_id: int | None, now: datetime
) -> AbsenceCalendar:
    """Take the user's absences from this address from now on, in place of one they had. Raises
    CalendarFileRefused for an address that is not of the web, or plainly inside our own network."""
    address = _checked(url.strip())
    with transaction.atomic():
        _lock(user.pk)
        calendar, _ = AbsenceCalendar.objects.select_for_update().update_or_create(
            user=user,
            defaults={
                "sealed": seal_target(address, channel=_CHANNEL),
                "shown": masked(address)[:300],
                "words": ", ".join(words_of(words))[:200],
                "deputy_id": deputy_id if deputy_id != user.pk else None,
                "etag": "",
                "last_modified": "",
                "next_at": now,
                "error": "",
                "failures": 0,
            },
        )
        # Whoever fetches the former address right now must not set that to work.
        calendar.turn += 1
        calendar.save(update_fields=["turn"])
        _record(Verb.CALENDAR_KEPT, user, {"address": calendar.shown}, now)
    return calendar


def end_calendar(*, user: User, now: datetime) -> None:
    """Read it no more. What was taken stays, as if it had been entered by hand: nobody who is on holiday
    comes back because an address was taken off."""
    with transaction.atomic():
        _lock(user.pk)
        calendar = AbsenceCalendar.objects.select_for_update().filter(user=user).first()
        if calendar is not None:
            shown = calendar.shown
            calendar.delete()
            _record(Verb.CALENDAR_ENDED, user, {"address": shown}, now)


def read_soon(*, user: User, now: datetime) -> None:
    """Read it at the engine's next turn, as a whole."""
    AbsenceCalendar.objects.filter(user=user).update(next_at=now, etag="", last_modified="")


def absence_calendar_of(user: User) -> AbsenceCalendar | None:
    """The user's calendar elsewhere, if they named one."""
    return AbsenceCalendar.objects.select_related("deputy").filter(user=user).first()


def take_due(now: datetime) -> Due | None:
    """The calendar that waits longest, taken so that no other engine fetches it, too; None if none does."""
    while (calendar := _claimed(now)) is not None:
        try:
            url = open_target(calendar.sealed, channel=_CHANNEL)
        except ValueError:
            closed = Due(calendar_id=calendar.pk, turn=calendar.turn, url="", etag="", modified="")
            note_failure(closed, error="This address cannot be opened any more; enter it again.", now=now)
            continue
        is_old = calendar.whole_at is None or now - calendar.whole_at >= WHOLE_AGAIN
        # What was kept back may have room by now.
        as_whole = is_old or calendar.kept_back > 0 or bool(calendar.error)
        return Due(
            calendar_id=calendar.pk,
            turn=calendar.turn,
            url=url,
            etag="" if as_whole else calendar.etag,
            modified="" if as_whole else calendar.last_modified,
        )
    return None


def _claimed(now: datetime) -> AbsenceCalendar | None:
    with transaction.atomic():
        rows = AbsenceCalendar.objects.select_for_update(skip_locked=True, of=("self",))
        calendar = rows.filter(next_at__lte=now, user__is_active=True).order_by("next_at").first()
        if calendar is not None:
            calendar.turn += 1
            calendar.next_at = now + CLAIM
            calendar.save(update_fields=["turn", "next_at"])
    return calendar


def take_content(due: Due, *, content: bytes, etag: str, modified: str, now: datetime) -> bool:
    """Bring the user's absences in line with what was fetched. False when somebody else was faster, or when
    it is no calendar of absences; that is kept as the reading's error then."""
    calendar = AbsenceCalendar.objects.select_related("user").filter(pk=due.calendar_id).first()
    if calendar is None:
        return False
    words = words_of(calendar.words)
    if not content.rstrip().upper().endswith(b"END:VCALENDAR"):
        # Half a calendar would take absences away.
        note_failure(due, error="What came is no calendar, or only the beginning of one.", now=now)
        return False
    try:
        found = read_absences(
            content, zone=calendar.user.zone, now=now, wanted=lambda one: is_wanted(one, words)
        )
    except CalendarFileRefused as refused:
        note_failure(due, error=refused.message, now=now)
        return False
    with transaction.atomic():
        _lock(calendar.user_id)
        held = _held(due)
        if held is None:
            return False
        plan = _follow(held, [(one.starts_at, one.ends_at) for one in joined(found)], now=now)
        held.etag = etag if len(etag) <= _LONGEST_ETAG else ""
        held.last_modified = modified if len(modified) <= _LONGEST_MODIFIED else ""
        held.whole_at, held.kept_back = now, len(plan.kept_back)
        _succeeded(held, now)
    return True


def note_unchanged(due: Due, *, now: datetime) -> None:
    """It was asked and has not changed."""
    with transaction.atomic():
        calendar = _held(due)
        if calendar is not None:
            _succeeded(calendar, now)


def note_failure(due: Due, *, error: str, now: datetime) -> None:
    """It could not be read. Every absence stays; it is tried again soon, then later and later."""
    with transaction.atomic():
        calendar = _held(due)
        if calendar is None:
            return
        calendar.failures += 1
        calendar.tried_at, calendar.error = now, error[:300]
        calendar.next_at = now + min(EVERY, SOON * 2 ** min(calendar.failures - 1, 10))
        calendar.save(update_fields=["failures", "tried_at", "error", "next_at"])


def _lock(user_id: int) -> None:
    """Users before calendars before absences, here and where absences are entered by hand."""
    User.objects.select_for_update(of=("self",)).get(pk=user_id)


def _held(due: Due) -> AbsenceCalendar | None:
    rows = AbsenceCalendar.objects.select_for_update(of=("self",)).select_related("user")
    return rows.filter(pk=due.calendar_id, turn=due.turn).first()


def _succeeded(calendar: AbsenceCalendar, now: datetime) -> None:
    ahead = Absence.objects.filter(calendar=calendar, ends_at__gt=now)
    calendar.tried_at = calendar.read_at = now
    calendar.taken, calendar.error, calendar.failures = ahead.count(), "", 0
    calendar.next_at = now + EVERY
    calendar.save()


def _follow(calendar: AbsenceCalendar, wanted: list[Span], *, now: datetime) -> Plan:
    rows = list(Absence.objects.filter(user=calendar.user, ends_at__gt=now))
    calendar.dismissed = [span for span in calendar.dismissed if datetime.fromisoformat(span[1]) > now]
    plan = plan_reading(
        wanted=wanted,
        known=[
            Known(absence_id=row.pk, span=(row.starts_at, row.ends_at))
            for row in rows
            if row.calendar_id == calendar.pk
        ],
        by_hand=[(row.starts_at, row.ends_at) for row in rows if row.calendar_id != calendar.pk],
        dismissed=[
            (datetime.fromisoformat(start), datetime.fromisoformat(end)) for start, end in calendar.dismissed
        ],
        now=now,
    )
    for absence_id in plan.drop:
        end_absence(absence_id=absence_id, actor=None, now=now)
    for absence_id, (starts_at, ends_at) in plan.move:
        _move(absence_id, starts_at=starts_at, ends_at=ends_at, now=now)
    _add(calendar, plan.add, now=now)
    return plan


def _move(absence_id: int, *, starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    absence = Absence.objects.select_for_update().get(pk=absence_id)
    before = [absence.starts_at, absence.ends_at]
    absence.starts_at, absence.ends_at = starts_at, ends_at
    absence.save(update_fields=["starts_at", "ends_at"])
    data = {"from": starts_at, "until": ends_at, "before": before, "reason": absence.reason}
    about = About(user_id=absence.user_id)
    record_event(verb=Verb.USER_ABSENT, at=now, actor=ENGINE, about=about, data=data)


def _add(calendar: AbsenceCalendar, spans: Iterable[Span], *, now: datetime) -> None:
    deputy = calendar.deputy if calendar.deputy and calendar.deputy.is_active else None
    for starts_at, ends_at in spans:
        absence = set_absence(
            user_id=calendar.user_id,
            starts_at=starts_at,
            ends_at=ends_at,
            deputy_id=deputy.pk if deputy else None,
            reason=REASON,
            actor=None,
            now=now,
        )
        Absence.objects.filter(pk=absence.pk).update(calendar=calendar)


def _checked(url: str) -> str:
    """The address as it is called; programs also write ``webcal://`` for one by https."""
    address = f"https://{url[9:]}" if url.lower().startswith("webcal://") else url
    try:
        parts = parts_of(address)
        has_port = parts.port is not None  # a wrong one raises
    except (ContactRefused, ValueError):
        raise _refused("This is no address like https://calendar.example.com/…/basic.ics.") from None
    plain = settings.PRIVATE_TARGETS
    if parts.scheme.lower() != "https" and not (plain and parts.scheme.lower() == "http"):
        raise _refused("The address of a calendar begins with https:// (or webcal://).")
    if not parts.hostname or parts.username is not None or (has_port and parts.port == 0):
        raise _refused("This address names no host, or holds a user name.")
    if not plain and is_plainly_private(parts.hostname):
        raise _refused("This address is in a private network; Sentinel calls only public ones.")
    return address


def _refused(message: str) -> CalendarFileRefused:
    return CalendarFileRefused("calendar_address", message)


def host_of(url: str) -> str:
    """The host of an address; the rest of it is a secret."""
    return urlsplit(url).hostname or ""


def _record(verb: Verb, user: User, data: dict[str, str], now: datetime) -> None:
    record_event(verb=verb, at=now, actor=actor_of(user), about=About(user_id=user.pk), data=data)
