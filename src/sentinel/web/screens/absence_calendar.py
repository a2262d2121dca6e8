"""The address of a calendar elsewhere from which absences are taken: named, read at once, taken off."""

from __future__ import annotations

from django.http import HttpResponse

from sentinel.people.absence_calendars import end_calendar, keep_calendar, read_soon
from sentinel.web.access import ConsoleRequest, done, refusals_on, screen
from sentinel.web.forms.hours import AbsenceCalendarForm
from sentinel.web.screens.hours import hours_page


@screen(methods=("POST",))
def calendar_keep(request: ConsoleRequest) -> HttpResponse:
    """The user names the address of a calendar of theirs; it is fetched by the engine, never from here."""
    form = AbsenceCalendarForm(request.POST, user=request.user, prefix="calendar")
    if not form.is_valid():
        return hours_page(request, calendar=form, status=422)
    values = form.cleaned_data
    with refusals_on(form) as refused:
        keep_calendar(
            user=request.user,
            url=values["url"],
            words=values["words"],
            deputy_id=values["deputy"].pk if values["deputy"] else None,
            now=request.now,
        )
    if refused:
        return hours_page(request, calendar=form, status=refused.status)
    return done(request, "Kept. It is read within seconds; what was taken stands on your profile.", "profile")


@screen(methods=("POST",))
def calendar_act(request: ConsoleRequest, act: str) -> HttpResponse:
    """The user lets their calendar be read now, or never again."""
    if act == "end":
        end_calendar(user=request.user, now=request.now)
        return done(request, "It is read no more. The absences that it brought stay.", "profile")
    read_soon(user=request.user, now=request.now)
    return done(request, "It is read within seconds.", "profile")
