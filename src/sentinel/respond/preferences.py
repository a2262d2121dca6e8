"""Preferences: how often to ask, a pause, the language, the number; and what is known about this worker."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from sentinel.accounts.models import Worker
from sentinel.accounts.rules import Rhythm
from sentinel.accounts.services import set_preferences
from sentinel.kernel.errors import Refused
from sentinel.kernel.links import Purpose
from sentinel.problems.models import Problem
from sentinel.respond.evidence import is_human, plain_step, signals_of
from sentinel.respond.forms import PreferencesForm
from sentinel.respond.links import PROBLEM_DAYS, Opened, signed_link
from sentinel.respond.pages import is_flood, link_to, page, too_much
from sentinel.respond.standing import standing_of
from sentinel.respond.wording import local_day, spoken_date


def load_worker(worker_id: int) -> tuple[Worker, Worker]:
    """The worker of a link about themselves."""
    worker = Worker.objects.select_related("site__account__owner").get(pk=worker_id)
    return worker, worker


@signed_link(Purpose.PREFERENCES, load_worker, valid_days=PROBLEM_DAYS)
def preferences(request: HttpRequest, opened: Opened[Worker]) -> HttpResponse:
    """Whoever holds this worker's own link: what is known about them, and their choices.

    GET and HEAD never write. POST saves the choices, with evidence of a human.
    """
    if request.method != "POST":
        return _show(request, opened, _form_of(opened.worker))
    if is_flood(opened):
        return too_much(request, opened)
    form = PreferencesForm(request.POST)
    if not form.is_valid():
        return _show(request, opened, form)
    until = form.cleaned_data["paused_until"]
    if until is not None and until <= local_day(opened.now, zone=opened.zone):
        form.add_error("paused_until", _("Please choose a day in the future, or leave it empty."))
        return _show(request, opened, form)
    if not is_human(signals_of(request, opened), opened):
        return plain_step(request, opened)
    try:
        set_preferences(
            worker_id=opened.worker.pk,
            rhythm=Rhythm(form.cleaned_data["rhythm"]),
            paused_until=until,
            language=form.cleaned_data["language"],
            telephone=form.cleaned_data["telephone"],
            now=opened.now,
        )
    except Refused as refused:
        _explain(form, refused)
        return _show(request, opened, form)
    return HttpResponseRedirect(f"{request.path}?done=1", status=303)


def _explain(form: PreferencesForm, refused: Refused) -> None:
    """Put a refusal where the worker can mend it, in their language."""
    if refused.details.get("field") == "telephone":
        form.add_error("telephone", _("Please write the number with its country code, like +49 30 123456."))
    else:
        form.add_error(None, _("That could not be saved. Please try again."))


def _form_of(worker: Worker) -> PreferencesForm:
    return PreferencesForm(
        initial={
            "rhythm": worker.rhythm,
            "paused_until": worker.paused_until,
            "language": worker.spoken_language,
            "telephone": worker.telephone,
        }
    )


def _show(request: HttpRequest, opened: Opened[Worker], form: PreferencesForm) -> HttpResponse:
    rows = Problem.objects.filter(worker=opened.worker).select_related("site__calendar", "account", "owner")
    problems = [
        {
            "url": link_to(request, opened, Purpose.PROBLEM, problem.pk),
            "since": spoken_date(problem.opened_at, zone=opened.zone),
            "headline": standing_of(problem, zone=opened.zone, now=opened.now).headline,
            "words": problem.words,
            "language": problem.language,
        }
        for problem in rows.order_by("-id")[:5]
    ]
    context: dict[str, object] = {
        "form": form,
        "person": opened.worker.site.account.owner,
        "problems": problems,
        "done": request.method == "GET" and request.GET.get("done") == "1",
        "action": request.get_full_path().replace("done=1", ""),
        "is_unsubscribed": opened.worker.unsubscribed_at is not None,
    }
    return page(request, opened, "respond/preferences.html", context)
