"""Officers among themselves: a day given to another, and the note to whoever comes next."""

from __future__ import annotations

from django.http import HttpResponse

from sentinel.people.rota import leave_note
from sentinel.people.rules import Role
from sentinel.web.access import ConsoleRequest, done, refusals_on, screen
from sentinel.web.forms.rota import NoteForm, SwapForm
from sentinel.web.screens.rota import rota_page
from sentinel.workflows.swap_day import answer_for_day, ask_for_day, take_back_question

OFFICERS = (Role.OFFICER, Role.EXECUTIVE)


@screen(*OFFICERS, methods=("POST",))
def swap_ask(request: ConsoleRequest) -> HttpResponse:
    """An officer or executive asks another to take a day of theirs."""
    form = SwapForm(request.POST, user=request.user, now=request.now, prefix="swap")
    if not form.is_valid():
        return rota_page(request, swap=form, status=422)
    values = form.cleaned_data
    with refusals_on(form) as refused:
        ask_for_day(
            on=values["shift"].on,
            of_id=values["of"].pk,
            note=values["note"],
            actor=request.user,
            now=request.now,
        )
    if refused:
        return rota_page(request, swap=form, status=refused.status)
    return done(request, f"{values['of'].name} is asked. Until they accept, the day stays yours.", "rota")


@screen(*OFFICERS, methods=("POST",))
def swap_act(request: ConsoleRequest, swap_id: str, act: str) -> HttpResponse:
    """Whoever was asked accepts or declines; whoever asked takes it back. For anybody else there is no such
    question (404)."""
    number = int(swap_id)
    if act == "withdraw":
        take_back_question(swap_id=number, actor=request.user, now=request.now)
        return done(request, "Taken back. The day stays yours.", "rota")
    swap = answer_for_day(swap_id=number, accept=act == "accept", actor=request.user, now=request.now)
    day = f"{swap.shift.on:%a %-d %b}"
    said = f"{day} is yours." if act == "accept" else f"Declined. {day} stays with {swap.asked_by.name}."
    return done(request, said, "rota")


@screen(*OFFICERS, methods=("POST",))
def note_leave(request: ConsoleRequest) -> HttpResponse:
    """The officer of today or of yesterday leaves a note to the next one."""
    form = NoteForm(request.POST, user=request.user, now=request.now, prefix="note")
    if not form.is_valid():
        return rota_page(request, note=form, status=422)
    values = form.cleaned_data
    leave_note(on=values["shift"].on, text=values["text"], actor=request.user, now=request.now)
    left = "Left. The next officer sees it first thing." if values["text"].strip() else "No note is left."
    return done(request, left, "rota")
