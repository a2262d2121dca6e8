"""One problem: who suffers from what, what is owed next, everything that happened, every act."""

from __future__ import annotations

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from sentinel.checkins.rules import Severity
from sentinel.inbound.selectors import incoming_of_problem
from sentinel.people.rules import Role
from sentinel.problems.models import Problem
from sentinel.problems.selectors import may_act_on, may_end, similar_open_problems
from sentinel.problems.services import current_commitment
from sentinel.web.access import (
    ConsoleRequest,
    back_to,
    done,
    problem_for,
    refusals_on,
    screen,
    show,
    worker_for,
)
from sentinel.web.forms.problem import NewProblemForm
from sentinel.web.reads import problem as reads
from sentinel.web.screens.acts import ACTS, BY_SLUG, Act, Offered
from sentinel.workflows.letters import mail_reaches
from sentinel.workflows.open_problem import open_problem_for

ACTING = (Role.OWNER, Role.MANAGER, Role.EXECUTIVE, Role.OFFICER)


@screen()
def problem(request: ConsoleRequest, problem_id: int) -> HttpResponse:
    """Whoever may see the account's problems; who only reads sees no acts. ``?open=`` opens a form."""
    return _page(request, problem_for(request, problem_id), opened=request.GET.get("open", ""))


@screen(methods=("POST",))
def act(request: ConsoleRequest, problem_id: int, slug: str) -> HttpResponse:
    """One act, by whoever may act on the problem (403 otherwise; ending is a manager's).

    What cannot be done comes back with its reason at the form, and with the text that was typed.
    """
    found = problem_for(request, problem_id)
    chosen = BY_SLUG.get(slug)
    if chosen is None:
        raise Http404("no such act")
    if not may_act_on(request.user, found, request.now):
        raise PermissionDenied("who only reads cannot act")
    if chosen.managers_only and not may_end(request.user, found, request.now):
        raise PermissionDenied("this is for a manager of the account")
    form = chosen.make_form(found, reads.duty_of(found), request, request.POST)
    if not form.is_valid():
        return _page(request, found, opened=slug, bound=(chosen, form), status=422)
    with refusals_on(form) as refused:
        chosen.run(found, request, form.cleaned_data)
    if refused:
        fresh = problem_for(request, problem_id)
        return _page(request, fresh, opened=slug, bound=(chosen, form), status=refused.status)
    return done(request, chosen.answer(found), back_to(request, reverse("problem", args=[problem_id])))


@screen(*ACTING, methods=("GET", "POST"))
def new_problem(request: ConsoleRequest, worker_id: int) -> HttpResponse:
    """Owners, managers, executives and officers enter what a worker told them; it starts the same loop."""
    worker = worker_for(request, worker_id)
    form = NewProblemForm(request.POST if request.method == "POST" else None)
    status = 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            opened = open_problem_for(
                user=request.user,
                worker_id=worker.pk,
                words=form.cleaned_data["words"],
                severity=Severity(form.cleaned_data["severity"]),
                now=request.now,
            )
            return done(request, "The problem is open and its clock runs.", "problem", opened.pk)
    return show(request, "web/problem/new.html", {"form": form, "worker": worker}, status=status)


def _page(
    request: ConsoleRequest,
    found: Problem,
    *,
    opened: str,
    bound: tuple[Act, forms.Form] | None = None,
    status: int = 200,
) -> HttpResponse:
    duty = reads.duty_of(found)
    acts_here = may_act_on(request.user, found, request.now)
    ends_here = acts_here and may_end(request.user, found, request.now)
    offered: list[Offered] = []
    for one in ACTS:
        is_bound = bound is not None and bound[0] is one
        if acts_here and (is_bound or one.is_offered(found, may_end=ends_here)):
            form = bound[1] if bound is not None and is_bound else one.make_form(found, duty, request, None)
            offered.append(Offered(act=one, form=form, is_open=one.slug == opened))
    return show(
        request,
        "web/problem/page.html",
        {
            "problem": found,
            "duty": duty,
            "offered": offered,
            "may_act": acts_here,
            "may_call": acts_here and found.is_open,
            "promise": current_commitment(found),
            "mail_reaches": mail_reaches(found),
            "moments": reads.story_of(found),
            "path": reads.path_of(found),
            "ladder": reads.ladder_of(found, duty),
            "worker_now": reads.worker_now(found, request.now),
            "before_end": reads.before_end(found) if ends_here and found.is_open else [],
            "mails": list(incoming_of_problem(found.pk)),
            "cause_others": reads.count_of_cause(found, request.user, request.now),
            "storm_others": reads.count_of_storm(found, request.user, request.now),
            "similar": list(similar_open_problems(found, request.user, request.now)),
        },
        status=status,
    )


def to_problem(problem_id: int, *, opened: str = "") -> HttpResponse:
    """Go to a problem, with one of its forms open."""
    address = reverse("problem", args=[problem_id]) + (f"?open={opened}#act-{opened}" if opened else "")
    return HttpResponseRedirect(address, status=303)
