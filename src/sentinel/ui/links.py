"""Absolute addresses that go into mail: signed ones for workers, plain ones for users.

The paths stand here and not with the pages, because mail is written far below the pages.
A test in ``tests/house`` holds both together.
"""

from __future__ import annotations

from datetime import date

from django.conf import settings

from sentinel.kernel import links
from sentinel.kernel.links import Purpose


def _secrets() -> list[bytes]:
    return [str(key).encode() for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


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
