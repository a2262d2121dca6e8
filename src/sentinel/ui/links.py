"""Absolute addresses that go into mail: signed ones for workers, plain ones for users.

The paths stand here and not with the pages, because mail is written far below the pages.
A test in ``tests/house`` holds both together.
"""

from __future__ import annotations

import re
from datetime import date

from django.conf import settings

from sentinel.kernel import links
from sentinel.kernel.links import Purpose


def _secrets() -> list[bytes]:
    return [str(key).encode() for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def newest_secret() -> bytes:
    """What new links are signed with; for code that signs without Django."""
    return _secrets()[0]


def public_token(purpose: Purpose, subject_id: int, *, today: date) -> str:
    """The signed token of a worker's link; it names its purpose and holds no personal data."""
    return links.sign(purpose, subject_id, secret=_secrets()[0], issued_on=today)


def public_path(purpose: Purpose, subject_id: int, *parts: str, today: date) -> str:
    """The path of a worker's page, e.g. ``/a/<token>/frown/``."""
    return "/".join(("", purpose.value, public_token(purpose, subject_id, today=today), *parts, ""))


def public_url(purpose: Purpose, subject_id: int, *parts: str, today: date) -> str:
    """The absolute address of a worker's page."""
    return f"{settings.BASE_URL}{public_path(purpose, subject_id, *parts, today=today)}"


def read_public_token(token: str, purpose: Purpose, *, today: date, valid_days: int = 45) -> int:
    """The subject's id. Raises :class:`~sentinel.kernel.links.LinkError` for a forged or expired token."""
    return links.read(token, purpose, secrets=_secrets(), today=today, valid_days=valid_days)


def console_url(path: str) -> str:
    """The absolute address of a console page; ``path`` begins with a slash."""
    return f"{settings.BASE_URL}{path}"


#: How long an address that a reply or a bounce goes to is good for: people answer old mail.
MAILBOX_DAYS = 400
_MAILBOXES = frozenset(
    {
        Purpose.REPLY_TO_DELIVERY,
        Purpose.REPLY_TO_MESSAGE,
        Purpose.BOUNCE_OF_DELIVERY,
        Purpose.BOUNCE_OF_MESSAGE,
        Purpose.UNSUBSCRIBE,
    }
)
_MAILBOX = re.compile(r"([a-z]{1,2})-([a-z2-7]{44})")


def mailbox(purpose: Purpose, subject_id: int, *, today: date) -> str:
    """The address under which mail about this subject comes back into Sentinel; empty when no domain for
    incoming mail is set, and then replies go to people's own mailboxes."""
    if not settings.INBOUND_DOMAIN:
        return ""
    return f"{purpose.value}-{public_token(purpose, subject_id, today=today)}@{settings.INBOUND_DOMAIN}"


def read_mailbox(address: str, *, today: date) -> tuple[Purpose, int]:
    """What one of our addresses is for, and its subject's id; upper case and a display name are no hindrance.

    Raises :class:`~sentinel.kernel.links.LinkForged` for anything that is none of ours, and
    :class:`~sentinel.kernel.links.LinkExpired` after :data:`MAILBOX_DAYS`.
    """
    local, _, domain = address.strip().strip("<>").lower().rpartition("@")
    found = _MAILBOX.fullmatch(local)
    known = {purpose.value: purpose for purpose in _MAILBOXES}
    if found is None or found[1] not in known or not domain or domain != settings.INBOUND_DOMAIN:
        raise links.LinkForged("link_forged", "This is no address of ours.")
    purpose = known[found[1]]
    return purpose, read_public_token(found[2], purpose, today=today, valid_days=MAILBOX_DAYS)
