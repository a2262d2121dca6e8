"""Opens what travels sealed in a message: where it goes to, and the code in its text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sentinel.outbox.services import Claimed

#: Opens something sealed. Raises ValueError when that cannot be done (any more).
Opener = Callable[[str], str]
_CODE = "{code}"
#: What a sender answers when the secret key was changed after the way had been entered.
CANNOT_OPEN = "the address of this way cannot be opened any more; remove the way and add it again"


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A message ready to be sent. ``target`` is a secret: never in a log, an error or an answer."""

    target: str
    title: str
    text: str
    url: str

    def __repr__(self) -> str:
        return f"Opened({self.title!r})"


def opened(message: Claimed, opener: Opener) -> Opened:
    """The message with its target and code. Raises ValueError when they cannot be opened."""
    payload = message.payload
    text = str(payload.get("text", ""))
    if payload.get("code"):
        text = text.replace(_CODE, opener(str(payload["code"])))
    return Opened(
        target=opener(str(payload.get("target", ""))),
        title=str(payload.get("title", "")),
        text=text,
        url=str(payload.get("url", "")),
    )


def judged(status: int) -> str:
    """What an HTTP status says about trying again: ``accepted``, ``permanent`` or ``transient``.

    A redirection is permanent: it is never followed, and the address must be corrected by a person.
    """
    if 200 <= status < 300:
        return "accepted"
    return "permanent" if 300 <= status < 500 and status not in (408, 409, 425, 429) else "transient"
