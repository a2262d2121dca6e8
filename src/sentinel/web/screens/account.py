"""One account: who answers for it, its sites and workers, the customer's permission, what was said."""

from __future__ import annotations

from datetime import timedelta

from django import forms
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.urls import reverse

from sentinel.accounts.models import Account
from sentinel.accounts.rules import Tier
from sentinel.accounts.selectors import may_change_account, permissions_of, workers_of
from sentinel.accounts.services import change_account, grant_permission, hand_account_to, withdraw_permission
from sentinel.checkins.rules import Evidence
from sentinel.checkins.selectors import responses_visible_to
from sentinel.kernel.errors import NotFound
from sentinel.problems.selectors import problems_visible_to
from sentinel.timeline.selectors import events_of_account
from sentinel.timeline.verbs import Verb
from sentinel.ui.frames import NavItem
from sentinel.web.access import (
    ConsoleRequest,
    account_for,
    changeable_account_for,
    done,
    refusals_on,
    screen,
    show,
)
from sentinel.web.forms import accounts as account_forms
from sentinel.web.reads import accounts as reads
from sentinel.web.reads.history import tell

PER_PAGE = 50
# The ladder's own entries fill the problem's page; the account's story is told without them.
_NOISE = [Verb.DUTY_SET.value, Verb.DUTY_FIRED.value, Verb.DUTY_COLLAPSED.value, Verb.CHECK_IN_SENT.value]


@screen()
def account(request: ConsoleRequest, account_id: int) -> HttpResponse:
    """Whoever may see the account: people, sites, permission; the forms only for who may change it."""
    return _overview(request, account_for(request, account_id))


@screen(methods=("POST",))
def permission_grant(request: ConsoleRequest, account_id: int) -> HttpResponse:
    """Owner, deputy, manager and administrators record the customer's consent."""
    found = changeable_account_for(request, account_id)
    form = account_forms.PermissionForm(request.POST, account=found)
    if form.is_valid():
        values = form.cleaned_data
        sites = [site.pk for site in values.pop("sites")]
        with refusals_on(form) as refused:
            grant_permission(
                account_id=found.pk, user=request.user, now=request.now, site_ids=sites, **values
            )
        if refused:
            return _overview(request, found, grant=form, status=refused.status)
        return done(
            request, "The permission is recorded. Check-ins follow the programme.", "account", found.pk
        )
    return _overview(request, found, grant=form, status=422)


@screen(methods=("POST",))
def permission_withdraw(request: ConsoleRequest, account_id: int, permission_id: int) -> HttpResponse:
    """Owner, deputy, manager and administrators record that the customer took the consent back."""
    found = changeable_account_for(request, account_id)
    if not permissions_of(found).filter(pk=permission_id).exists():
        raise NotFound("permission_unknown", "There is no such permission.")
    form = account_forms.WithdrawForm(request.POST)
    if not form.is_valid():
        return _overview(request, found, withdraw=(permission_id, form), status=422)
    withdraw_permission(
        permission_id=permission_id, reason=form.cleaned_data["reason"], user=request.user, now=request.now
    )
    return done(request, "Withdrawn. Nothing is sent because of it any more.", "account", found.pk)


@screen(methods=("POST",))
def account_hand_over(request: ConsoleRequest, account_id: int) -> HttpResponse:
    """Owner, deputy, manager and administrators make somebody else the owner."""
    found = changeable_account_for(request, account_id)
    form = account_forms.HandAccountForm(request.POST, prefix="hand")
    if form.is_valid():
        owner = form.cleaned_data["owner"]
        with refusals_on(form) as refused:
            hand_account_to(
                account_id=found.pk,
                owner_id=owner.pk,
                note=form.cleaned_data["note"],
                user=request.user,
                now=request.now,
            )
        if refused:
            return _overview(request, found, hand=form, status=refused.status)
        return done(
            request,
            f"{owner.name} owns the account now; open problems stay with who has them.",
            "account-list",
        )
    return _overview(request, found, hand=form, status=422)


@screen(methods=("POST",))
def account_people(request: ConsoleRequest, account_id: int) -> HttpResponse:
    """Owner, deputy, manager and administrators choose deputy, manager, executive and tier."""
    found = changeable_account_for(request, account_id)
    form = account_forms.PeopleForm(request.POST, prefix="people")
    if form.is_valid():
        values = form.cleaned_data | {"tier": Tier(form.cleaned_data["tier"]).value}
        with refusals_on(form) as refused:
            change_account(account_id=found.pk, user=request.user, now=request.now, **values)
        if refused:
            return _overview(request, found, people=form, status=refused.status)
        return done(request, "Changed. Running problems keep their frozen ladder.", "account-list")
    return _overview(request, found, people=form, status=422)


