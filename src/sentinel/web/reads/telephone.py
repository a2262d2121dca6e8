"""The user's own telephone, as their profile shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sentinel.calls.numbers import callable_number, sip_hosts
from sentinel.outbox.selectors import MessageView, messages_to
from sentinel.people.models import User
from sentinel.web.reads.line import is_dialled_by_hand
from sentinel.workflows.test_call import KIND, TOLD_KIND


@dataclass(frozen=True, kw_only=True)
class OwnTelephone:
    """What the profile says. ``is_used``: Sentinel places calls; ``can_ring``: it could ring this number.
    ``tested_at`` and ``told``: the last test, and the notice of what came of it."""

    is_used: bool
    can_ring: bool
    tested_at: datetime | None
    told: MessageView | None


def own_telephone(user: User) -> OwnTelephone:
    """The user's telephone as it stands."""
    tests = messages_to(recipient_kind="user", recipient_id=user.pk, kind=KIND)[-1:]
    told = [
        notice
        for notice in messages_to(recipient_kind="user", recipient_id=user.pk, kind=TOLD_KIND)[-1:]
        if tests and notice.created_at >= tests[0].created_at
    ]
    return OwnTelephone(
        is_used=not is_dialled_by_hand(),
        can_ring=bool(callable_number(user.telephone, sip_hosts=sip_hosts())),
        tested_at=tests[0].created_at if tests else None,
        told=told[0] if told else None,
    )
