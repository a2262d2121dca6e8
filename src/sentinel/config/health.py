"""What machines ask: does this process answer, does an engine work."""

from __future__ import annotations

import threading
import time

from django.http import HttpRequest, HttpResponse

from sentinel.engine.selectors import finished_cycles

#: A cycle is written down once a second; a healthy engine needs no more than two.
SECONDS_FOR_A_CYCLE = 5.0
_TICK = 0.2
#: How long an answer holds for those who ask while another question is being answered.
SECONDS_FRESH = 10.0
_one_at_a_time = threading.Lock()
_last: tuple[float, bool] | None = None


def alive(_request: HttpRequest) -> HttpResponse:
    """Says that this process answers requests; load balancers and `sentinel up` ask."""
    return _plain("ok")


def engine(_request: HttpRequest) -> HttpResponse:
    """Anybody: 200 when an engine *finishes a new cycle* while we wait, 503 when none does within 5 s.

    An engine that merely exists, or whose old heartbeat still stands in the database, does not count.
    One such question at a time: a crowd of them must not occupy all threads. The others get the last
    answer while it is fresh, so that a crowd cannot keep a watchman from it either, and else 429.
    """
    if not _one_at_a_time.acquire(blocking=False):
        return _last_answer()
    try:
        return _remember(_look())
    finally:
        _one_at_a_time.release()


def _look() -> bool:
    """Whether a new cycle is finished while we wait."""
    before = finished_cycles()
    deadline = time.monotonic() + SECONDS_FOR_A_CYCLE
    while time.monotonic() < deadline:
        if any(cycles > before.get(pk, 0) for pk, cycles in finished_cycles().items()):
            return True
        time.sleep(_TICK)
    return False


def _remember(works: bool) -> HttpResponse:
    global _last
    _last = (time.monotonic(), works)
    return _verdict(works)


def _last_answer() -> HttpResponse:
    if _last is not None and time.monotonic() - _last[0] <= SECONDS_FRESH:
        return _verdict(_last[1])
    return _plain("somebody else is asking; ask again in a moment", status=429)


def _verdict(works: bool) -> HttpResponse:
    return _plain("ok") if works else _plain("no engine finished a cycle", status=503)


def _plain(text: str, *, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{text}\n", content_type="text/plain", status=status)
