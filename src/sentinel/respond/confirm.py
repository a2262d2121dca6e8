"""The confirm page: two equal buttons and optional words. Only this worker's own answer closes a problem."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from sentinel.accounts.models import Worker
from sentinel.kernel.errors import Refused
from sentinel.kernel.links import Purpose
from sentinel.problems.models import Confirmation, Problem, Proposal
from sentinel.problems.rules import How, ProblemState, Verdict
from sentinel.respond.evidence import is_human, plain_step, signals_of
from sentinel.respond.forms import WordsForm
from sentinel.respond.links import PROBLEM_DAYS, Opened, signed_link
from sentinel.respond.pages import is_flood, link_to, page, too_much, with_language
from sentinel.respond.standing import standing_of
from sentinel.workflows.record_verdict import record_verdict


def _proposal(proposal_id: int) -> tuple[Proposal, Worker]:
    rows = Proposal.objects.select_related(
        "by",
        "problem__worker__site__account__owner",
        "problem__site__calendar",
        "problem__account",
        "problem__owner",
    )
    found = rows.get(pk=proposal_id)
    return found, found.problem.worker


@signed_link(Purpose.CONFIRM, _proposal, valid_days=PROBLEM_DAYS)
def confirm(request: HttpRequest, opened: Opened[Proposal], chosen: str = "") -> HttpResponse:
    """Whoever holds this proposal's link, which only its worker was sent.

    GET and HEAD never write, also with a verdict in the address: it only marks the button. POST records
    the verdict when a human gave it; a yes with words that say no is asked about once more.
    """
    if chosen and chosen not in {verdict.value for verdict in Verdict}:
        raise Http404
    if not _is_asked(opened.subject):
        return _standing(request, opened)
    if request.method != "POST":
        return _ask(request, opened, WordsForm(), chosen)
    if is_flood(opened):
        return too_much(request, opened, typed=request.POST.get("words", ""))
    return _accept(request, opened, chosen)


def _is_asked(proposal: Proposal) -> bool:
    return proposal.settled_at is None and proposal.problem.state == ProblemState.PROPOSED.value


def _ask(request: HttpRequest, opened: Opened[Proposal], form: WordsForm, chosen: str) -> HttpResponse:
    context: dict[str, object] = {
        "proposal": opened.subject,
        "problem": opened.subject.problem,
        "form": form,
        "chosen": chosen,
        "action": request.get_full_path(),
        "problem_url": link_to(request, opened, Purpose.PROBLEM, opened.subject.problem_id),
    }
    return page(request, opened, "respond/confirm.html", context)


def _accept(request: HttpRequest, opened: Opened[Proposal], chosen: str) -> HttpResponse:
    form = WordsForm(request.POST)
    verdict = request.POST.get("verdict", "")
    if not form.is_valid() or verdict not in {known.value for known in Verdict}:
        return _ask(request, opened, form, chosen)
    words = form.cleaned_data["words"]
    after_doubt = request.POST.get("after_doubt") == "1"
    # After a doubt the words stand in the page already: only a new sign of a human counts.
    if not is_human(signals_of(request, opened), opened, typed="" if after_doubt else words):
        return plain_step(request, opened)
    try:
        recorded = record_verdict(
            proposal_id=opened.subject.pk,
            verdict=Verdict(verdict),
            words=words,
            human=True,
            after_doubt=after_doubt,
            now=opened.now,
        )
    except Refused:
        opened.subject.refresh_from_db()
        return _standing(request, opened)
    if recorded.doubted:
        context: dict[str, object] = {"words": words, "action": request.get_full_path()}
        return page(request, opened, "respond/doubt.html", context)
    if recorded.already:
        # Nothing changed (somebody else's click came first, or many a "no" today): show how it stands.
        return HttpResponseRedirect(
            link_to(request, opened, Purpose.PROBLEM, opened.subject.problem_id), status=303
        )
    path = f"/{Purpose.CONFIRM.value}/{opened.token}/"
    return HttpResponseRedirect(with_language(request, path), status=303)


def _standing(request: HttpRequest, opened: Opened[Proposal]) -> HttpResponse:
    """The proposal is settled: what the worker answered, or how the problem stands now."""
    problem = Problem.objects.select_related("site__calendar", "account", "owner").get(
        pk=opened.subject.problem_id
    )
    last = Confirmation.objects.filter(proposal=opened.subject).order_by("-id").first()
    standing = standing_of(problem, zone=opened.zone, now=opened.now)
    own = last if last is not None and last.how != How.TELEPHONE.value and last.objected_at is None else None
    newer = link_to(request, opened, Purpose.CONFIRM, standing.proposal.pk) if standing.proposal else ""
    context: dict[str, object] = {
        "standing": standing,
        "person": standing.person,
        "answered": own.verdict if own else "",
        "newer_url": newer,
        "problem_url": link_to(request, opened, Purpose.PROBLEM, problem.pk),
    }
    return page(request, opened, "respond/confirm_standing.html", context)
