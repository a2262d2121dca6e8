"""Who comes in, and what exists for them.

Every console view is wrapped in :func:`screen`. It asks for a sign-in, refuses wrong methods and roles, gives
the request one ``now`` for the whole answer, and turns refusals of services into answers: not found is
404, not allowed 403, a conflict 409, everything else 422.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlencode, urlsplit

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render, resolve_url
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.middleware import HtmxDetails

from sentinel.accounts.models import Account, Worker
from sentinel.accounts.selectors import accounts_visible_to, may_change_account
from sentinel.checkins.models import PleaseCheck, Response
from sentinel.checkins.selectors import responses_visible_to
from sentinel.kernel import clock
from sentinel.kernel.errors import Conflict, NotAllowed, NotFound, Refused
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.problems.models import Problem
from sentinel.problems.selectors import problems_visible_to

# The console's texts are written in English; a half-translated page would be worse than a plain one.
LANGUAGE = "en"
MANAGING = (Role.MANAGER, Role.EXECUTIVE, Role.OFFICER, Role.ADMINISTRATOR, Role.ANALYST)


class ConsoleRequest(HttpRequest):
    """A request of somebody who is signed in; ``now`` is the same instant for the whole answer."""

    user: User
    now: datetime
    htmx: HtmxDetails


View = Callable[..., HttpResponseBase]
M = TypeVar("M", bound=Model)


def screen(
    *roles: Role, methods: tuple[str, ...] = ("GET",), demonstration_only: bool = False
) -> Callable[[View], View]:
    """Make a function a console view: signed in, one of ``roles`` (any when empty), one of ``methods``."""

    def wrap(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if demonstration_only and not settings.DEMONSTRATION:
                raise Http404("only in demonstration mode")
            allowed = (*methods, "HEAD") if "GET" in methods else methods
            if request.method not in allowed:
                return HttpResponseNotAllowed(allowed)
            if not request.user.is_authenticated:
                return to_sign_in(request)
            if roles and not request.user.has_role(*roles):
                raise PermissionDenied("another role is needed")
            response = _answer(view, cast("ConsoleRequest", request), *args, **kwargs)
            add_never_cache_headers(response)
            return response

        return guarded

    return wrap


def _answer(view: View, request: ConsoleRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
    """Run a view at one instant, in the viewer's zone, and turn refusals into answers."""
    request.now = clock.now()
    with timezone.override(request.user.zone), translation.override(LANGUAGE):
        try:
            return view(request, *args, **kwargs)
        except NotFound as missing:
            raise Http404(missing.message) from missing
        except NotAllowed as refused:
            raise PermissionDenied(refused.message) from refused
        except Refused as refused:
            return show(request, "web/refused.html", {"refused": refused}, status=status_of(refused))


def to_sign_in(request: HttpRequest) -> HttpResponse:
    """Send an anonymous visitor to the sign-in page; a partial refresh reloads the whole page there."""
    address = resolve_url(settings.LOGIN_URL)
    if getattr(request, "htmx", None):
        return HttpResponse(status=401, headers={"HX-Redirect": address})
    target = request.get_full_path() if request.method in ("GET", "HEAD") else "/"
    return HttpResponseRedirect(f"{address}?{urlencode({'next': target})}")


def show(
    request: ConsoleRequest, template: str, context: dict[str, Any] | None = None, *, status: int = 200
) -> HttpResponse:
    """Render a console page; every template knows ``now`` and the ``viewer``."""
    known = {"now": request.now, "viewer": request.user, "zone": request.user.zone}
    return render(request, template, known | (context or {}), status=status)


def done(request: HttpRequest, text: str, to: str, *args: Any) -> HttpResponse:
    """After a change: say what happened on the next page and go there (303, so that it is a GET)."""
    messages.success(request, text)
    return HttpResponseRedirect(resolve_url(to, *args), status=303)


def go(to: str, *args: Any) -> HttpResponse:
    """Go to another page with a GET."""
    return HttpResponseRedirect(resolve_url(to, *args), status=303)


def back_to(request: HttpRequest, fallback: str) -> str:
    """The page of ours a form names in ``next``, else ``fallback``."""
    target = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(target, allowed_hosts=None) and not urlsplit(target).netloc:
        return target
    return fallback


def status_of(refused: Refused) -> int:
    """409 when somebody else was faster, 422 when the request makes no sense as it stands."""
    return 409 if isinstance(refused, Conflict) else 422


@dataclass
class Refusal:
    """What came of an act that a service may refuse; true when it did, with the ``status`` of the answer."""

    status: int = 0

    def __bool__(self) -> bool:
        return self.status > 0


@contextmanager
def refusals_on(form: forms.BaseForm, field: str | None = None) -> Iterator[Refusal]:
    """Say on the form, or at one of its fields, what a service refuses, so that the page can be shown again.

    What does not exist or is not allowed is no matter of the form: it stays 404 and 403.
    """
    came = Refusal()
    try:
        yield came
    except (NotAllowed, NotFound):
        raise
    except Refused as refused:
        form.add_error(field, refused.message)
        came.status = status_of(refused)


def problem_for(request: ConsoleRequest, problem_id: int) -> Problem:
    """A problem the viewer may see, else 404."""
    return _first(problems_visible_to(request.user, request.now).filter(pk=problem_id))


def account_for(request: ConsoleRequest, account_id: int) -> Account:
    """An account the viewer may see, else 404."""
    return _first(accounts_visible_to(request.user, request.now).filter(pk=account_id))


def changeable_account_for(request: ConsoleRequest, account_id: int) -> Account:
    """An account the viewer may change: 404 when they may not see it, 403 when they may only look."""
    account = account_for(request, account_id)
    if not may_change_account(request.user, account, request.now):
        raise PermissionDenied("this account is not yours to change")
    return account


def worker_for(request: ConsoleRequest, worker_id: int) -> Worker:
    """A worker of an account the viewer may see, else 404."""
    visible = accounts_visible_to(request.user, request.now)
    rows = Worker.objects.filter(pk=worker_id, site__account__in=visible.values("pk"))
    return _first(rows.select_related("site__account", "site__calendar"))


def response_for(request: ConsoleRequest, response_id: int) -> Response:
    """A response the viewer may see, else 404."""
    rows = responses_visible_to(request.user, request.now).filter(pk=response_id)
    return _first(rows.select_related("worker__site__account"))


def please_check_for(request: ConsoleRequest, please_check_id: int) -> PleaseCheck:
    """A please-check whose response the viewer may see, else 404."""
    visible = responses_visible_to(request.user, request.now)
    rows = PleaseCheck.objects.filter(pk=please_check_id, response__in=visible.values("pk"))
    return _first(rows.select_related("response__worker__site__account"))


def _first(rows: QuerySet[M]) -> M:
    found = rows.first()
    if found is None:
        raise Http404("there is no such thing, or not for this viewer")
    return found
