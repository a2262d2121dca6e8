"""The calls Sentinel places: start one, watch it, end it."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.shortcuts import render

from sentinel.calls.errors import CallRefused
from sentinel.calls.selectors import call_going_on
from sentinel.problems.models import Problem
from sentinel.problems.selectors import may_act_on
from sentinel.web.access import ConsoleRequest, go, problem_for, screen, status_of
from sentinel.web.forms.problem import CallForm
from sentinel.web.reads import problem as reads
from sentinel.web.reads.line import Line, line_of
from sentinel.web.screens.call_brief import brief_page
from sentinel.workflows.place_call import hang_up_call, place_call

#: htmx stops asking when it gets this.
STOP_ASKING = 286


@screen(methods=("POST",))
def place(request: ConsoleRequest, problem_id: int) -> HttpResponse:
    """Whoever may act lets their own telephone ring, then the worker's. A second press changes nothing."""
    problem = _to_act_on(request, problem_id)
    try:
        place_call(problem_id=problem.pk, user=request.user, now=request.now)
    except CallRefused as refused:
        form = CallForm(zone=problem.site.zone)
        return brief_page(request, problem, form, refused=refused.message, status=status_of(refused))
    return go("call-brief", problem.pk)


@screen(methods=("POST",))
def hang_up(request: ConsoleRequest, problem_id: int) -> HttpResponse:
    """Whoever asked for the call that goes on ends it; nothing happens when it is over already."""
    problem = _to_act_on(request, problem_id)
    call = call_going_on(problem.pk)
    if call is not None:
        hang_up_call(call_id=call.pk, user=request.user, now=request.now)
    if request.htmx:
        return _drawn(request, problem, _line(request, problem), status=200)
    return go("call-brief", problem.pk)


@screen()
def line(request: ConsoleRequest, problem_id: int) -> HttpResponse:
    """Whoever may see the problem watches its call. The brief asks each second while a call goes on.

    Without news only the clock runs on; nothing else moves under the reader's finger or is read out again.
    """
    problem = problem_for(request, problem_id)
    if not request.htmx:
        return go("call-brief", problem.pk)
    picture = _line(request, problem)
    if request.GET.get("seen") != picture.fingerprint:
        return _drawn(request, problem, picture, status=200 if picture.is_going_on else STOP_ASKING)
    if not picture.is_connected:
        return HttpResponse(status=204 if picture.is_going_on else STOP_ASKING)
    answer = render(request, "web/problem/line_clock.html", {"line": picture, "beside": True})
    answer["HX-Reswap"] = "none"
    return answer


def _to_act_on(request: ConsoleRequest, problem_id: int) -> Problem:
    problem = problem_for(request, problem_id)
    if not may_act_on(request.user, problem, request.now):
        raise PermissionDenied("who only reads cannot call")
    return problem


def _line(request: ConsoleRequest, problem: Problem) -> Line:
    return line_of(problem, user=request.user, duty=reads.duty_of(problem), now=request.now)


def _drawn(request: ConsoleRequest, problem: Problem, picture: Line, *, status: int) -> HttpResponse:
    may_act = may_act_on(request.user, problem, request.now)
    context = {
        "problem": problem,
        "line": picture,
        "number": problem.call_number or problem.worker.telephone,
        "worker_now": reads.worker_now(problem, request.now),
        "may_act": may_act,
        "may_log": may_act and problem.is_open,
        "form": CallForm(zone=problem.site.zone),
        "again": reads.times_to_call_back(problem, request.now),
        "now": request.now,
        "viewer": request.user,
        "beside": True,
    }
    return render(request, "web/problem/line.html", context, status=status)
