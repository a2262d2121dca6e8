"""A site: its name, address, zone, hours and language."""

from __future__ import annotations

from django.http import Http404, HttpResponse

from sentinel.accounts.models import Account, Site
from sentinel.accounts.services import add_site, change_site
from sentinel.web.access import (
    ConsoleRequest,
    changeable_account_for,
    done,
    refusals_on,
    screen,
    show,
)
from sentinel.web.forms.accounts import SiteForm


@screen(methods=("GET", "POST"))
def site(request: ConsoleRequest, account_id: int, site_id: int) -> HttpResponse:
    """Owner, deputy, manager and administrators change a site."""
    account = changeable_account_for(request, account_id)
    found = Site.objects.filter(pk=site_id, account=account).first()
    if found is None:
        raise Http404("no such site at this account")
    if request.method != "POST":
        initial = {name: getattr(found, name) for name in ("name", "address", "zone", "calendar", "language")}
        return _page(request, account, SiteForm(initial=initial), found)
    form = SiteForm(request.POST)
    if form.is_valid():
        with refusals_on(form) as refused:
            change_site(
                site_id=found.pk,
                account_id=account.pk,
                user=request.user,
                now=request.now,
                **form.cleaned_data,
            )
        if refused:
            return _page(request, account, form, found, status=refused.status)
        return done(
            request,
            "The site is changed; due times of running problems stay as they are.",
            "account",
            account.pk,
        )
    return _page(request, account, form, found, status=422)


@screen(methods=("GET", "POST"))
def site_new(request: ConsoleRequest, account_id: int) -> HttpResponse:
    """Owner, deputy, manager and administrators add a site."""
    account = changeable_account_for(request, account_id)
    if request.method != "POST":
        return _page(request, account, SiteForm(), None)
    form = SiteForm(request.POST)
    if form.is_valid():
        with refusals_on(form) as refused:
            add_site(account_id=account.pk, user=request.user, now=request.now, **form.cleaned_data)
        if refused:
            return _page(request, account, form, None, status=refused.status)
        return done(request, "The site is added.", "account", account.pk)
    return _page(request, account, form, None, status=422)


def _page(
    request: ConsoleRequest, account: Account, form: SiteForm, found: Site | None, *, status: int = 200
) -> HttpResponse:
    return show(
        request, "web/account/site.html", {"account": account, "form": form, "site": found}, status=status
    )
