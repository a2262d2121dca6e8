"""Today: whom to call now, and what else waits. The home of everybody who acts."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect

from sentinel.checkins.selectors import active_programme
from sentinel.web.access import ConsoleRequest, screen, show
from sentinel.web.reads.storms import storms_today
from sentinel.web.reads.today import today_of


@screen()
def home(_request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in: leads to Today."""
    return redirect("today")


@screen()
def today(request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in; each sees what is theirs, those who only read see all they may see.

    The page asks again every 15 seconds with the fingerprint of what it shows; without news the answer is
    empty (204), so nothing jumps under the reader's finger.
    """
    picture = today_of(request.user, request.now)
    if request.htmx and request.GET.get("seen") == picture.fingerprint:
        return HttpResponse(status=204)
    template = "web/today/lists.html" if request.htmx else "web/today/page.html"
    storms = storms_today(request.user, request.now)
    asks_nobody = request.user.is_staff and active_programme() is None
    return show(request, template, {"today": picture, "asks_nobody": asks_nobody, "storms": storms})
