"""A user's own hours: when they may be disturbed, their calendar for outside, absences out of a file."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core import signing
from django.http import HttpResponse
from django.urls import reverse
from django.utils.formats import date_format

from sentinel.people.absence_calendars import absence_calendar_of
from sentinel.people.absence_files import MOST_BYTES, FoundAbsence, joined, read_absences
from sentinel.people.feeds import end_feed, feed_of, make_feed
from sentinel.people.models import OfficerShift
from sentinel.people.quiet import set_quiet_hours
from sentinel.people.rota import own_days_within, touched_days
from sentinel.people.services import enter_absences
from sentinel.web.access import ConsoleRequest, done, refusals_on, screen, show
from sentinel.web.forms.hours import AbsenceCalendarForm, AbsenceFileForm, FoundAbsencesForm, QuietHoursForm
from sentinel.web.reads.accounts import week_lines
from sentinel.web.reads.own_days import days_words, still_officer_words

_SALT = "sentinel.absence.file"
#: So long after the preview the absences can be entered.
_SECONDS = 3_600


@screen()
def hours(request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in, about themselves."""
    return hours_page(request)


@screen(methods=("POST",))
def hours_quiet(request: ConsoleRequest) -> HttpResponse:
    """The user says when they may be disturbed; without any hours: whenever they work."""
    if "clear" in request.POST:
        set_quiet_hours(user_id=request.user.pk, week=None, zone="", now=request.now)
        return done(request, "Notices ring in your working hours.", "hours")
    form = QuietHoursForm(request.POST, user=request.user, prefix="quiet")
    if not form.is_valid():
        return hours_page(request, quiet=form, status=422)
    with refusals_on(form) as refused:
        set_quiet_hours(
            user_id=request.user.pk, week=form.week(), zone=form.cleaned_data["zone"], now=request.now
        )
    if refused:
        return hours_page(request, quiet=form, status=refused.status)
    return done(request, "Kept. Outside of these hours only what is urgent rings.", "hours")


@screen(methods=("POST",))
def hours_feed(request: ConsoleRequest, act: str) -> HttpResponse:
    """The user makes, renews or ends the address of their calendar. It is shown in this answer and never
    again, so it is no redirect."""
    if act == "end":
        end_feed(user=request.user, now=request.now)
        return done(request, "Nobody reads your calendar from outside any more.", "hours")
    feed_id, secret = make_feed(user=request.user, now=request.now)
    return hours_page(request, address=settings.BASE_URL + reverse("calendar-feed", args=(feed_id, secret)))


@screen(methods=("POST",))
def absence_file(request: ConsoleRequest) -> HttpResponse:
    """The user uploads a calendar file and sees what would be entered. Nothing is kept yet."""
    form = AbsenceFileForm(request.POST, request.FILES, prefix="file")
    if not form.is_valid():
        return hours_page(request, upload=form, status=422)
    with refusals_on(form, "file") as refused:
        # One byte more than allowed is enough to refuse it.
        content = form.cleaned_data["file"].read(MOST_BYTES + 1)
        found = read_absences(content, zone=request.user.zone, now=request.now)
    if refused:
        return hours_page(request, upload=form, status=refused.status)
    if not found:
        form.add_error("file", "There is nothing ahead in this calendar.")
        return hours_page(request, upload=form, status=422)
    likely = [str(number) for number, one in enumerate(found) if one.is_likely]
    mine = own_days_within(request.user, _times(found), request.now)
    preview = FoundAbsencesForm(
        user=request.user,
        choices=_choices(found, mine, request.user.zone),
        initial={"found": _sealed(found, request.user.pk), "take": likely},
    )
    return _preview(request, preview, found, mine)


