"""Muting notices for a test: the administrators' button on the Health screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django import forms
from django.http import HttpResponse

from sentinel.kernel.durations import BadDuration, parse_duration
from sentinel.kernel.errors import Refused
from sentinel.outbox.mutes import current_mute
from sentinel.outbox.rules import LONGEST_MUTE
from sentinel.outbox.waiting import put_off
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.people.selectors import users_by_id
from sentinel.web.access import ConsoleRequest, done, screen
from sentinel.workflows.mute_notices import mute_notices, unmute_notices

MOST_LINES = 50
LENGTHS = (
    ("15m", "15 minutes"),
    ("30m", "30 minutes"),
    ("1h", "1 hour"),
    ("2h", "2 hours"),
    ("4h", "4 hours"),
)


class MuteForm(forms.Form):
    """How long, why, and whether workers' mail waits too."""

    length = forms.ChoiceField(label="For", choices=LENGTHS, initial="30m")
    reason = forms.CharField(label="Why", max_length=200, help_text="Everybody reads it while it lasts.")
    with_workers = forms.BooleanField(label="Mail to workers about their problems waits, too", required=False)


@dataclass(frozen=True, kw_only=True)
class Line:
    """What waits at one target: who it is for, how many, why, and when it goes on."""

    name: str
    channel: str
    count: int
    words: str
    next_at: datetime


def waiting_lines(user: User | None = None) -> list[Line]:
    """What was put off on purpose, of one user or of everybody; the soonest first."""
    rows = put_off(user_id=user.pk if user else None)[:MOST_LINES]
    names = {pk: str(one) for pk, one in users_by_id({row.recipient_id for row in rows}).items()}
    return [
        Line(
            name=names.get(row.recipient_id, "") if row.recipient_kind == "user" else "workers",
            channel=row.channel,
            count=row.count,
            words=row.words,
            next_at=row.next_at,
        )
        for row in rows
    ]


def waiting_context(request: ConsoleRequest) -> dict[str, object]:
    """What the Health screen shows of it."""
    return {
        "put_off": waiting_lines(),
        "mute": current_mute(request.now),
        "may_mute": request.user.has_role(Role.ADMINISTRATOR),
        "mute_form": MuteForm(prefix="mute"),
    }


@screen(Role.ADMINISTRATOR, methods=("POST",))
def mute_start(request: ConsoleRequest) -> HttpResponse:
    """Administrators mute notices to users; it ends by itself."""
    form = MuteForm(request.POST, prefix="mute")
    if not form.is_valid():
        raise Refused("mute_form", "Say for how long, and why: everybody reads it while notices are muted.")
    mute_notices(
        user=request.user,
        length=_length(form.cleaned_data["length"]),
        reason=form.cleaned_data["reason"],
        with_workers=form.cleaned_data["with_workers"],
        now=request.now,
    )
    return done(request, "Notices are muted. The console shows them all the same.", "health")


@screen(Role.ADMINISTRATOR, methods=("POST",))
def mute_end(request: ConsoleRequest) -> HttpResponse:
    """Administrators end it early; what waited goes out, one message per person and way."""
    waited = unmute_notices(user=request.user, now=request.now)
    return done(request, f"Notices go out again; {waited} had waited.", "health")


def _length(text: str) -> timedelta:
    try:
        return parse_duration(text)
    except BadDuration:
        return LONGEST_MUTE
