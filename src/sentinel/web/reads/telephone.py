"""The user's own telephone, as their profile shows it: the number, and how far the last test call is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sentinel.calls.messages import test_words
from sentinel.calls.models import PlacedCall
from sentinel.calls.numbers import callable_number, sip_hosts
from sentinel.calls.rules import CallState, EndReason
from sentinel.calls.selectors import newest_test
from sentinel.people.models import User
from sentinel.web.reads.line import is_dialled_by_hand

#: An engine takes a wish within a second; after this time none seems to run.
TAKEN_WITHIN = timedelta(seconds=10)
_GOING_ON: dict[str, str] = {
    CallState.REQUESTED: "Your telephone rings in a moment. Pick up",
    CallState.DIALING_OWNER: "Calling your telephone …",
    CallState.OWNER_RINGS: "Your telephone rings: pick up",
}
_NOT_TAKEN = "No engine has taken the test yet. “sentinel doctor” says whether one runs"


@dataclass(frozen=True, kw_only=True)
class OwnTest:
    """The user's last test call. ``title`` and ``text`` are in ``language``: what is over is told in the
    user's own, what goes on in the console's."""

    call: PlacedCall
    title: str
    text: str
    language: str

    @property
    def is_going_on(self) -> bool:
        """Nobody knows yet what comes of it."""
        return self.call.is_going_on

    @property
    def tone(self) -> str:
        """How it looks."""
        if self.is_going_on:
            return "info"
        return "calm" if self.call.reason == EndReason.COMPLETED.value else "soon"

    @property
    def fingerprint(self) -> str:
        """Changes exactly when there is something new to say."""
        late = int(self.title == _NOT_TAKEN)
        return f"{self.call.pk}-{self.call.state}-{self.call.reason}-{late}"


@dataclass(frozen=True, kw_only=True)
class OwnTelephone:
    """What the profile says. ``is_used``: Sentinel places calls; ``can_ring``: it could ring this number."""

    is_used: bool
    can_ring: bool
    test: OwnTest | None


def own_telephone(user: User, now: datetime) -> OwnTelephone:
    """The user's telephone as it stands."""
    return OwnTelephone(
        is_used=not is_dialled_by_hand(),
        can_ring=bool(callable_number(user.telephone, sip_hosts=sip_hosts())),
        test=own_test(user, now),
    )


def own_test(user: User, now: datetime) -> OwnTest | None:
    """How far the user's last test call is; None when there was none."""
    call = newest_test(user.pk)
    if call is None:
        return None
    if not call.is_going_on:
        title, text = test_words(user.language, reason=EndReason(call.reason), detail=call.detail)
        return OwnTest(call=call, title=title, text=text, language=user.language)
    is_waiting = call.state == CallState.REQUESTED.value and not call.provider_ref
    if is_waiting and now - call.seen_at > TAKEN_WITHIN:
        return OwnTest(call=call, title=_NOT_TAKEN, text="", language="en")
    title = _GOING_ON.get(call.state, "You picked up; it ends by itself")
    return OwnTest(call=call, title=title, text="", language="en")
