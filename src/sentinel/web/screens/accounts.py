"""The list of accounts."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpResponse

from sentinel.accounts.selectors import accounts_with_counts
from sentinel.problems.models import Problem
from sentinel.problems.rules import OPEN_STATES
from sentinel.web.access import ConsoleRequest, screen, show

PER_PAGE = 50


@screen()
def account_list(request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in, for the accounts they may see."""
    search = request.GET.get("q", "")[:100].strip()
    rows = accounts_with_counts(request.user, request.now)
    if search:
        rows = rows.filter(
            Q(name__icontains=search) | Q(external_ref__iexact=search) | Q(owner__name__icontains=search)
        )
    page = Paginator(rows.order_by("name"), PER_PAGE).get_page(request.GET.get("page"))
    still_open = Problem.objects.filter(
        account__in=[a.pk for a in page], state__in=[s.value for s in OPEN_STATES]
    )
    counted = still_open.values_list("account").annotate(
        n=Count("id"), late=Count("id", filter=Q(duty__due_at__lt=request.now) & ~Q(state="proposed"))
    )
    counts = {account: (n, late) for account, n, late in counted.order_by()}
    shown = [(account, *counts.get(account.pk, (0, 0))) for account in page]
    return show(request, "web/account/list.html", {"page": page, "accounts": shown, "search": search})
