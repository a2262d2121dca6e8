"""The objection page: "I never said so", against a yes that a user noted on the telephone."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from sentinel.accounts.models import Worker
from sentinel.kernel.errors import Refused
from sentinel.kernel.links import Purpose
from sentinel.problems.models import Confirmation
from sentinel.problems.rules import How
from sentinel.respond.evidence import is_human, plain_step, signals_of
from sentinel.respond.forms import WordsForm
from sentinel.respond.links import FOR_EVER, Opened, signed_link
from sentinel.respond.pages import is_flood, link_to, page, too_much
from sentinel.respond.standing import standing_of
from sentinel.respond.wording import spoken_date
from sentinel.workflows.telephone_verdict import object_to_confirmation


def _confirmation(confirmation_id: int) -> tuple[Confirmation, Worker]:
    rows = Confirmation.objects.select_related(
        "recorded_by",
        "proposal__problem__worker__site__account__owner",
        "proposal__problem__site__calendar",
        "proposal__problem__account",
        "proposal__problem__owner",
    )
    found = rows.get(pk=confirmation_id, how=How.TELEPHONE.value)
    return found, found.proposal.problem.worker


@signed_link(Purpose.OBJECT, _confirmation, valid_days=FOR_EVER)
def objection(request: HttpRequest, opened: Opened[Confirmation]) -> HttpResponse:
    """Whoever holds this note's link, which only its worker was sent.

    GET and HEAD never write. POST objects, with evidence of a human, as often as the worker likes: the
    first one counts.
    """
    if request.method != "POST" or opened.subject.objected_at is not None:
        return _show(request, opened, WordsForm())
    if is_flood(opened):
        return too_much(request, opened, typed=request.POST.get("words", ""))
    form = WordsForm(request.POST)
    if not form.is_valid():
        return _show(request, opened, form)
    words = form.cleaned_data["words"]
    if not is_human(signals_of(request, opened), opened, typed=words):
        return plain_step(request, opened)
    try:
        object_to_confirmation(confirmation_id=opened.subject.pk, words=words, human=True, now=opened.now)
    except Refused:
        opened.subject.refresh_from_db()
        return _show(request, opened, form)
    return HttpResponseRedirect(request.get_full_path(), status=303)


def _show(request: HttpRequest, opened: Opened[Confirmation], form: WordsForm) -> HttpResponse:
    note = opened.subject
    problem = note.proposal.problem
    standing = standing_of(problem, zone=opened.zone, now=opened.now)
    context: dict[str, object] = {
        "note": note,
        "problem": problem,
        "said_on": spoken_date(note.at, zone=opened.zone),
        "standing": standing,
        "person": standing.person,
        "form": form,
        "action": request.get_full_path(),
        "problem_url": link_to(request, opened, Purpose.PROBLEM, problem.pk),
    }
    return page(request, opened, "respond/objection.html", context)
