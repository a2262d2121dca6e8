"""How mail systems see us: domains and their pace, whom we leave alone, the doctor, the scanners."""

from __future__ import annotations

from django.conf import settings
from django.core.paginator import Paginator
from django.db.models import Q
from django.db.models.functions import Lower
from django.forms import Form
from django.http import Http404, HttpResponse

from sentinel.accounts.models import Account, Worker
from sentinel.accounts.selectors import accounts_visible_to
from sentinel.bulk.selectors import lanes
from sentinel.bulk.services import pause_lane, resume_lane, set_lane_limit
from sentinel.checkins.selectors import active_programme
from sentinel.kernel.errors import Refused
from sentinel.people.rules import Role
from sentinel.standing.models import Brake, CheckUp, ScannerHabit, Suppression
from sentinel.standing.services import ask_check_up, lift_suppression, release_brake, suppress
from sentinel.standing.states import SuppressedBecause
from sentinel.web.access import ConsoleRequest, done, refusals_on, screen, show, status_of
from sentinel.web.forms.mail import DomainForm, LimitForm, ReasonForm, SuppressForm
from sentinel.web.screens.mail.reasons import reason_of
from sentinel.web.screens.mail.tabs import LOOKING, STEERING, mail_tabs
from sentinel.workflows.withdraw_deliveries import judge_waiting_again

PER_PAGE = 50
MOST_LANES = 200
MOST_CHECK_UPS = 10
#: Who may see every account; suppressions outlive workers, so that some belong to nobody any more.
_SEEING_ALL = (Role.ADMINISTRATOR, Role.ANALYST)


@screen(*LOOKING)
def domains(request: ConsoleRequest) -> HttpResponse:
    """Administrators, analysts, managers and executives: the pace of each recipient domain."""
    context = {
        "tabs": mail_tabs(request),
        "lanes": lanes(MOST_LANES),
        "may_steer": request.user.has_role(*STEERING),
        "domain_form": DomainForm(),
        "limit_form": LimitForm(),
    }
    return show(request, "web/mail/domains.html", context)


@screen(*STEERING, methods=("POST",))
def domain_act(request: ConsoleRequest, act: str) -> HttpResponse:
    """Administrators limit a recipient domain, stop it (with a reason) and let it go on."""
    named = DomainForm(request.POST)
    detail = LimitForm(request.POST) if act == "limit" else ReasonForm(request.POST)
    if not named.is_valid() or (act != "resume" and not detail.is_valid()):
        return _refused_form(request, named, detail)
    domain = named.cleaned_data["domain"].lower()
    user, now = request.user, request.now
    if act == "limit":
        limit = detail.cleaned_data["limit_per_minute"]
        set_lane_limit(domain=domain, limit_per_minute=limit, user_id=user.pk, user_name=user.name, now=now)
        said = f"{domain}: {limit:g} mails a minute at most." if limit else f"{domain}: no limit of ours."
        return done(request, said, "mail-domains")
    if act == "pause":
        pause_lane(
            domain=domain, reason=detail.cleaned_data["reason"], user_id=user.pk, user_name=user.name, now=now
        )
        return done(request, f"Nothing goes to {domain} until somebody lets it.", "mail-domains")
    resume_lane(domain=domain, user_id=user.pk, user_name=user.name, now=now)
    return done(request, f"Mail to {domain} goes on.", "mail-domains")


def _refused_form(request: ConsoleRequest, *forms: Form) -> HttpResponse:
    said = [
        f"{form[name].label}: {error}"
        for form in forms
        for name, errors in form.errors.items()
        for error in errors
    ]
    refused = Refused("form_incomplete", " ".join(said))
    return show(request, "web/refused.html", {"refused": refused}, status=status_of(refused))


@screen(*LOOKING)
def suppressions(request: ConsoleRequest) -> HttpResponse:
    """The same viewers: domains and addresses that get no check-in any more, and accounts on the brake; of
    accounts they may see. Who may not see all accounts is shown no address but those of their workers."""
    return _suppressions(request, SuppressForm())


@screen(*STEERING, methods=("POST",))
def suppression_add(request: ConsoleRequest) -> HttpResponse:
    """Administrators leave an address or a domain alone."""
    form = SuppressForm(request.POST)
    if not form.is_valid():
        return _suppressions(request, form, status=422)
    with refusals_on(form, "address") as refused:
        suppress(
            address=form.cleaned_data["address"],
            because=SuppressedBecause.REQUEST,
            note=form.cleaned_data["note"],
            user_id=request.user.pk,
            user_name=request.user.name,
            now=request.now,
        )
    if refused:
        return _suppressions(request, form, status=refused.status)
    judge_waiting_again(now=request.now)
    return done(request, "Left alone from now on.", "mail-suppressions")