@screen()
def account_workers(request: ConsoleRequest, account_id: int) -> HttpResponse:
    """Whoever may see the account: its workers with search, and why somebody is not asked."""
    found = account_for(request, account_id)
    search, left = request.GET.get("q", "")[:100], request.GET.get("left") == "yes"
    rows = workers_of(found, search=search, include_left=left).order_by("name", "id")
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    why_not = reads.why_never_asked(list(page), request.now)
    workers = [(worker, why_not[worker.pk]) for worker in page]
    context = {"account": found, "page": page, "workers": workers, "search": search, "left": left}
    return show(request, "web/account/workers.html", context | account_tabs(found, "account-workers"))


@screen()
def account_problems(request: ConsoleRequest, account_id: int) -> HttpResponse:
    """Whoever may see the account: its problems, the newest first."""
    found = account_for(request, account_id)
    rows = problems_visible_to(request.user, request.now).filter(account=found)
    page = Paginator(rows.select_related("duty").order_by("-opened_at", "-pk"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    return show(
        request,
        "web/account/problems.html",
        {"account": found, "page": page} | account_tabs(found, "account-problems"),
    )


@screen()
def account_voices(request: ConsoleRequest, account_id: int) -> HttpResponse:
    """Whoever may see the account: what its workers said in answers, the newest first."""
    found = account_for(request, account_id)
    rows = responses_visible_to(request.user, request.now).filter(worker__site__account=found)
    rows = (
        rows.filter(evidence=Evidence.VERIFIED.value).exclude(text="").select_related("worker__site__account")
    )
    page = Paginator(rows.order_by("-received_at", "-pk"), PER_PAGE).get_page(request.GET.get("page"))
    return show(
        request,
        "web/account/voices.html",
        {"account": found, "page": page} | account_tabs(found, "account-voices"),
    )


@screen()
def account_timeline(request: ConsoleRequest, account_id: int) -> HttpResponse:
    """Whoever may see the account: everything that happened there, the newest first."""
    found = account_for(request, account_id)
    page = Paginator(events_of_account(found.pk).exclude(verb__in=_NOISE), PER_PAGE).get_page(
        request.GET.get("page")
    )
    moments = tell(page.object_list, with_subject=True)
    context = {"account": found, "page": page, "moments": moments}
    return show(request, "web/account/timeline.html", context | account_tabs(found, "account-timeline"))


def _overview(
    request: ConsoleRequest,
    found: Account,
    *,
    grant: forms.Form | None = None,
    withdraw: tuple[int, forms.Form] | None = None,
    hand: forms.Form | None = None,
    people: forms.Form | None = None,
    status: int = 200,
) -> HttpResponse:
    today = request.now.date()
    initial = {
        "deputy": found.deputy_id,
        "manager": found.manager_id,
        "focus_executive": found.focus_executive_id,
        "tier": found.tier,
    }
    context = {
        "account": found,
        "may_change": may_change_account(request.user, found, request.now),
        "sites": reads.site_views(found, request.now),
        "numbers": reads.numbers_of(found, request.now),
        "permissions": list(permissions_of(found)),
        "grant": grant or account_forms.PermissionForm(account=found, initial={"given_on": today}),
        "withdraw_id": withdraw[0] if withdraw else None,
        "withdraw": withdraw[1] if withdraw else account_forms.WithdrawForm(),
        "hand": hand or account_forms.HandAccountForm(prefix="hand"),
        "people": people or account_forms.PeopleForm(prefix="people", initial=initial),
        "expires_soon": today + timedelta(days=60),
        "today": today,
    }
    return show(request, "web/account/page.html", context | account_tabs(found, "account"), status=status)


def account_tabs(found: Account, current: str) -> dict[str, list[NavItem]]:
    """The account's pages; each is its own address."""
    named = (
        ("Overview", "account"),
        ("Workers", "account-workers"),
        ("Problems", "account-problems"),
        ("Voices", "account-voices"),
        ("Roster", "roster"),
        ("Timeline", "account-timeline"),
    )
    return {
        "account_tabs": [
            NavItem(label, reverse(name, args=[found.pk]), current=name == current) for label, name in named
        ]
    }
