"""Muting notices to users for a test, and letting them out again. Everybody sees that it is so."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from sentinel.kernel.errors import NotAllowed
from sentinel.outbox.mutes import Muted, end_mute, end_over_mutes, start_mute
from sentinel.outbox.waiting import put_off
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.timeline.services import ENGINE, About, Actor, record_event
from sentinel.timeline.verbs import ActorKind, Verb
from sentinel.workflows.acting import user_actor


def mute_notices(
    *,
    user: User | None,
    length: timedelta,
    reason: str,
    with_workers: bool = False,
    now: datetime,
) -> Muted:
    """Mute notices to users from now on. ``user`` is an administrator; None for one at the command line.

    Raises NotAllowed for anybody else, Refused for a length or a reason that will not do.
    """
    actor = _actor(user)
    with transaction.atomic():
        mute = start_mute(length=length, reason=reason, by=actor.name, with_workers=with_workers, now=now)
        record_event(
            verb=Verb.NOTICES_MUTED,
            at=now,
            actor=actor,
            about=About(user_id=user.pk if user else None),
            data={"why": mute.reason, "until": mute.until.isoformat(), "with_workers": with_workers},
        )
        return mute


def unmute_notices(*, user: User | None, now: datetime) -> int:
    """End the mute before its time. Returns how many notices had waited."""
    actor = _actor(user)
    with transaction.atomic():
        waited = _waited()
        mute = end_mute(by=actor.name, now=now)
        _record_end(mute, actor=actor, waited=waited, now=now)
        return waited


def end_mutes(*, now: datetime) -> int:
    """Write down the end of mutes whose time is over; returns how many. What waited is due by itself."""
    with transaction.atomic():
        over = end_over_mutes(now=now)
        for mute in over:
            _record_end(mute, actor=ENGINE, waited=_waited(), now=now)
        return len(over)


def _waited() -> int:
    return sum(one.count for one in put_off() if one.why == "mute")


def _record_end(mute: Muted, *, actor: Actor, waited: int, now: datetime) -> None:
    record_event(
        verb=Verb.NOTICES_UNMUTED,
        at=now,
        actor=actor,
        about=About(user_id=actor.id),
        data={"why": mute.reason, "since": mute.started_at.isoformat(), "waited": waited},
    )


def _actor(user: User | None) -> Actor:
    if user is None:
        return Actor(kind=ActorKind.USER, name="an administrator at the command line")
    if not user.has_role(Role.ADMINISTRATOR):
        raise NotAllowed("mute_administrators", "Only an administrator mutes notices.")
    return user_actor(user)
