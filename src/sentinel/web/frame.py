"""The frame around every console page: navigation, counts, the demonstration's ribbon, the red bar."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import SimpleLazyObject

from sentinel.assurance.rules import TIMER_PATIENCE
from sentinel.assurance.selectors import worst_lateness
from sentinel.checkins.models import Programme
from sentinel.kernel import clock
from sentinel.outbox.mutes import current_mute
from sentinel.outbox.selectors import count_unread_notices
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.ui.formatting import duration_text, zone_city
from sentinel.ui.frames import ConsoleFrame, NavItem, Ribbon
from sentinel.web import words
from sentinel.web.access import MANAGING
from sentinel.web.reads.mail import waiting_mails
from sentinel.web.reads.today import count_unanswered, count_urgent
from sentinel.web.screens.mail.tabs import LOOKING


def console_frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: ``frame``, drawn only when a template asks for it."""
    return {"frame": SimpleLazyObject(lambda: build_frame(request))}


def build_frame(request: HttpRequest) -> ConsoleFrame:
    """The frame for this viewer; a bare one with the ribbon for somebody not signed in."""
    now = clock.now()
    user = getattr(request, "user", None)
    provider = Programme.objects.filter(is_active=True).values_list("provider_name", flat=True).first() or ""
    if not isinstance(user, User) or not user.is_authenticated:
        return ConsoleFrame(
            provider=provider, ribbon=ribbon(now, zone="UTC", signed_in=False, path=request.path)
        )
    return ConsoleFrame(
        provider=provider,
        nav=navigation(user, now, request.path, mails=waiting_mails(request, user, now)),
        menu=menu(user),
        home_url=reverse("today"),
        viewer_name=user.name,
        viewer_role=words.roles_text(user.roles),
        sign_out_url=reverse("account_logout"),
        notices_url=reverse("notices"),
        notice_count=count_unread_notices(user.pk),
        ribbon=ribbon(now, zone=user.zone, signed_in=True, path=request.path),
        alarm=alarm(now),
        muted=muted(now, zone=user.zone),
    )


def navigation(user: User, now: datetime, path: str, *, mails: int) -> list[NavItem]:
    """The main ways; the first four are the phone's bottom bar."""
    urgent, unanswered = count_urgent(user, now), count_unanswered(user, now)

    def item(
        label: str, name: str, icon: str, key: str, count: int | None = None, tone: str = "neutral"
    ) -> NavItem:
        url = reverse(name)
        return NavItem(label, url, icon, key, path.startswith(url), count or None, tone)

    today = item("Today", "today", "sun", "g t", urgent, "suffer")
    problems = item("Problems", "problem-list", "exclamation-circle", "g p")
    accounts = item("Accounts", "account-list", "building-office-2", "g a")
    voices = item("Voices", "response-list", "chat-bubble-left-right", "g v", unanswered, "info")
    simulator = item("Simulator", "simulator", "arrow-trending-up", "g s")
    rota = item("Rota", "rota", "calendar-days", "g r")
    mail = item("Mail", "mail-home", "envelope", "g m", mails, "suffer")
    if user.has_role(*MANAGING):
        team = item("Team board", "team", "users", "g b")
        return [today, team, problems, accounts, voices, mail, simulator, rota]
    return [today, problems, accounts, voices, mail, simulator, rota]


def menu(user: User) -> list[NavItem]:
    """What belongs to the viewer, and for administrators the rooms behind."""
    items = [
        NavItem("Profile and absence", reverse("profile"), "user"),
        NavItem("Change password", reverse("account_change_password"), "key"),
    ]
    if user.has_role(*LOOKING):
        items.append(NavItem("Health", reverse("health"), "heart"))
    if user.has_role(Role.ADMINISTRATOR):
        items.append(NavItem("Webhooks", reverse("hook-list"), "arrow-up-on-square"))
        items.append(NavItem("Style guide", reverse("styleguide"), "swatch"))
        if user.is_staff:
            items.append(NavItem("Programme", reverse("admin:checkins_programme_changelist"), "megaphone"))
            items.append(NavItem("Ladders", reverse("admin:escalation_ladder_changelist"), "bars-arrow-up"))
            items.append(NavItem("Back office", reverse("admin:index"), "wrench-screwdriver"))
    return items


def ribbon(now: datetime, *, zone: str, signed_in: bool, path: str) -> Ribbon | None:
    """The banner that nobody can overlook; None outside demonstration mode."""
    if not settings.DEMONSTRATION:
        return None
    local = now.astimezone(ZoneInfo(zone))
    links = []
    if signed_in:
        for label, name in (("Mail room", "mailroom"), ("Move the clock", "clock")):
            url = reverse(name)
            links.append(NavItem(label, url, current=path.startswith(url)))
    return Ribbon(clock=f"{date_format(local, 'D j M Y H:i')} ({zone_city(zone)})", links=links)


def muted(now: datetime, *, zone: str) -> str:
    """A sentence while notices to users wait for the end of a test; empty otherwise."""
    mute = current_mute(now)
    if mute is None:
        return ""
    until = date_format(mute.until.astimezone(ZoneInfo(zone)), "H:i")
    when = f"until {until} ({zone_city(zone)})"
    return f"Notices are muted {when} by {mute.by}: {mute.reason}. Until then they stay on the console."


def alarm(now: datetime) -> str:
    """A sentence when the engine is late with a duty's timer; empty when all is well."""
    late = worst_lateness(now)
    if late <= TIMER_PATIENCE:
        return ""
    words = duration_text(int(late.total_seconds()))
    return f"The engine is late by {words}: escalations wait. An administrator must look at it now."
