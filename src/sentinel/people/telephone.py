"""A user's own telephone: it rings first when Sentinel places a call."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from sentinel.kernel.errors import NotAllowed
from sentinel.people.models import User
from sentinel.people.rules import Role
from sentinel.people.services import actor_of
from sentinel.timeline.services import About, record_event
from sentinel.timeline.verbs import Verb


def set_telephone(*, user_id: int, number: str, actor: User, now: datetime) -> None:
    """Set the number (E.164 or a ``sip:`` address, empty: none) of oneself; administrators for everybody.

    The timeline says that it changed, not the numbers: it keeps what it says for ever.
    """
    if actor.pk != user_id and not actor.has_role(Role.ADMINISTRATOR):
        raise NotAllowed("telephone_not_yours", "Only the person or an administrator may do this.")
    with transaction.atomic():
        user = User.objects.select_for_update().get(pk=user_id)
        if user.telephone == number:
            return
        user.telephone = number
        user.save(update_fields=["telephone"])
        record_event(
            verb=Verb.USER_CHANGED,
            at=now,
            actor=actor_of(actor),
            about=About(user_id=user_id),
            data={"telephone": "set" if number else "removed"},
        )
