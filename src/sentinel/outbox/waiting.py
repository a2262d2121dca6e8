"""What was put off at the gate, for people to see: why, how many, and when it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Min

from sentinel.outbox.limits import limit_words
from sentinel.outbox.models import Message
from sentinel.outbox.rules import State


@dataclass(frozen=True, kw_only=True)
class PutOff:
    """Notices of one target that wait for one reason. ``why``: "crowd", "limit" or "mute"."""

    recipient_id: int
    recipient_kind: str
    channel: str
    target: str
    address: str
    why: str
    count: int
    next_at: datetime

    @property
    def words(self) -> str:
        """Why, in plain words."""
        limits = limit_words(self.channel) if self.why == "limit" else ""
        return f"{_WORDS[self.why]} ({limits})" if limits else _WORDS[self.why]


_WORDS = {
    "crowd": "many report at once; the next picture tells of all",
    "limit": "too many at once for one target",
    "mute": "notices are muted",
}


def put_off(*, user_id: int | None = None) -> list[PutOff]:
    """What waits at the gate, of one user or of everybody; the soonest first."""
    rows = Message.objects.filter(state=State.PENDING.value).exclude(waits_for="")
    if user_id is not None:
        rows = rows.filter(recipient_kind="user", recipient_id=user_id)
    grouped = rows.values(
        "recipient_id", "recipient_kind", "channel", "target", "address", "waits_for"
    ).annotate(count=Count("id"), next_at=Min("visible_at"))
    found = [
        PutOff(
            recipient_id=row["recipient_id"],
            recipient_kind=row["recipient_kind"],
            channel=row["channel"],
            target=row["target"],
            address=row["address"],
            why=row["waits_for"],
            count=row["count"],
            next_at=row["next_at"],
        )
        for row in grouped
    ]
    return sorted(found, key=lambda one: (one.next_at, one.channel, one.recipient_id))
