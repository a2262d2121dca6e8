"""How people of the provider come in."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.http import HttpRequest

from sentinel.kernel import clock
from sentinel.people.models import User
from sentinel.timeline.services import About, record_event
from sentinel.timeline.verbs import Verb
from sentinel.workflows.acting import user_actor


class SignIn(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """allauth's adapter: users are made by administrators, never by themselves."""

    def is_open_for_signup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> bool:
        return False


def record_sign_in(*, user: User, **_signal: Any) -> None:
    """Write into the timeline that `user` came in; receiver of Django's `user_logged_in`.

    Never an address or a browser: who acted is what an audit asks, and the rest is personal data.
    """
    with transaction.atomic():
        record_event(
            verb=Verb.USER_SIGNED_IN, at=clock.now(), actor=user_actor(user), about=About(user_id=user.pk)
        )
