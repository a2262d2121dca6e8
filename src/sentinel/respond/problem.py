"""My problem: how it stands in plain words, who is on it, what was promised, and what the worker can say."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from sentinel.accounts.models import Worker
from sentinel.kernel.errors import Refused
from sentinel.kernel.links import Purpose
from sentinel.problems.models import Problem
from sentinel.respond.evidence import is_human, plain_step, signals_of
from sentinel.respond.forms import CallWishes, WordsForm
from sentinel.respond.history import history_of
from sentinel.respond.links import PROBLEM_DAYS, Opened, signed_link
from sentinel.respond.pages import is_flood, link_to, page, too_much
from sentinel.respond.standing import standing_of
from sentinel.workflows.telephone_verdict import report_again
from sentinel.workflows.worker_words import add_worker_words, ask_for_manager, update_call_wishes


def _problem(problem_id: int) -> tuple[Problem, Worker]:
    rows = Problem.objects.select_related(
        "worker__site__account__owner", "site__calendar", "account", "owner"
    )
    found = rows.get(pk=problem_id)
    return found, found.worker


@signed_link(Purpose.PROBLEM, _problem, valid_days=PROBLEM_DAYS)
def my_problem(request: HttpRequest, opened: Opened[Problem]) -> HttpResponse:
    """Whoever holds this problem's link, which only its worker was sent: their own words, calls, promises.

    GET and HEAD never write. POST does one of the worker's acts, named by ``act``, with evidence of a human.
    """
    if request.method != "POST":
        return _show(request, opened)
    if is_flood(opened):
        return too_much(request, opened, typed=request.POST.get("words", ""))
    act = _ACTS.get(request.POST.get("act", ""))
    if act is None:
        return _show(request, opened)
    return act(request, opened)


def _show(
    request: HttpRequest,
    opened: Opened[Problem],
    *,
    trouble: str = "",
    typed: str = "",
    wishes: CallWishes | None = None,
) -> HttpResponse:
    problem = opened.subject
    standing = standing_of(problem, zone=opened.zone, now=opened.now)
    confirm_url = link_to(request, opened, Purpose.CONFIRM, standing.proposal.pk) if standing.proposal else ""
    context: dict[str, object] = {
        "problem": problem,
        "standing": standing,
        "person": standing.person,
        "history": history_of(problem, zone=opened.zone, now=opened.now),
        "confirm_url": confirm_url,
        "wishes": wishes or _wishes_of(problem),
        "words_form": WordsForm(initial={"words": typed}),
        "action": request.get_full_path(),
        "trouble": trouble,
        "done": _DONE.get(request.GET.get("done", ""), lambda: "")(),
    }
    return page(request, opened, "respond/problem.html", context)


def _wishes_of(problem: Problem) -> CallWishes:
    return CallWishes(
        initial={
            "may_call": "yes" if problem.may_call else "no",
            "number": problem.call_number,
            "when": problem.call_when,
            "language": problem.call_language or problem.language,
        }
    )


def _back(request: HttpRequest, done: str) -> HttpResponse:
    """Back to the page by GET, so that reloading it sends nothing twice."""
    query = request.GET.copy()
    query["done"] = done
    return HttpResponseRedirect(f"{request.path}?{query.urlencode()}", status=303)


def _add_words(request: HttpRequest, opened: Opened[Problem]) -> HttpResponse:
    form = WordsForm(request.POST)
    words = form.cleaned_data["words"] if form.is_valid() else ""
    if not words:
        typed = request.POST.get("words", "")
        trouble = (
            _("That is too long. Please shorten it.") if typed.strip() else _("Please write a few words.")
        )
        return _show(request, opened, trouble=trouble, typed=typed)
    return _do(
        request,
        opened,
        "words",
        lambda: add_worker_words(problem_id=opened.subject.pk, words=words, now=opened.now),
    )


def _change_wishes(request: HttpRequest, opened: Opened[Problem]) -> HttpResponse:
    form = CallWishes(request.POST)
    if not form.is_valid():
        return _show(request, opened, wishes=form)
    if not is_human(signals_of(request, opened), opened):
        return plain_step(request, opened)
    return _do(
        request,
        opened,
        "wishes",
        lambda: update_call_wishes(problem_id=opened.subject.pk, now=opened.now, **form.wishes()),
    )


def _want_manager(request: HttpRequest, opened: Opened[Problem]) -> HttpResponse:
    return _say(request, opened, "manager", ask_for_manager)


def _came_back(request: HttpRequest, opened: Opened[Problem]) -> HttpResponse:
    return _say(request, opened, "again", report_again)


def _say(
    request: HttpRequest, opened: Opened[Problem], done: str, workflow: Callable[..., object]
) -> HttpResponse:
    """An act with optional words: it counts when a human does it."""
    form = WordsForm(request.POST)
    if not form.is_valid():
        typed = request.POST.get("words", "")
        return _show(request, opened, trouble=_("That is too long. Please shorten it."), typed=typed)
    words = form.cleaned_data["words"]
    if not is_human(signals_of(request, opened), opened, typed=words):
        return plain_step(request, opened)
    return _do(
        request,
        opened,
        done,
        lambda: workflow(problem_id=opened.subject.pk, words=words, human=True, now=opened.now),
    )


def _do(request: HttpRequest, opened: Opened[Problem], done: str, act: Callable[[], object]) -> HttpResponse:
    """Carry out an act. What cannot be done any more (the problem moved on) shows how it stands now."""
    try:
        act()
    except Refused:
        opened.subject.refresh_from_db()
        trouble = _("That was not possible any more. This is how it stands now.")
        return _show(request, opened, trouble=trouble, typed=request.POST.get("words", ""))
    return _back(request, done)


_ACTS: dict[str, Callable[[HttpRequest, Opened[Problem]], HttpResponse]] = {
    "words": _add_words,
    "wishes": _change_wishes,
    "manager": _want_manager,
    "again": _came_back,
}
_DONE: dict[str, Callable[[], str]] = {
    "words": lambda: _("Thank you. Your words have been passed on."),
    "wishes": lambda: _("Thank you. We have noted how to call you."),
    "manager": lambda: _("Thank you. The manager has been told that you want to talk."),
    "again": lambda: _("Thank you for telling us. We are on it again."),
}
