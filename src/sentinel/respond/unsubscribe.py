"""Unsubscribe: a page for people, and the one-click address for their mail programs (RFC 8058)."""

from __future__ import annotations

from urllib.parse import parse_qs

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from sentinel.accounts.models import Worker
from sentinel.accounts.services import resubscribe_worker, unsubscribe_worker
from sentinel.kernel.errors import Refused
from sentinel.kernel.links import Purpose
from sentinel.problems.selectors import open_problem_of_worker
from sentinel.respond.evidence import is_human, plain_step, signals_of
from sentinel.respond.links import FOR_EVER, Opened, signed_link
from sentinel.respond.pages import is_flood, link_to, page, too_much
from sentinel.respond.preferences import load_worker

#: What a mail program posts, and nothing else, when its user presses its own unsubscribe button.
ONE_CLICK = ("List-Unsubscribe", "One-Click")


@signed_link(Purpose.UNSUBSCRIBE, load_worker, valid_days=FOR_EVER)
def unsubscribe(request: HttpRequest, opened: Opened[Worker]) -> HttpResponse:
    """Whoever holds this worker's own link. GET and HEAD never write; POST stops or resumes the check-ins.

    The press needs evidence of a human: a scanner that presses buttons must not silence anybody.
    """
    if request.method != "POST":
        return _show(request, opened)
    if is_flood(opened):
        return too_much(request, opened)
    if _is_one_click(request):
        return _stop_at_once(opened)
    if not is_human(signals_of(request, opened), opened):
        return plain_step(request, opened)
    try:
        if request.POST.get("act") == "resubscribe":
            resubscribe_worker(worker_id=opened.worker.pk, now=opened.now)
        elif opened.worker.unsubscribed_at is None:
            unsubscribe_worker(worker_id=opened.worker.pk, how="link", now=opened.now)
    except Refused:
        opened.worker.refresh_from_db()
        return _show(request, opened)
    return HttpResponseRedirect(request.get_full_path(), status=303)


@signed_link(Purpose.UNSUBSCRIBE, load_worker, valid_days=FOR_EVER)
def one_click(request: HttpRequest, opened: Opened[Worker]) -> HttpResponse:
    """A mail program acting for its user (RFC 8058): a POST without cookie, answered without a redirect.

    GET and HEAD never write: they show the page for people. A POST that says anything else is refused.
    """
    if request.method != "POST":
        return _show(request, opened)
    if not _is_one_click(request):
        return HttpResponse("Expected List-Unsubscribe=One-Click.\n", content_type="text/plain", status=400)
    return _stop_at_once(opened)


def _is_one_click(request: HttpRequest) -> bool:
    """Both encodings of RFC 8058, and a bare body for programs that forget to name one."""
    name, value = ONE_CLICK
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return request.POST.get(name) == value
    try:
        return parse_qs(request.body[:200].decode("ascii")).get(name) == [value]
    except UnicodeDecodeError:
        return False


def _stop_at_once(opened: Opened[Worker]) -> HttpResponse:
    if opened.worker.unsubscribed_at is None:
        unsubscribe_worker(worker_id=opened.worker.pk, how="one-click", now=opened.now)
    return HttpResponse("Unsubscribed.\n", content_type="text/plain")


def _show(request: HttpRequest, opened: Opened[Worker]) -> HttpResponse:
    waiting = open_problem_of_worker(opened.worker)
    context: dict[str, object] = {
        "is_unsubscribed": opened.worker.unsubscribed_at is not None,
        "waiting_url": link_to(request, opened, Purpose.PROBLEM, waiting.pk) if waiting else "",
        "person": opened.worker.site.account.owner,
        "page_url": link_to(request, opened, Purpose.UNSUBSCRIBE, opened.worker.pk),
        "preferences_url": link_to(request, opened, Purpose.PREFERENCES, opened.worker.pk),
    }
    return page(request, opened, "respond/unsubscribe.html", context)