@screen(*STEERING, methods=("POST",))
def suppression_lift(request: ConsoleRequest, suppression_id: int) -> HttpResponse:
    """Administrators lift a suppression, with a reason."""
    reason = reason_of(request, ask="Say why this address may be asked again.")
    lift_suppression(
        suppression_id=suppression_id,
        user_id=request.user.pk,
        user_name=request.user.name,
        reason=reason,
        now=request.now,
    )
    return done(request, "They may be asked again.", "mail-suppressions")


@screen(*STEERING, methods=("POST",))
def brake_release(request: ConsoleRequest, brake_id: int) -> HttpResponse:
    """Administrators release the brake of an account, with a reason."""
    reason = reason_of(request, ask="Say why this account may be asked again.")
    release_brake(
        brake_id=brake_id,
        user_id=request.user.pk,
        user_name=request.user.name,
        reason=reason,
        now=request.now,
    )
    return done(request, "Check-ins to this account go on.", "mail-suppressions")


def _suppressions(request: ConsoleRequest, form: SuppressForm, *, status: int = 200) -> HttpResponse:
    search = request.GET.get("q", "")[:100].strip().lower()
    accounts = accounts_visible_to(request.user, request.now).values("pk")
    rows = Suppression.objects.filter(lifted_at__isnull=True)
    if not request.user.has_role(*_SEEING_ALL):
        theirs = Worker.objects.filter(site__account__in=accounts).values(address=Lower("email"))
        rows = rows.filter(Q(address__startswith="@") | Q(address__in=theirs))
    if search:
        rows = rows.filter(address__contains=search)
    brakes = list(Brake.objects.filter(released_at__isnull=True, account_id__in=accounts))
    names = dict(
        Account.objects.filter(pk__in=[brake.account_id for brake in brakes]).values_list("pk", "name")
    )
    context = {
        "tabs": mail_tabs(request),
        "page": Paginator(rows, PER_PAGE).get_page(request.GET.get("page")),
        "brakes": [(brake, names.get(brake.account_id, "")) for brake in brakes],
        "form": form,
        "search": search,
        "may_steer": request.user.has_role(*STEERING),
    }
    return show(request, "web/mail/suppressions.html", context, status=status)


@screen(*LOOKING)
def doctor(request: ConsoleRequest) -> HttpResponse:
    """The same viewers: what mail systems see of our domain, and what to change, in plain words."""
    return _doctor(request, DomainForm(initial={"domain": _own_domain()}))


@screen(*STEERING, methods=("POST",))
def doctor_ask(request: ConsoleRequest) -> HttpResponse:
    """Administrators ask for an examination; the engine does it within a minute."""
    form = DomainForm(request.POST)
    if not form.is_valid():
        return _doctor(request, form, status=422)
    asked = ask_check_up(domain=form.cleaned_data["domain"].lower(), user_id=request.user.pk, now=request.now)
    return done(request, "The engine examines it; this takes up to a minute.", "mail-doctor-result", asked.pk)


@screen(*LOOKING)
def doctor_result(request: ConsoleRequest, check_up_id: int) -> HttpResponse:
    """The same viewers: one examination."""
    found = CheckUp.objects.filter(pk=check_up_id).first()
    if found is None:
        raise Http404("no such examination")
    return _doctor(request, DomainForm(initial={"domain": found.domain}), shown=found)


def _own_domain() -> str:
    programme = active_programme()
    return programme.sender_address.rpartition("@")[2] if programme else ""


def _doctor(
    request: ConsoleRequest, form: DomainForm, *, shown: CheckUp | None = None, status: int = 200
) -> HttpResponse:
    recent = list(CheckUp.objects.all()[:MOST_CHECK_UPS])
    shown = shown or (recent[0] if recent else None)
    order = {"bad": 0, "note": 1, "unknown": 2, "good": 3}
    findings = sorted(shown.findings, key=lambda f: order.get(f.get("grade", ""), 9)) if shown else []
    context = {
        "tabs": mail_tabs(request),
        "form": form,
        "shown": shown,
        "findings": findings,
        "recent": recent,
        "may_steer": request.user.has_role(*STEERING),
        "inbound_domain": settings.INBOUND_DOMAIN,
    }
    return show(request, "web/mail/doctor.html", context, status=status)


@screen(*LOOKING)
def scanners(request: ConsoleRequest) -> HttpResponse:
    """The same viewers: what automatic visitors did at each receiving domain, and how many answers of
    theirs were set aside."""
    rows = ScannerHabit.objects.order_by("-presses_set_aside", "-opened_at_once", "domain")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    total = sum(rows.values_list("presses_set_aside", flat=True))
    return show(request, "web/mail/scanners.html", {"tabs": mail_tabs(request), "page": page, "total": total})