@screen(methods=("POST",))
def absence_file_enter(request: ConsoleRequest) -> HttpResponse:
    """The user enters what they ticked in the preview."""
    found = _opened(request.POST.get("found", ""), request.user.pk)
    if found is None:
        return hours_page(request, stale="This preview is too old; upload the file again.", status=422)
    mine = own_days_within(request.user, _times(found), request.now)
    form = FoundAbsencesForm(
        request.POST, user=request.user, choices=_choices(found, mine, request.user.zone)
    )
    if not form.is_valid():
        return _preview(request, form, found, mine, status=422)
    values = form.cleaned_data
    taken = joined(found[int(number)] for number in values["take"])
    entered, refused = enter_absences(
        user_id=request.user.pk,
        times=_times(taken),
        deputy_id=values["deputy"].pk if values["deputy"] else None,
        reason="From a calendar file",
        actor=request.user,
        now=request.now,
    )
    if refused:
        form.add_error(None, f"{len(entered)} entered. Not entered: {' '.join(dict.fromkeys(refused))}")
        context = {"form": form, "count": len(found), "is_done": True}
        return show(request, "web/people/absence_file.html", context, status=422)
    said = f"{len(entered)} absence{'s' if len(entered) != 1 else ''} entered."
    still = still_officer_words(request.user, times=_times(taken), viewer=request.user, now=request.now)
    return done(request, f"{said} {still}".strip(), "profile")


def _preview(
    request: ConsoleRequest,
    form: FoundAbsencesForm,
    found: list[FoundAbsence],
    mine: list[OfficerShift],
    *,
    status: int = 200,
) -> HttpResponse:
    context = {"form": form, "count": len(found), "own_days": mine}
    return show(request, "web/people/absence_file.html", context, status=status)


def hours_page(
    request: ConsoleRequest,
    *,
    quiet: QuietHoursForm | None = None,
    upload: AbsenceFileForm | None = None,
    calendar: AbsenceCalendarForm | None = None,
    address: str = "",
    stale: str = "",
    status: int = 200,
) -> HttpResponse:
    """The page, with a refused form in the place of a fresh one."""
    user = request.user
    context: dict[str, Any] = {
        "quiet": quiet or QuietHoursForm(user=user, prefix="quiet"),
        "upload": upload or AbsenceFileForm(prefix="file"),
        "has_own": bool(user.reach_week),
        "chosen": week_lines(user.reach_week) if user.reach_week else [],
        "feed": feed_of(user),
        "calendar": calendar or AbsenceCalendarForm(user=user, prefix="calendar"),
        "absence_calendar": absence_calendar_of(user),
        "address": address,
        "stale": stale,
    }
    return show(request, "web/people/hours.html", context, status=status)


def _times(found: Iterable[FoundAbsence]) -> list[tuple[datetime, datetime]]:
    return [(one.starts_at, one.ends_at) for one in found]


def _choices(found: list[FoundAbsence], mine: list[OfficerShift], zone: str) -> list[tuple[str, str]]:
    """A line for each event, with those of the user's days as officer of the day that it touches."""
    choices = []
    for number, one in enumerate(found):
        days = touched_days(mine, _times([one]))
        officer = f" (you are officer of the day on {days_words(days)})" if days else ""
        choices.append((str(number), f"{_line(one, zone)}{officer}"))
    return choices


def _line(one: FoundAbsence, zone: str) -> str:
    """One event in the user's own time."""
    start, end = (moment.astimezone(ZoneInfo(zone)) for moment in (one.starts_at, one.ends_at))
    if start.time() == end.time() == time():
        text = _days(start.date(), (end - timedelta(days=1)).date())
    else:
        until = date_format(end, "H:i" if start.date() == end.date() else "D j M Y H:i")
        text = f"{date_format(start, 'D j M Y H:i')} to {until}"
    return f"{text}: {one.title}" if one.title else text


def _days(first: date, last: date) -> str:
    """Whole days, the last one included, as people say it."""
    if first == last:
        return f"{date_format(first, 'D j M Y')}, all day"
    return f"{date_format(first, 'D j M Y')} to {date_format(last, 'D j M Y')}, all day"


def _sealed(found: list[FoundAbsence], user_id: int) -> str:
    rows = [{**asdict(one), "starts_at": str(one.starts_at), "ends_at": str(one.ends_at)} for one in found]
    return signing.dumps([user_id, rows], salt=_SALT, compress=True)


def _opened(sealed: str, user_id: int) -> list[FoundAbsence] | None:
    """What the preview showed this very user within the hour; None for anything else."""
    try:
        whose, rows = signing.loads(sealed, salt=_SALT, max_age=_SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    if whose != user_id:
        return None
    return [
        FoundAbsence(
            starts_at=datetime.fromisoformat(row["starts_at"]),
            ends_at=datetime.fromisoformat(row["ends_at"]),
            title=row["title"],
            is_likely=row["is_likely"],
        )
        for row in rows
    ]
