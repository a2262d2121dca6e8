"""Whether Sentinel itself is well: what the auditor found, whether it still looks, what waits where."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpResponse

from sentinel.assurance.ears import ears
from sentinel.assurance.selectors import (
    last_canary,
    lost_people,
    nobody_watches,
    open_findings,
    recent_findings,
    worst_lateness,
)
from sentinel.bulk.selectors import sender_state
from sentinel.calls.exchanges import exchange_beats
from sentinel.calls.selectors import counts_by_state
from sentinel.outbox.selectors import waits
from sentinel.people.rules import Role
from sentinel.web.access import ConsoleRequest, screen, show
from sentinel.web.screens.mutes import waiting_context

MOST_RECENT = 30


@screen(Role.ADMINISTRATOR, Role.MANAGER, Role.EXECUTIVE, Role.ANALYST)
def health(request: ConsoleRequest) -> HttpResponse:
    """Administrators, managers, executives and analysts. It shows nothing about any customer."""
    late = worst_lateness(request.now)
    context = {
        "findings": list(open_findings()),
        "is_unwatched": nobody_watches(request.now),
        "over": recent_findings(MOST_RECENT),
        "late_seconds": int(late.total_seconds()),
        "waits": waits(request.now),
        "calls": sum(counts_by_state().values()),
        "sender": sender_state(),
        "canary": last_canary(),
        "out_of_reach": lost_people(request.now),
        "ears": ears(),
        "exchanges": exchange_beats(settings.CALLS_BY.provider, now=request.now),
        **waiting_context(request),
    }
    return show(request, "web/health/page.html", context)
