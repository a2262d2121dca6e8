"""Voices: comments, suggestions and praise, each with a box to answer; and frowns nobody can vouch for."""

from __future__ import annotations

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpResponse

from sentinel.checkins.models import PleaseCheck, Response
from sentinel.checkins.rules import Evidence
from sentinel.checkins.selectors import responses_visible_to
from sentinel.inbound.selectors import incoming_of_response
from sentinel.people.models import User
from sentinel.people.selectors import user_by_id
from sentinel.problems.models import Problem
from sentinel.problems.selectors import problems_visible_to
from sentinel.web.access import (
    ConsoleRequest,
    done,
    please_check_for,
    refusals_on,
    response_for,
    screen,
    show,
)
from sentinel.web.forms.fields import text_field
from sentinel.web.reads.today import VOICES, unanswered
from sentinel.web.screens.problem import ACTING
from sentinel.workflows.answer_response import answer_response, settle_please_check

PER_PAGE = 30


class AnswerForm(forms.Form):
    """A few words back."""

    text = text_field("Your answer", rows=4, help_text="Goes to the worker as a mail from you.")


class SettleForm(forms.Form):
    """What came of looking at it."""

    outcome = forms.ChoiceField(
        label="What is it?",
        choices=[("problem", "There is a problem: open it"), ("nothing", "Nothing, probably a mail scanner")],
        widget=forms.RadioSelect,
    )
    note = forms.CharField(label="One line", required=False, max_length=500)


@screen()
def response_list(request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in, for accounts they may see; the unanswered ones first."""
    shows_all = request.GET.get("show") == "all"
    if shows_all:
        rows = responses_visible_to(request.user, request.now).filter(
            evidence=Evidence.VERIFIED.value, kind__in=VOICES
        )
        rows = rows.exclude(text="").select_related("worker__site__account").order_by("-received_at", "-pk")
    else:
        rows = unanswered(request.user, request.now)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    return show(request, "web/voices/list.html", {"page": page, "shows_all": shows_all})


@screen(methods=("GET", "POST"))
def response(request: ConsoleRequest, response_id: int) -> HttpResponse:
    """Whoever may see the account reads; owners, managers, executives and officers answer, once."""
    found = response_for(request, response_id)
    if request.method != "POST":
        return _response_page(request, found, AnswerForm())
    if not request.user.has_role(*ACTING):
        raise PermissionDenied("who only reads cannot answer")
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _response_page(request, found, form, status=422)
    with refusals_on(form) as refused:
        answer_response(
            response_id=found.pk, user=request.user, text=form.cleaned_data["text"], now=request.now
        )
    if refused:
        return _response_page(request, response_for(request, response_id), form, status=refused.status)
    return done(request, "Your answer is on its way.", "response-list")


@screen(methods=("GET", "POST"))
def please_check(request: ConsoleRequest, please_check_id: int) -> HttpResponse:
    """Whoever may see the account looks; owners, managers, executives and officers settle it."""
    found = please_check_for(request, please_check_id)
    if request.method != "POST":
        return _check_page(request, found, SettleForm())
    if not request.user.has_role(*ACTING):
        raise PermissionDenied("who only reads cannot settle it")
    form = SettleForm(request.POST)
    if not form.is_valid():
        return _check_page(request, found, form, status=422)
    values = form.cleaned_data
    with refusals_on(form) as refused:
        opened: Problem | None = settle_please_check(
            please_check_id=found.pk,
            user=request.user,
            outcome=values["outcome"],
            note=values["note"],
            now=request.now,
        )
    if refused:
        return _check_page(request, please_check_for(request, please_check_id), form, status=refused.status)
    if opened is not None:
        return done(request, "The problem is open and its clock runs.", "problem", opened.pk)
    return done(request, "Put aside.", "today")


def _answered_by(found: Response) -> User | None:
    return user_by_id(found.answered_by_id)


def _response_page(
    request: ConsoleRequest, found: Response, form: AnswerForm, *, status: int = 200
) -> HttpResponse:
    problem = problems_visible_to(request.user, request.now).filter(pk=found.problem_id or 0).first()
    context = {
        "response": found,
        "form": form,
        "problem": problem,
        "came_by": incoming_of_response(found.pk),
        "may_answer": request.user.has_role(*ACTING) and found.answered_at is None and bool(found.text),
        "answered_by": _answered_by(found),
    }
    return show(request, "web/voices/response.html", context, status=status)


def _check_page(
    request: ConsoleRequest, found: PleaseCheck, form: SettleForm, *, status: int = 200
) -> HttpResponse:
    worker = found.response.worker
    context = {
        "check": found,
        "worker": worker,
        "form": form,
        "may_settle": request.user.has_role(*ACTING) and found.settled_at is None,
        "problems": problems_visible_to(request.user, request.now).filter(worker=worker).order_by("-id")[:5],
        "settled_by": user_by_id(found.settled_by_id),
    }
    return show(request, "web/voices/please_check.html", context, status=status)
