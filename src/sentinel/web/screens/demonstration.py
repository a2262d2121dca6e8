"""What only a demonstration has: moving the clock, and entering as anybody of the cast."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from sentinel.demonstration.services import advance_clock
from sentinel.kernel.calendars import local_instant
from sentinel.people.models import User
from sentinel.people.selectors import active_users, calendar_of
from sentinel.web.access import ConsoleRequest, back_to, done, screen, show

STEPS: dict[str, tuple[str, timedelta]] = {
    "15m": ("15 minutes", timedelta(minutes=15)),
    "1h": ("1 hour", timedelta(hours=1)),
    "4h": ("4 hours", timedelta(hours=4)),
    "1d": ("1 day", timedelta(days=1)),
    "7d": ("1 week", timedelta(days=7)),
}
MORNING = time(9)


@screen(demonstration_only=True)
def clock(request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in, in demonstration mode only: the clock and how far to move it."""
    steps = [(key, label) for key, (label, _) in STEPS.items()]
    return show(
        request,
        "web/mailroom/clock.html",
        {"steps": steps, "morning": next_morning(request.user, request.now)},
    )


@screen(methods=("POST",), demonstration_only=True)
def clock_advance(request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in, in demonstration mode only: time goes forward for all."""
    chosen = request.POST.get("by", "")
    if chosen == "morning":
        by = next_morning(request.user, request.now) - request.now
    elif chosen in STEPS:
        by = STEPS[chosen][1]
    else:
        raise Http404("no such step")
    advance_clock(by=by, actor_name=request.user.name, now=request.now)
    return done(request, "The clock has moved; what fell due fires now.", back_to(request, "/clock/"))


@require_POST
def demonstration_sign_in(request: HttpRequest) -> HttpResponse:
    """Anybody, in demonstration mode only (404 otherwise): enter as one of the cast, without a password."""
    if not settings.DEMONSTRATION:
        raise Http404("only in demonstration mode")
    chosen = request.POST.get("user", "")
    user = active_users().filter(pk=int(chosen)).first() if chosen.isdecimal() and len(chosen) < 18 else None
    if user is None:
        raise Http404("no such user")
    login(request, user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return redirect("today")


def next_morning(user: User, now: datetime) -> datetime:
    """Nine o'clock, or the first open instant, of the viewer's next business day."""
    calendar = calendar_of(user)
    day = calendar.localdate(now) + timedelta(days=1)
    return calendar.next_open(local_instant(day, MORNING, user.zone))
