"""The officers' rota and the absences of the team."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django import forms
from django.http import HttpResponse

from sentinel.people.models import Absence, User
from sentinel.people.reach import without_way
from sentinel.people.rota import days_away, note_before, open_swaps, own_days, put_on_rota, shifts_to_note
from sentinel.people.rules import Role
from sentinel.people.selectors import active_users, officer_on, rota_from
from sentinel.people.services import end_absence, set_absence
from sentinel.web.access import ConsoleRequest, done, refusals_on, screen, show
from sentinel.web.forms.fields import moment_input, offer
from sentinel.web.forms.rota import NoteForm, ShiftForm, SwapForm
from sentinel.web.reads.own_days import still_officer_words

ROTA_KEEPERS = (Role.ADMINISTRATOR, Role.MANAGER, Role.EXECUTIVE, Role.OFFICER)
ABSENCE_KEEPERS = (Role.ADMINISTRATOR, Role.MANAGER)
DAYS = 14


class AbsenceForm(forms.Form):
    """A time away, in the viewer's own time, and who stands in."""

    user = forms.ModelChoiceField(User.objects.none(), label="Who", empty_label="Choose")
    starts_at = forms.DateTimeField(label="From", widget=moment_input())
    ends_at = forms.DateTimeField(label="Until", widget=moment_input())
    deputy = forms.ModelChoiceField(
        User.objects.none(), label="Stands in", required=False, empty_label="The deputy of each account"
    )
    reason = forms.CharField(required=False, max_length=200)

    def __init__(self, *args: Any, users: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        offer(self, "user", users)
        offer(self, "deputy", active_users())


@screen()
def rota(request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in reads; officers, managers, executives and administrators keep the rota."""
    return rota_page(request)


@screen(*ROTA_KEEPERS, methods=("POST",))
def rota_assign(request: ConsoleRequest) -> HttpResponse:
    """Officers, managers, executives and administrators put somebody on a day."""
    form = ShiftForm(request.POST, prefix="shift")
    if form.is_valid():
        values = form.cleaned_data
        with refusals_on(form) as refused:
            put_on_rota(
                on=values["on"],
                officer_id=values["officer"].pk,
                hand_over_note=values["hand_over_note"],
                actor=request.user,
                now=request.now,
            )
        if refused:
            return rota_page(request, shift=form, status=refused.status)
        return done(request, f"{values['officer'].name} is officer on {values['on']:%a %-d %b}.", "rota")
    return rota_page(request, shift=form, status=422)


@screen(*ABSENCE_KEEPERS, methods=("POST",))
def absence_add(request: ConsoleRequest) -> HttpResponse:
    """Managers, for their team, and administrators enter somebody's absence."""
    form = AbsenceForm(request.POST, users=_team_of(request), prefix="absence")
    if form.is_valid():
        values = form.cleaned_data
        with refusals_on(form) as refused:
            set_absence(
                user_id=values["user"].pk,
                starts_at=values["starts_at"],
                ends_at=values["ends_at"],
                deputy_id=values["deputy"].pk if values["deputy"] else None,
                reason=values["reason"],
                actor=request.user,
                now=request.now,
            )
        if refused:
            return rota_page(request, absence=form, status=refused.status)
        said = "The absence is entered; whoever stands in hears from now on."
        times = [(values["starts_at"], values["ends_at"])]
        still = still_officer_words(values["user"], times=times, viewer=request.user, now=request.now)
        return done(request, f"{said} {still}".strip(), "rota")
    return rota_page(request, absence=form, status=422)


@screen(methods=("POST",))
def absence_end(request: ConsoleRequest, absence_id: int) -> HttpResponse:
    """The user, their manager and administrators: back again. The service refuses everybody else (403)."""
    end_absence(absence_id=absence_id, actor=request.user, now=request.now)
    return done(request, "The absence is over, or off the list.", "rota")


def _team_of(request: ConsoleRequest) -> Any:
    if request.user.has_role(Role.ADMINISTRATOR):
        return active_users()
    return active_users().filter(manager=request.user)


def rota_page(
    request: ConsoleRequest,
    *,
    shift: ShiftForm | None = None,
    absence: AbsenceForm | None = None,
    swap: SwapForm | None = None,
    note: NoteForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page, with a refused form in the place of a fresh one."""
    user, now = request.user, request.now
    first: date = now.date() - timedelta(days=1)
    shifts = {row.on: row for row in rota_from(first, DAYS)}
    officer = officer_on(now)
    away = Absence.objects.filter(ends_at__gt=now).select_related("user", "deputy").order_by("starts_at")
    context = {
        "days": [(day, shifts.get(day)) for day in (first + timedelta(days=n) for n in range(DAYS))],
        "today": now.date(),
        "officer": officer,
        "out_of_reach": {one.pk for one in without_way([row.officer for row in shifts.values()])},
        "days_away": days_away(shifts.values()),
        "absences": away[:50],
        "swaps": open_swaps(user),
        "left": note_before(now.date() + timedelta(days=1)) if _reads_notes(user, officer) else None,
        "may_keep_rota": user.has_role(*ROTA_KEEPERS),
        "may_keep_absences": user.has_role(*ABSENCE_KEEPERS),
        "is_administrator": user.has_role(Role.ADMINISTRATOR),
        "shift": shift or ShiftForm(prefix="shift", initial={"on": now.date() + timedelta(days=1)}),
        "absence": absence or AbsenceForm(prefix="absence", users=_team_of(request)),
        "swap": swap or SwapForm(prefix="swap", user=user, now=now, give=request.GET.get("give", "")),
        "has_days": own_days(user, now).exists(),
        "note": note or NoteForm(prefix="note", user=user, now=now),
        "has_note": bool(shifts_to_note(user, now)),
    }
    return show(request, "web/people/rota.html", context, status=status)


def _reads_notes(user: User, officer: User | None) -> bool:
    """A note may name workers of any account: for officers, who see all of them, and for administrators."""
    return user.has_role(Role.OFFICER, Role.ADMINISTRATOR) or user == officer
