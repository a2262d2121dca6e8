"""The bell: what Sentinel told this user."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse

from sentinel.outbox.selectors import count_unread_notices, notices_of_user
from sentinel.outbox.services import mark_read
from sentinel.web.access import ConsoleRequest, back_to, done, go, screen, show
from sentinel.web.screens.mutes import waiting_lines

PER_PAGE = 25
# Older notices are history; the problems themselves keep their timelines.
MOST = 1_000


@screen()
def notices(request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in sees their own notices, and nobody else's. Looking marks nothing as read."""
    rows = notices_of_user(request.user.pk, limit=MOST)
    page = Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
    unread = count_unread_notices(request.user.pk)
    return show(
        request,
        "web/people/notices.html",
        {"page": page, "unread": unread, "put_off": waiting_lines(request.user)},
    )


@screen(methods=("POST",))
def notices_read(request: ConsoleRequest) -> HttpResponse:
    """The user marks all their notices as read."""
    mark_read(user_id=request.user.pk, now=request.now)
    return done(request, "All read.", "notices")


@screen(methods=("POST",))
def notice_read(request: ConsoleRequest, notice_id: int) -> HttpResponse:
    """The user opens one notice: it is marked as read, and the page it speaks of follows."""
    mine = {row.id for row in notices_of_user(request.user.pk, limit=MOST)}
    if notice_id in mine:
        mark_read(user_id=request.user.pk, now=request.now, message_id=notice_id)
    return go(back_to(request, "/notices/"))
