"""The calendar that a calendar program reads. There is no sign-in: the address is the secret."""

from __future__ import annotations

import hashlib

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

from sentinel.kernel import clock
from sentinel.people.feeds import calendar_text, reader_of


def calendar_feed(request: HttpRequest, feed_id: int, secret: str) -> HttpResponseBase:
    """Whoever has the address, without signing in: shifts and absences of the user who made it, nothing else.

    Reads only. A wrong secret and a feed that was ended look the same (404). An unchanged calendar is not
    sent again (304).
    """
    if request.method not in ("GET", "HEAD"):
        return HttpResponseNotAllowed(("GET", "HEAD"))
    feed = reader_of(feed_id=feed_id, secret=secret)
    if feed is None:
        raise Http404("there is no such calendar")
    content = calendar_text(feed, now=clock.now())
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = 'inline; filename="sentinel.ics"'
    response["Cache-Control"] = "private, no-cache"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    response["ETag"] = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return get_conditional_response(request, etag=response["ETag"], response=response) or response
