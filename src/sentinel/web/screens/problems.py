"""The list of problems: filters, search in words, pages."""

from __future__ import annotations

from django import forms
from django.core.paginator import Paginator
from django.db.models import F, Q, QuerySet
from django.http import HttpResponse

from sentinel.accounts.models import Account
from sentinel.accounts.selectors import accounts_visible_to
from sentinel.people.models import User
from sentinel.problems.models import Problem
from sentinel.problems.rules import OPEN_STATES, ProblemState
from sentinel.problems.selectors import problems_visible_to
from sentinel.web import words
from sentinel.web.access import ConsoleRequest, screen, show
from sentinel.web.forms.fields import offer

OPEN = "open"
LATE = "late"
PER_PAGE = 25
_FIRST = [("", "All"), (OPEN, "Open"), (LATE, "Late")]


class FilterForm(forms.Form):
    """What to show; everything is optional."""

    q = forms.CharField(
        label="Words", required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"})
    )
    state = forms.ChoiceField(
        label="State",
        required=False,
        choices=_FIRST + [(state, label) for state, (label, _) in words.STATES.items()],
    )
    account = forms.ModelChoiceField(Account.objects.none(), required=False, empty_label="All accounts")
    owner = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Everybody")


@screen()
def problem_list(request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in, for the problems they may see. Open ones unless asked otherwise."""
    visible = problems_visible_to(request.user, request.now)
    data = request.GET if request.GET else {"state": OPEN}
    form = FilterForm(data)
    _narrow(form, request, visible)
    rows = _filtered(visible, form, request) if form.is_valid() else visible
    page = Paginator(rows.select_related("duty__accountable"), PER_PAGE).get_page(request.GET.get("page"))
    return show(request, "web/problem/list.html", {"form": form, "page": page})


def _narrow(form: FilterForm, request: ConsoleRequest, visible: QuerySet[Problem]) -> None:
    """Offer only accounts and owners whose problems the viewer may see."""
    offer(form, "account", accounts_visible_to(request.user, request.now).order_by("name"))
    offer(form, "owner", User.objects.filter(pk__in=visible.values("owner")).order_by("name"))


def _filtered(rows: QuerySet[Problem], form: FilterForm, request: ConsoleRequest) -> QuerySet[Problem]:
    chosen = form.cleaned_data
    match chosen["state"]:
        case "":
            pass
        case "open":
            rows = rows.filter(state__in=[s.value for s in OPEN_STATES])
        case "late":
            rows = rows.filter(duty__due_at__lt=request.now).exclude(state=ProblemState.PROPOSED.value)
        case state:
            rows = rows.filter(state=state)
    if chosen["account"]:
        rows = rows.filter(account=chosen["account"])
    if chosen["owner"]:
        rows = rows.filter(owner=chosen["owner"])
    for word in chosen["q"].split()[:8]:
        rows = rows.filter(
            Q(words__icontains=word) | Q(worker__name__icontains=word) | Q(site__name__icontains=word)
        )
    return rows.order_by(F("duty__due_at").asc(nulls_last=True), "-closed_at", "-id")
