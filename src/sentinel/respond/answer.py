"""The answer page: the face is chosen already, everything else is optional, one button sends it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import get_language

from sentinel.accounts.models import Worker
from sentinel.checkins.messages import question_in
from sentinel.checkins.models import CheckIn, Response
from sentinel.checkins.rules import Evidence, Face, ResponseKind, Severity
from sentinel.checkins.services import record_visit
from sentinel.kernel.links import Purpose
from sentinel.problems.models import Problem
from sentinel.problems.selectors import open_problem_of_worker
from sentinel.respond.evidence import plain_step, signals_of
from sentinel.respond.forms import AnswerForm, LateForm
from sentinel.respond.links import ANSWER_DAYS, Opened, signed_link
from sentinel.respond.pages import is_flood, link_to, page, too_much, with_language
from sentinel.respond.standing import expected_call, standing_of
from sentinel.respond.wording import spoken_date, spoken_time
from sentinel.workflows.record_response import Answer, Signals, record_response


def _check_in(check_in_id: int) -> tuple[CheckIn, Worker]:
    found = CheckIn.objects.select_related("programme", "worker__site__account__owner").get(pk=check_in_id)
    return found, found.worker


@signed_link(Purpose.ANSWER, _check_in, valid_days=ANSWER_DAYS, accepts_late=True)
def answer(request: HttpRequest, opened: Opened[CheckIn], face: str) -> HttpResponse:
    """Whoever holds this check-in's answer link; shows that worker's own number and nothing else of theirs.

    GET and HEAD write only the journal of openings, which decides nothing. POST stores the answer.
    """
    if face not in {known.value for known in Face}:
        raise Http404
    if request.method != "POST":
        _journal(request, opened, face)
        return _late(request, opened) if opened.is_late else _ask(request, opened, _blank(opened, face))
    if is_flood(opened, check_in_id=opened.subject.pk):
        return too_much(request, opened, typed=request.POST.get("text", ""))
    return _accept_late(request, opened, face) if opened.is_late else _accept(request, opened)


@signed_link(Purpose.ANSWER, _check_in, valid_days=ANSWER_DAYS, accepts_late=True)
def honeypot(request: HttpRequest, opened: Opened[CheckIn]) -> HttpResponse:
    """Whoever follows the link that no human sees. Notes the opening; there is nothing to read or to do."""
    _journal(request, opened, "honeypot")
    back = link_to(request, opened, Purpose.PREFERENCES, opened.worker.pk)
    return page(request, opened, "respond/nothing_here.html", {"back": back})


@signed_link(Purpose.ANSWER, _check_in, valid_days=ANSWER_DAYS, accepts_late=True)
def thanks(request: HttpRequest, opened: Opened[CheckIn]) -> HttpResponse:
    """Whoever holds this check-in's answer link: what became of its last verified answer. Never writes."""
    last = _last_answer(opened)
    if last is None:
        return HttpResponseRedirect(_path(request, opened, Face.HAPPY.value))
    mine = Problem.objects.select_related("site__calendar", "account", "owner").filter(worker=opened.worker)
    problem = mine.filter(pk=last.problem_id).first() if last.problem_id else None
    if problem is None:
        owner = opened.worker.site.account.owner
        return page(request, opened, "respond/thanks_happy.html", {"answer": last, "person": owner})
    standing = standing_of(problem, zone=opened.zone, now=opened.now)
    call_at = expected_call(problem)
    context = {
        "answer": last,
        "problem": problem,
        "standing": standing,
        "person": standing.person,
        "call_by": spoken_time(call_at, zone=opened.zone, now=opened.now)
        if call_at and call_at > opened.now
        else "",
        "problem_url": link_to(request, opened, Purpose.PROBLEM, problem.pk),
    }
    return page(request, opened, "respond/thanks_frown.html", context)


def _journal(request: HttpRequest, opened: Opened[CheckIn], target: str) -> None:
    if request.method in ("GET", "HEAD"):
        record_visit(check_in_id=opened.subject.pk, target=target, method=request.method, now=opened.now)


