"""Mail that came in: what it said, what it set in motion, and what waits for a person."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header

from sentinel.accounts.models import Worker
from sentinel.accounts.selectors import accounts_visible_to
from sentinel.inbound.models import IncomingMail
from sentinel.inbound.sealing import CannotBeOpened, unseal
from sentinel.inbound.states import IncomingState
from sentinel.people.rules import Role
from sentinel.people.selectors import user_by_id
from sentinel.problems.rules import OPEN_STATES
from sentinel.problems.selectors import problems_visible_to
from sentinel.web.access import ConsoleRequest, done, refusals_on, screen, show
from sentinel.web.forms.mail import SettleMailForm
from sentinel.web.screens.mail.tabs import mail_tabs
from sentinel.web.screens.problem import ACTING
from sentinel.workflows.mail_access import incoming_visible_to
from sentinel.workflows.settle_mail import settle_mail

PER_PAGE = 25
#: Offered as homes of a mail; somebody with more open problems starts from the problem itself.
MOST_CHOICES = 200
#: Pictures that a browser shows without running anything. Everything else is only handed out.
SHOWN = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
MAIL = "message/rfc822"
#: Whatever the bytes are: no script, no plug-in, no origin.
FILE_POLICY = "default-src 'none'; sandbox"


@screen()
def incoming_list(request: ConsoleRequest) -> HttpResponse:
    """Everybody: the mails of workers of the accounts they may see; unplaced ones only administrators."""
    shows_all = request.GET.get("show") == "all"
    search = request.GET.get("q", "")[:100].strip()
    rows = incoming_visible_to(request.user, request.now).defer("raw")
    if not shows_all:
        rows = rows.filter(state=IncomingState.PERSON.value)
    if search:
        named = Worker.objects.filter(name__icontains=search).values("pk")
        rows = rows.filter(
            Q(from_address__icontains=search)
            | Q(from_name__icontains=search)
            | Q(worker_id__in=named)
            | Q(subject__icontains=search)
            | Q(words__icontains=search)
        )
    page = Paginator(rows.order_by("-id"), PER_PAGE).get_page(request.GET.get("page"))
    workers = {
        worker.pk: worker
        for worker in Worker.objects.filter(pk__in={mail.worker_id for mail in page if mail.worker_id})
    }
    context = {
        "tabs": mail_tabs(request),
        "page": page,
        "mails": [(mail, workers.get(mail.worker_id or 0)) for mail in page],
        "shows_all": shows_all,
        "search": search,
    }
    return show(request, "web/mail/incoming.html", context)


@screen(methods=("GET", "POST"))
def incoming(request: ConsoleRequest, mail_id: int) -> HttpResponse:
    """Whoever may see the mail reads it; who acts on problems, and administrators, settle it."""
    found = _mail(request, mail_id)
    form = _form(request, found)
    if request.method != "POST":
        return _page(request, found, form)
    if not request.user.has_role(*ACTING, Role.ADMINISTRATOR):
        raise PermissionDenied("who only reads cannot settle it")
    if not form.is_valid():
        return _page(request, found, form, status=422)
    values = form.cleaned_data
    with refusals_on(form) as refused:
        settle_mail(
            incoming_id=found.pk,
            user=request.user,
            problem_id=values["problem"].pk if values["what"] == "problem" else None,
            worker_id=values["worker"].pk if values["what"] == "worker" else None,
            note=values["note"],
            now=request.now,
        )
    if refused:
        return _page(request, found, form, status=refused.status)
    return done(request, "Settled.", "mail-incoming")


@screen()
def attachment(request: ConsoleRequest, mail_id: int, position: int) -> HttpResponse:
    """Whoever may see the mail. Only plain pictures are shown; anything else is a file to save. A mail inside
    the mail, like the raw mail, is for administrators: ours hold the worker's own links."""
    found = _mail(request, mail_id)
    file = found.attachments.filter(position=position).first()
    if file is None or not file.content:
        raise Http404("no such file")
    if MAIL in (file.sniffed_type, file.declared_type) and not request.user.has_role(Role.ADMINISTRATOR):
        raise PermissionDenied("a mail of ours in it would say yes for the worker")
    kind = file.sniffed_type if file.sniffed_type in SHOWN else "application/octet-stream"
    response = HttpResponse(_opened(bytes(file.content), file.digest), content_type=kind)
    saves = kind not in SHOWN or "save" in request.GET
    response["Content-Disposition"] = content_disposition_header(saves, file.name or "file") or "attachment"
    response["Content-Security-Policy"] = FILE_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    return response


@screen(Role.ADMINISTRATOR)
def raw(request: ConsoleRequest, mail_id: int) -> HttpResponse:
    """Administrators save the mail exactly as it came, while it is kept."""
    found = _mail(request, mail_id)
    if not found.raw:
        raise Http404("the raw mail is no longer kept")
    response = HttpResponse(_opened(bytes(found.raw), found.digest), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="mail-{found.pk}.eml"'
    response["Content-Security-Policy"] = FILE_POLICY
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _mail(request: ConsoleRequest, mail_id: int) -> IncomingMail:
    found = incoming_visible_to(request.user, request.now).filter(pk=mail_id).first()
    if found is None:
        raise Http404("no such mail, or not for this viewer")
    return found


def _opened(sealed: bytes, digest: str) -> bytes:
    try:
        return unseal(sealed, digest=digest)
    except CannotBeOpened as error:
        raise Http404(str(error)) from error


def _form(request: ConsoleRequest, found: IncomingMail) -> SettleMailForm:
    problems = problems_visible_to(request.user, request.now).filter(state__in=[s.value for s in OPEN_STATES])
    accounts = accounts_visible_to(request.user, request.now)
    workers = Worker.objects.filter(site__account__in=accounts.values("pk"))
    if found.account_id:
        problems, workers = (
            problems.filter(account_id=found.account_id),
            workers.filter(site__account_id=found.account_id),
        )
    newest = problems.order_by("-id").values_list("pk", flat=True)[:MOST_CHOICES]
    chosen = workers.order_by("name").values_list("pk", flat=True)[:MOST_CHOICES]
    return SettleMailForm(
        request.POST or None,
        problems=problems.filter(pk__in=list(newest)).select_related("worker", "account"),
        workers=workers.filter(pk__in=list(chosen)).select_related("site__account"),
        everybody=workers,
        initial={"problem": found.problem_id, "worker": found.worker_id},
    )


def _page(
    request: ConsoleRequest, found: IncomingMail, form: SettleMailForm, *, status: int = 200
) -> HttpResponse:
    user, now = request.user, request.now
    waits = found.state == IncomingState.PERSON.value
    worker = Worker.objects.filter(pk=found.worker_id or 0).select_related("site__account").first()
    files = found.attachments.defer("content")
    settler = user_by_id(found.settled_by_id)
    context = {
        "tabs": mail_tabs(request),
        "mail": found,
        "worker": worker,
        "problem": problems_visible_to(user, now).filter(pk=found.problem_id or 0).first(),
        "files": [(file, file.sniffed_type in SHOWN and not file.refused) for file in files],
        "form": form,
        "may_settle": waits and user.has_role(*ACTING, Role.ADMINISTRATOR),
        "may_save_raw": user.has_role(Role.ADMINISTRATOR) and bool(found.raw),
        "settled_by": settler,
    }
    return show(request, "web/mail/mail.html", context, status=status)
