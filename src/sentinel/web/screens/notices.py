"""The bell: what Sentinel told this user."""

from __future__ import annotations

import re

from django.core.paginator import Paginator
from django.http import HttpResponse

from sentinel.outbox.selectors import count_unread_notices, notices_of_user
from sentinel.outbox.services import mark_read
from sentinel.web.access import ConsoleRequest, back_to, done, go, screen, show
from sentinel.web.reads.notices import bell_lines
from sentinel.web.screens.mutes import waiting_lines

PER_PAGE = 25
# Older notices are history; the problems themselves keep their timelines.
MOST = 1_000
_ID = re.compile(r"[0-9]{1,18}", re.ASCII)


@screen()
def notices(request: ConsoleRequest) -> HttpResponse:
    """Everybody who is signed in sees their own notices, and nobody else's. Looking marks nothing as read."""
    rows = notices_of_user(request.user.pk, limit=MOST)
    page = Paginator(bell_lines(rows, user=request.user, now=request.now), PER_PAGE).get_page(
        request.GET.get("page")
    )
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
    """The user opens one notice, or the line of a storm with all it stands for (``with``, ids): they are
    marked as read, and the page it speaks of follows."""
    others = [int(pk) for pk in request.POST.get("with", "").split(",")[:MOST] if _ID.fullmatch(pk)]
    mark_read(user_id=request.user.pk, now=request.now, message_ids=[notice_id, *others])
    return go(back_to(request, "/notices/"))