def _path(request: HttpRequest, opened: Opened[CheckIn], part: str) -> str:
    return with_language(request, f"/{Purpose.ANSWER.value}/{opened.token}/{part}/")


def _last_answer(opened: Opened[CheckIn]) -> Response | None:
    return (
        Response.objects.filter(check_in_id=opened.subject.pk, evidence=Evidence.VERIFIED.value)
        .order_by("-received_at", "-id")
        .first()
    )


def _blank(opened: Opened[CheckIn], face: str) -> AnswerForm:
    worker = opened.worker
    return AnswerForm(
        initial={
            "face": face,
            "may_call": "yes",
            "number": worker.telephone,
            "language": worker.spoken_language,
        }
    )


def _ask(request: HttpRequest, opened: Opened[CheckIn], form: AnswerForm) -> HttpResponse:
    waiting = open_problem_of_worker(opened.worker)
    context: dict[str, object] = {
        "form": form,
        "question": question_in(opened.subject.programme.questions, get_language() or "en"),
        "chosen": form.data.get("face") or form.initial.get("face"),
        "number": form["number"].value() or "",
        "honeypot_url": f"/{Purpose.ANSWER.value}/{opened.token}/more/",
        "waiting": waiting,
        "waiting_since": spoken_date(waiting.opened_at, zone=opened.zone) if waiting else "",
        "waiting_url": link_to(request, opened, Purpose.PROBLEM, waiting.pk) if waiting else "",
        "action": request.get_full_path(),
    }
    return page(request, opened, "respond/answer.html", context)


def _accept(request: HttpRequest, opened: Opened[CheckIn]) -> HttpResponse:
    form = AnswerForm(request.POST)
    if not form.is_valid():
        return _ask(request, opened, form)
    given = _answer_of(form)
    if _store(opened, given, signals_of(request, opened)):
        return plain_step(request, opened)
    return HttpResponseRedirect(_path(request, opened, "thanks"), status=303)


def _store(opened: Opened[CheckIn], given: Answer, signals: Signals) -> bool:
    """Store the answer (a double click is one). Returns whether the plain step is to be offered."""
    recorded = record_response(check_in_id=opened.subject.pk, answer=given, signals=signals, now=opened.now)
    return recorded.offer_plain_step


def _answer_of(form: AnswerForm) -> Answer:
    data = form.cleaned_data
    wishes = form.wishes()
    face = Face(data["face"])
    is_frown = face is Face.FROWN
    return Answer(
        face=face,
        kind=ResponseKind(data["kind"] or "comment") if data["text"] and not is_frown else None,
        text=data["text"],
        severity=Severity(data["severity"]) if data["severity"] and is_frown else None,
        may_call=wishes["may_call"],
        call_number=wishes["number"],
        call_when=wishes["when"],
        call_language=wishes["language"],
        language=get_language() or "en",
    )


def _late(request: HttpRequest, opened: Opened[CheckIn], form: LateForm | None = None) -> HttpResponse:
    context: dict[str, object] = {
        "form": form or LateForm(),
        "person": opened.worker.site.account.owner,
        "asked_on": spoken_date(opened.subject.sent_at, zone=opened.zone) if opened.subject.sent_at else "",
        "action": request.get_full_path(),
    }
    return page(request, opened, "respond/answer_late.html", context)


def _accept_late(request: HttpRequest, opened: Opened[CheckIn], face: str) -> HttpResponse:
    """Words are kept whenever they come; how late they came shows in the response's own time."""
    form = LateForm(request.POST)
    if not form.is_valid():
        return _late(request, opened, form)
    chosen = Face(face)
    given = Answer(
        face=chosen,
        kind=None if chosen is Face.FROWN else ResponseKind.COMMENT,
        text=form.cleaned_data["text"],
        call_number=opened.worker.telephone,
        call_language=opened.worker.spoken_language,
        language=get_language() or "en",
    )
    _store(opened, given, signals_of(request, opened))
    return HttpResponseRedirect(_path(request, opened, "thanks"), status=303)
