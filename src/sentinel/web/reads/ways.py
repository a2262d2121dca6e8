"""The ways to reach a user, as their profile shows them."""

from __future__ import annotations

from dataclasses import dataclass

from sentinel.outbox.selectors import MessageView
from sentinel.outbox.waiting import PutOff, put_off
from sentinel.people.models import ContactMethod, User
from sentinel.people.rules import ADDABLE, ContactChannel
from sentinel.workflows.ways import last_codes, last_tests

NAMES = {
    ContactChannel.PUSH.value: "Push",
    ContactChannel.CHAT.value: "Chat or SMS",
    ContactChannel.WEBHOOK.value: "Webhook",
}
_OUTCOMES = {
    "pending": ("waits for its next try", "soon"),
    "sending": ("is under way", "soon"),
    "accepted": ("arrived at the service", "calm"),
    "delivered": ("arrived", "calm"),
    "failed": ("was refused", "suffer"),
    "dead": ("was given up", "suffer"),
    "unknown": ("may have arrived", "soon"),
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of the last test, or of the code: words, the tone of the pill, and why."""

    message: MessageView
    what: str
    words: str
    tone: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Way:
    """One way. ``method`` is None for e-mail, which everybody has."""

    method: ContactMethod | None
    name: str
    address: str
    outcome: Outcome | None
    put_off: PutOff | None = None


def ways_of(user: User) -> list[Way]:
    """The user's ways in the order in which they are tried; e-mail last, it is the fallback."""
    methods = ContactMethod.objects.filter(user=user, channel__in=[c.value for c in ADDABLE])
    tests, codes = last_tests(user), last_codes(user)
    waiting = {one.target: one for one in put_off(user_id=user.pk)}
    found = [
        Way(
            method=method,
            name=method.label or NAMES[method.channel],
            address=f"{NAMES[method.channel]}, {method.address}" if method.label else method.address,
            outcome=_outcome("Test", tests.get(method.pk))
            if method.verified_at
            else _outcome("Code", codes.get(method.pk)),
            put_off=waiting.get(f"way:{method.pk}"),
        )
        for method in methods
    ]
    mail = Way(
        method=None,
        name="E-mail",
        address=user.email,
        outcome=_outcome("Test", tests.get(None)),
        put_off=waiting.get(user.email),
    )
    return [*found, mail]


def _outcome(what: str, message: MessageView | None) -> Outcome | None:
    return outcome_of(message, what=what) if message is not None else None


def outcome_of(message: MessageView, *, what: str = "Delivery") -> Outcome:
    """What became of a message, in words."""
    words, tone = _OUTCOMES.get(message.state, (message.state, "neutral"))
    if message.state == "pending" and not message.attempts:
        words = "waits to be sent"
    return Outcome(message=message, what=what, words=words, tone=tone, why=message.last_error)
