"""What mail means for the frame around every page."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest

from sentinel.people.models import User
from sentinel.workflows.mail_access import count_waiting_for_person

_KEPT = "_waiting_mails"


def waiting_mails(request: HttpRequest, user: User, now: datetime) -> int:
    """How many mails wait for this viewer; the tabs and the navigation of one page ask once."""
    known: int | None = getattr(request, _KEPT, None)
    if known is None:
        known = count_waiting_for_person(user, now)
        setattr(request, _KEPT, known)
    return known
