"""The call brief: one screen to hold in the hand while telephoning."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse

from sentinel.checkins.models import Programme
from sentinel.problems.models import Call, Problem
from sentinel.problems.rules import CallOutcome, ProblemState
from sentinel.problems.selectors import may_act_on, similar_open_problems
from sentinel.web.access import ConsoleRequest, done, problem_for, refusals_on, screen, show
from sentinel.web.forms.problem import CallForm
from sentinel.web.reads import problem as reads
from sentinel.web.reads.line import is_dialled_by_hand, line_of
from sentinel.web.reads.opening import opening_sentence
from sentinel.web.screens.problem import to_problem
from sentinel.workflows.letters import mail_reaches
from sentinel.workflows.log_call import log_call

SAID = {
    CallOutcome.NO_ANSWER: "No answer is noted. The next try is on Today, and the ladder goes on.",
    CallOutcome.CALL_BACK: "Noted. Today reminds you when the worker wants the call.",
    CallOutcome.WRONG_NUMBER: "The wrong number is noted. Find the right one, or write to the worker.",
}


@screen(methods=("GET", "POST"))
def call_brief(request: ConsoleRequest, problem_id: int) -> HttpResponse:
    """Whoever may see the problem reads the brief; logging the outcome takes the right to act (403).

    After "reached" the promise comes next, so its form opens.
    """
    problem = problem_for(request, problem_id)
    if request.method != "POST":
        return brief_page(request, problem, CallForm(zone=problem.site.zone))
    if not may_act_on(request.user, problem, request.now):
        raise PermissionDenied("who only reads cannot log calls")
    form = CallForm(request.POST, zone=problem.site.zone)
    if not form.is_valid():
        return brief_page(request, problem, form, status=422)
    outcome = CallOutcome(form.cleaned_data["outcome"])
    with refusals_on(form) as refused:
        log_call(
            problem_id=problem.pk,
            user=request.user,
            outcome=outcome,
            note=form.cleaned_data["note"],
            number=form.cleaned_data["number"],
            call_back_at=form.cleaned_data["call_back_at"],
            now=request.now,
        )
    if refused:
        return brief_page(request, problem, form, status=refused.status)
    if outcome is CallOutcome.REACHED:
        return _after_reached(request, problem)
    return done(request, SAID[outcome], "today")


def _after_reached(request: ConsoleRequest, problem: Problem) -> HttpResponse:
    state = ProblemState(problem.state)
    if state is ProblemState.PROPOSED:
        messages.success(request, "Reached. Did the worker say whether it is solved?")
        return to_problem(problem.pk, opened="telephone")
    messages.success(request, "Reached. By when will it be solved?")
    return to_problem(problem.pk, opened="promise")


def brief_page(
    request: ConsoleRequest, problem: Problem, form: CallForm, *, refused: str = "", status: int = 200
) -> HttpResponse:
    """The brief, with what was typed and why it was not taken. ``refused``: why no call was placed."""
    may_act, duty = may_act_on(request.user, problem, request.now), reads.duty_of(problem)
    provider = Programme.objects.filter(is_active=True).values_list("provider_name", flat=True).first() or ""
    sentence, language = opening_sentence(
        language=problem.call_language or problem.language,
        worker=problem.worker.name,
        user=request.user.name,
        provider=provider,
        is_reopened=problem.state == ProblemState.REOPENED.value,
    )
    return show(
        request,
        "web/problem/brief.html",
        {
            "problem": problem,
            "mail_reaches": mail_reaches(problem),
            "duty": duty,
            "refused": refused,
            "is_tel": is_dialled_by_hand(),
            "line": line_of(problem, user=request.user, duty=duty, now=request.now),
            "again": reads.times_to_call_back(problem, request.now),
            "may_act": may_act,
            "number": problem.call_number or problem.worker.telephone,
            "form": form,
            "may_log": may_act and problem.is_open,
            "worker_now": reads.worker_now(problem, request.now),
            "said": reads.latest_words(problem),
            "calls": Call.objects.filter(problem=problem).select_related("caller").order_by("-id")[:5],
            "earlier": reads.earlier_problems(problem, request.user, request.now),
            "voices": reads.earlier_voices(problem),
            "site": reads.site_history(problem, request.now),
            "similar": list(similar_open_problems(problem, request.user, request.now)),
            "sentence": sentence,
            "sentence_language": language,
        },
        status=status,
    )
