"""One worker: how to reach them, whether they are asked, everything they ever told us."""

from __future__ import annotations

from django import forms
from django.http import HttpResponse

from sentinel.accounts.models import Worker
from sentinel.accounts.rules import MailState
from sentinel.accounts.selectors import may_change_account
from sentinel.accounts.services import repair_address
from sentinel.checkins.models import CheckIn
from sentinel.checkins.rules import CheckInState, Evidence
from sentinel.checkins.selectors import responses_visible_to
from sentinel.inbound.selectors import incoming_of_worker
from sentinel.problems.selectors import problems_visible_to
from sentinel.timeline.selectors import events_of_worker
from sentinel.web.access import (
    ConsoleRequest,
    changeable_account_for,
    done,
    refusals_on,
    screen,
    show,
    worker_for,
)
from sentinel.web.forms.accounts import RepairForm
from sentinel.web.reads.accounts import why_never_asked
from sentinel.web.reads.history import tell
from sentinel.web.screens.problem import ACTING
from sentinel.workflows.why_not_asked import why_not_asked_words


@screen()
def worker(request: ConsoleRequest, worker_id: int) -> HttpResponse:
    """Whoever may see the worker's account."""
    return _page(request, worker_for(request, worker_id))


@screen(methods=("POST",))
def worker_repair(request: ConsoleRequest, worker_id: int) -> HttpResponse:
    """Owner, deputy, manager and administrators enter the right address after a bounce."""
    found = worker_for(request, worker_id)
    changeable_account_for(request, found.site.account_id)
    form = RepairForm(request.POST)
    if form.is_valid():
        with refusals_on(form) as refused:
            repair_address(
                worker_id=found.pk, email=form.cleaned_data["email"], user=request.user, now=request.now
            )
        if refused:
            return _page(request, found, repair=form, status=refused.status)
        return done(request, "Repaired. Mail goes there again.", "worker", found.pk)
    return _page(request, found, repair=form, status=422)


def _page(
    request: ConsoleRequest, found: Worker, *, repair: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    user, now = request.user, request.now
    voices = (
        responses_visible_to(user, now)
        .filter(worker=found, evidence=Evidence.VERIFIED.value)
        .exclude(text="")
    )
    check_ins = CheckIn.objects.filter(worker=found)
    return show(
        request,
        "web/account/worker.html",
        {
            "worker": found,
            "why_not": why_never_asked([found], now)[found.pk],
            "is_bad": found.mail_state != MailState.GOOD.value,
            "may_change": may_change_account(user, found.site.account, now),
            "may_open": user.has_role(*ACTING),
            "repair": repair or RepairForm(initial={"email": found.email}),
            "problems": problems_visible_to(user, now)
            .filter(worker=found)
            .select_related("duty")
            .order_by("-id")[:20],
            "voices": voices.select_related("worker__site__account").order_by("-received_at", "-pk")[:20],
            "last_asked": check_ins.filter(state=CheckInState.SENT.value).order_by("-sent_at", "-pk").first(),
            "next_asked": check_ins.filter(state=CheckInState.PLANNED.value).first(),
            "asked": why_not_asked_words(found, now),
            "mails": list(incoming_of_worker(found.pk)[:10]),
            "moments": tell(events_of_worker(found.pk)[:40], language=found.spoken_language),
        },
        status=status,
    )
