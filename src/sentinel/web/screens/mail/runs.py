"""Check-ins on their way: every run with honest numbers, and the hands that stop or repeat it."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import timedelta

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect

from sentinel.accounts.selectors import accounts_visible_to
from sentinel.bulk.models import Delivery, Run
from sentinel.bulk.selectors import (
    Progress,
    deliveries,
    export_rows,
    lanes_of,
    progress_of,
    recent_runs,
    sender_state,
)
from sentinel.bulk.services import pause_all, pause_run, resume_all, resume_run
from sentinel.bulk.states import DeliveryState
from sentinel.web import words
from sentinel.web.access import ConsoleRequest, done, screen, show
from sentinel.web.forms.mail import ReasonForm
from sentinel.web.screens.mail.reasons import reason_of
from sentinel.web.screens.mail.tabs import LOOKING, STEERING, mail_tabs
from sentinel.workflows.retry_deliveries import retry_deliveries
from sentinel.workflows.withdraw_deliveries import judge_waiting_again

PER_PAGE = 50
MOST_RUNS = 60
MOST_LANES = 40
#: The progress is asked for again after so many seconds while something still moves.
REFRESH_SECONDS = 2
_WHY = "Say why; whoever comes after you will ask."
#: A sender says at least every few seconds that it lives; one that is silent for longer sends nothing.
SILENT = timedelta(minutes=1)


@screen()
def mail_home(request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in is sent to the first mail screen they may see."""
    return redirect("mail-runs" if request.user.has_role(*LOOKING) else "mail-incoming")


@screen(*LOOKING)
def run_list(request: ConsoleRequest) -> HttpResponse:
    """Administrators, analysts, managers and executives: counts only, no address of anybody."""
    runs = [(run, progress_of(run.pk, request.now)) for run in recent_runs(MOST_RUNS)]
    context = {
        "tabs": mail_tabs(request),
        "runs": runs,
        "sender": sender_state(),
        "may_steer": request.user.has_role(*STEERING),
        "reason_form": ReasonForm(),
    }
    return show(request, "web/mail/runs.html", context)


@screen(*LOOKING)
def run(request: ConsoleRequest, run_id: int) -> HttpResponse:
    """The same viewers; single deliveries only of accounts they may see."""
    found = _run(run_id)
    context = _progress_context(request, found)
    state = request.GET.get("state", "")
    if state not in words.DELIVERY_STATES:
        state = _telling_state(progress_of(found.pk, request.now)).value
    rows = _visible(request, deliveries(found.pk, DeliveryState(state)))
    context |= {
        "tabs": mail_tabs(request),
        "lanes": lanes_of(found.pk, MOST_LANES),
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "state": state,
        "states": [(s.value, words.DELIVERY_STATES[s.value]) for s in DeliveryState],
        "may_steer": request.user.has_role(*STEERING),
        "reason_form": ReasonForm(),
    }
    return show(request, "web/mail/run.html", context)


@screen(*LOOKING)
def run_progress(request: ConsoleRequest, run_id: int) -> HttpResponse:
    """The same viewers: the counts alone, asked for every two seconds while they change."""
    return show(request, "web/mail/progress.html", _progress_context(request, _run(run_id)))


@screen(*STEERING)
def run_export(request: ConsoleRequest, run_id: int) -> StreamingHttpResponse:
    """Administrators: the exact state of every recipient, as CSV."""
    found = _run(run_id)
    response = StreamingHttpResponse(_csv(found.pk), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="run-{found.pk}-{found.day:%Y-%m-%d}.csv"'
    return response


@screen(*STEERING, methods=("POST",))
def run_act(request: ConsoleRequest, run_id: int, act: str) -> HttpResponse:
    """Administrators pause (with a reason) and resume a run, and try its failed deliveries again."""
    found = _run(run_id)
    user, now = request.user, request.now
    if act == "pause":
        pause_run(
            run_id=found.pk,
            user_id=user.pk,
            user_name=user.name,
            reason=reason_of(request, ask=_WHY),
            now=now,
        )
        return done(
            request, "Paused. What was on the wire is finished; nothing new begins.", "mail-run", run_id
        )
    if act == "resume":
        judge_waiting_again(now=now)
        resume_run(run_id=found.pk, user_id=user.pk, user_name=user.name, now=now)
        return done(request, "It goes on.", "mail-run", run_id)
    tried = retry_deliveries(run_id=found.pk, user_id=user.pk, user_name=user.name, now=now)
    said = f"{tried} tried again." if tried else "None can be tried again: the reasons still hold."
    return done(request, said, "mail-run", run_id)


@screen(*STEERING, methods=("POST",))
def sender_act(request: ConsoleRequest, act: str) -> HttpResponse:
    """Administrators pause every run at once (with a reason), and let them go on."""
    if act == "pause":
        pause_all(
            user_id=request.user.pk,
            user_name=request.user.name,
            reason=reason_of(request, ask=_WHY),
            now=request.now,
        )
        return done(request, "All check-ins stand still. Mail about problems goes on.", "mail-runs")
    judge_waiting_again(now=request.now)
    resume_all(user_id=request.user.pk, user_name=request.user.name, now=request.now)
    return done(request, "Check-ins go on.", "mail-runs")


def _run(run_id: int) -> Run:
    found = Run.objects.filter(pk=run_id).first()
    if found is None:
        raise Http404("no such run")
    return found


def _visible(request: ConsoleRequest, rows: QuerySet[Delivery]) -> QuerySet[Delivery]:
    visible = accounts_visible_to(request.user, request.now).values_list("pk", flat=True)
    return rows.filter(account_id__in=visible)


def _progress_context(request: ConsoleRequest, found: Run) -> dict[str, object]:
    progress = progress_of(found.pk, request.now)
    sender = sender_state()
    return {
        "run": found,
        "progress": progress,
        "sender": sender,
        "sender_is_silent": sender.alive_at is None or request.now - sender.alive_at > SILENT,
        "refresh": REFRESH_SECONDS,
    }


def _telling_state(progress: Progress) -> DeliveryState:
    """What a viewer who chose nothing most likely wants to see: what went wrong, before what went well."""
    told = (
        (progress.failed, DeliveryState.FAILED),
        (progress.deferred, DeliveryState.DEFERRED),
        (progress.skipped, DeliveryState.SKIPPED),
        (progress.waiting, DeliveryState.PENDING),
    )
    return next((state for count, state in told if count), DeliveryState.SENT)


class _Line:
    """What the csv module writes to: it hands every line straight on."""

    def write(self, line: str) -> str:
        return line


def _csv(run_id: int) -> Iterator[str]:
    writer = csv.writer(_Line())
    # A mark at the start, so that spreadsheets read the file as UTF-8.
    yield "\ufeff"
    for row in export_rows(run_id):
        yield writer.writerow([_harmless(cell) for cell in row])


def _harmless(cell: str) -> str:
    """A mail server's words must not become a formula in a spreadsheet."""
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
